/**
 * What DAMON's part of sysfs is made of (DAMON spec 6.1). Its folders come and go with writes to `nr_*` files, so the
 * declaration is a tree of templates: a folder with `list` has as many numbered children as its counter says. Plain data;
 * whoever runs a machine keeps the values.
 */

/** What a file takes and shows. Numbers may be decimal, 0x hexadecimal or 0 octal. */
export type DamonGrammar =
  /** Number of the width of kstrtoul, kstrtouint or kstrtoint; above it is ERANGE. */
  | { readonly kind: 'ulong' | 'uint' | 'int' }
  /** The counter of a list: not negative, at most `most` where that is said; EINVAL otherwise. */
  | { readonly kind: 'count'; readonly most: number | null }
  /** A boolean word or digit, shown as Y or N. */
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly words: readonly string[] }
  /** One of the words, and something happens; shows on or off. */
  | { readonly kind: 'command'; readonly words: readonly string[] }
  /** A path of a memory cgroup. */
  | { readonly kind: 'text' }
  /** Read only. */
  | { readonly kind: 'shown' };

export interface DamonFileDecl {
  readonly kind: 'file';
  readonly name: string;
  readonly mode: number;
  readonly grammar: DamonGrammar;
  /** What a read shows in a fresh folder, without the newline. */
  readonly default: string;
  readonly unit: 'us' | 'ms' | 'bytes' | 'bp' | 'permille' | 'count' | null;
  readonly doc: string;
}

export interface DamonDirDecl {
  readonly kind: 'directory';
  /** `N` for a numbered child of a list. */
  readonly name: string;
  readonly mode: number;
  readonly files: readonly DamonFileDecl[];
  readonly directories: readonly DamonDirDecl[];
  /** Numbered children, and the file that says how many; without a counter they come and go by other means. */
  readonly list: { readonly counter: string | null; readonly element: DamonDirDecl } | null;
}
