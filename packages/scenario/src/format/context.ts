/**
 * What the checks after the schema share: the machine's geometry, the names that the file defines, and where problems go.
 * Internal to the format.
 */
import { nearest, suggest } from './did-you-mean.js';
import type { KeyPath } from './problems.js';
import type { Machine } from './scenario.js';
import type { SysfsFiles } from './sysfs-files.js';

/** A VMA that events and expectations may name. `start` null: placed by the runner, aligned to a block. */
export interface KnownVma {
  readonly start: number | null;
  readonly size: number;
}

/** A process, or a group of equal ones, that events and expectations may name. */
export interface KnownProcess {
  /** Members; null: as many as forks make. */
  readonly count: number | null;
  /** True if its address space comes (also) from a snapshot, whose VMAs are not known here. */
  readonly fromSnapshot: boolean;
  /** Shared by a process and all its descendants: a child knows the VMAs of its parent. */
  readonly family: Family;
}

/** A file that VMAs may map. */
export interface KnownFile {
  readonly kind: 'shmem' | 'file';
  readonly size: number;
}

export interface Family {
  readonly vmas: Map<string, KnownVma>;
  /** Where the next VMA goes that says nothing itself. */
  next: number;
}

/** Stands in `Context.schemes` where a file that is read later says which there are. */
export const ANY_SCHEME = '*';

/** What would be right; a function where finding it out costs something, because only the first problems need it. */
export type Hint = string | (() => string);

/** Reports a problem at a place of the file. */
export type Report = (path: KeyPath, message: string, hint: Hint, which?: 'key' | 'value') => void;

export interface Context {
  readonly report: Report;
  readonly machine: Machine;
  readonly sysfs: SysfsFiles;
  /** Folder of the scenario file, with the slash at its end, or empty. */
  readonly folder: string;
  readonly processes: Map<string, KnownProcess>;
  readonly files: Map<string, KnownFile>;
  /** Paths of the memory cgroups: those of the processes, and all above them. */
  readonly memcgs: Set<string>;
  /** Names of schemes, alone and after their kdamond's; those that two kdamonds have are there only with it. */
  readonly schemes: Set<string>;
  readonly kdamonds: Set<string>;
}

/** The process or group behind a name such as `worker` or `worker.3`; reports and returns null if there is none. */
export function findProcess(context: Context, name: string, path: KeyPath): KnownProcess | null {
  const [base, index] = name.split('.');
  const known = context.processes.get(base);
  if (known === undefined) {
    context.report(path, `there is no process ${JSON.stringify(name)}`, () =>
      named(base, [...context.processes.keys()]),
    );
    return null;
  }
  if (index !== undefined && known.count === 1) {
    context.report(path, `${JSON.stringify(base)} is a single process`, `write ${JSON.stringify(base)}`);
    return null;
  }
  if (index !== undefined && known.count !== null && Number(index) >= known.count) {
    context.report(path, `there is no process ${JSON.stringify(name)}`, `the last one is ${base}.${known.count - 1}`);
    return null;
  }
  return known;
}

/** The VMA of that name; reports and returns null if there is none. */
export function findVma(context: Context, process: KnownProcess, name: string, path: KeyPath): KnownVma | null {
  const known = process.family.vmas.get(name);
  if (known !== undefined) return known;
  const hint = process.fromSnapshot
    ? 'VMAs of a snapshot have no names: use address and size'
    : () => named(name, [...process.family.vmas.keys()]);
  context.report(path, `there is no VMA ${JSON.stringify(name)} in this process`, hint);
  return null;
}

/** The file of that name; reports and returns null if there is none. */
export function findFile(context: Context, name: string, path: KeyPath): KnownFile | null {
  const known = context.files.get(name);
  if (known !== undefined) return known;
  context.report(path, `there is no file ${JSON.stringify(name)}`, () => named(name, [...context.files.keys()]));
  return null;
}

/** Reports a memory cgroup that there is not. */
export function findMemcg(context: Pick<Context, 'memcgs' | 'report'>, memcg: string, path: KeyPath): void {
  if (context.memcgs.has(memcg)) return;
  context.report(path, `there is no memory cgroup ${JSON.stringify(memcg)}`, () =>
    suggest(memcg, [...context.memcgs], 12),
  );
}

function named(name: string, candidates: readonly string[]): string {
  const near = nearest(name, candidates);
  if (near !== null) return `did you mean "${near}"?`;
  return candidates.length === 0 ? 'the file defines none' : `the file defines ${candidates.slice(0, 12).join(', ')}`;
}
