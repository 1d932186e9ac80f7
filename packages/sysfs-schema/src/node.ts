/** What the tree is made of. Plain data: a node can be printed as JSON, and nothing in it holds a value of a machine. */
import type { KhugepagedCounterName, MthpStatName } from './counters.js';
import type { GlobalSettingKey, OrderSettingKey } from './settings.js';

export type Errno = 'EINVAL' | 'ERANGE' | 'EACCES';

/** What a file takes and shows. */
export type Grammar =
  /** One of the words; shown as all words with the current one in brackets. Stored as the word's index. */
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** A decimal number that must be 0 or 1. */
  | { readonly kind: 'flag' }
  /** A boolean word or digit (kstrtobool), shown as 0 or 1. `enableWords`: enabled and disabled are among the words. */
  | { readonly kind: 'boolean'; readonly enableWords: boolean }
  /** A decimal number from min to max, both included. `parser` says at which width the kernel reads it. */
  | { readonly kind: 'uint'; readonly parser: 'kstrtoul' | 'kstrtouint'; readonly min: number; readonly max: number }
  /** A number that the kernel counts; read only. */
  | { readonly kind: 'counter' }
  /** A number that never changes; read only. */
  | { readonly kind: 'constant'; readonly value: number };

/** Where the value of a file lives. `cell` is the place in the flat store of its kind. */
export type Storage =
  | { readonly kind: 'setting'; readonly key: GlobalSettingKey; readonly cell: number }
  | { readonly kind: 'order-setting'; readonly key: OrderSettingKey; readonly order: number; readonly cell: number }
  | { readonly kind: 'khugepaged-counter'; readonly name: KhugepagedCounterName; readonly cell: number }
  | { readonly kind: 'mthp-stat'; readonly name: MthpStatName; readonly order: number; readonly cell: number }
  | { readonly kind: 'constant' };

/** The ways in which a write can be bad. */
export type BadWrite = 'read-only' | 'unparsable' | 'overflow' | 'out-of-range';

/** Errno of each way in which a write to a file can be bad; a way that the file does not have is left out. */
export type BadWriteErrnos = Readonly<Partial<Record<BadWrite, Errno>>>;

export interface SysfsDirectory {
  readonly kind: 'directory';
  /** Absolute, without a slash at the end. */
  readonly path: string;
  readonly mode: number;
}

export interface SysfsFile {
  readonly kind: 'file';
  /** Absolute. */
  readonly path: string;
  readonly mode: number;
  readonly grammar: Grammar;
  readonly storage: Storage;
  /** Value after boot without boot options on a machine of 512 MiB or more; see initialSettings for the others. */
  readonly default: number;
  readonly unit: 'ptes' | 'pages' | 'ms' | 'bytes' | 'count' | null;
  /** One line: what the file does. */
  readonly doc: string;
  /** Where the rule stands, e.g. "khugepaged spec 14.1". */
  readonly spec: string;
  readonly errnos: BadWriteErrnos;
}

export type SysfsNode = SysfsDirectory | SysfsFile;
