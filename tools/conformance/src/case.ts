/**
 * One case: what a process does, step by step. The same list is carried out by the running kernel and by the model. All
 * places are page numbers counted from a base that is the same in both, so that alignment and upper page-table levels agree.
 */

/** Pages of a PMD range: both sides run with 4K base pages. */
export const RANGE = 512;
/** Pages below one PUD entry (1 GiB): the base is aligned to it. */
export const PUD_RANGE: number = RANGE * RANGE;
/** First page of every case: 64 GiB, where neither the loader nor V8 puts anything. */
export const BASE_PAGE = 0x100_0000;
/** Pages that a case may use from the base on. */
export const WINDOW_PAGES: number = 2 * PUD_RANGE;

/** Access rights: `rw` by default. */
export type Rights = 'none' | 'r' | 'w' | 'rw' | 'rx' | 'rwx';
/** What a mapping is of. `memfd`, `tmpfs` and `ext4` take a file of the case by its name. */
export type MapKind = 'anon' | 'shared' | 'memfd' | 'memfd-private' | 'disk' | 'disk-private';
/** Advice by its name without MADV_. */
export type AdviceName =
  | 'NORMAL'
  | 'DONTNEED'
  | 'FREE'
  | 'DONTFORK'
  | 'DOFORK'
  | 'MERGEABLE'
  | 'UNMERGEABLE'
  | 'HUGEPAGE'
  | 'NOHUGEPAGE'
  | 'WIPEONFORK'
  | 'KEEPONFORK'
  | 'COLD'
  | 'PAGEOUT'
  | 'POPULATE_READ'
  | 'POPULATE_WRITE'
  | 'DONTNEED_LOCKED'
  | 'COLLAPSE'
  | 'GUARD_INSTALL'
  | 'GUARD_REMOVE';
export type UffdModeName = 'missing' | 'wp' | 'missing+wp' | 'minor';

/** A range of pages. */
export interface Span {
  readonly at: number;
  readonly pages: number;
}

/** One system call, or a run of touches. */
export type Step =
  | (Span & {
      readonly do: 'map';
      readonly kind?: MapKind;
      readonly rights?: Rights;
      /** For files: which (two mappings of one name share it), and the first page of it. */
      readonly file?: string;
      readonly pgoff?: number;
      /** Size of the file in pages when it is made, by default so that the mapping fits. */
      readonly filePages?: number;
      readonly flags?: readonly ('GROWSDOWN' | 'NORESERVE' | 'STACK' | 'POPULATE')[];
    })
  | (Span & { readonly do: 'unmap' })
  /** Writes each page once, ascending, until one cannot be written. `who`: 0 the process, n its n-th child. */
  | (Span & { readonly do: 'write'; readonly who?: number })
  | (Span & { readonly do: 'read' })
  /** `processMadvise`: through a pidfd instead of madvise; always so for a child. */
  | (Span & {
      readonly do: 'advise';
      readonly advice: AdviceName;
      readonly who?: number;
      readonly processMadvise?: boolean;
    })
  | (Span & { readonly do: 'protect'; readonly rights: Rights })
  | (Span & { readonly do: 'lock' | 'unlock' })
  /** mremap with MAYMOVE | FIXED. */
  | (Span & { readonly do: 'move'; readonly to: number; readonly newPages?: number; readonly dontUnmap?: boolean })
  | { readonly do: 'fork' }
  | { readonly do: 'end'; readonly child: number }
  /** vmsplice of one page into a pipe; `unpin` empties all pipes. */
  | (Span & { readonly do: 'pin' })
  | { readonly do: 'unpin' }
  | (Span & { readonly do: 'uffd'; readonly mode: UffdModeName; readonly unpopulated?: boolean })
  | (Span & { readonly do: 'uffdUnregister' })
  | (Span & { readonly do: 'wp' | 'unwp' })
  | { readonly do: 'uffdClose' }
  /** PR_SET_THP_DISABLE; `off` takes it back. */
  | { readonly do: 'thpDisable'; readonly how: 'completely' | 'except-advised' | 'off' };

/** A case by name; `family/name`. */
export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
  /** It changes the whole process, so it needs one of its own. */
  readonly ownProcess?: boolean;
}

/** First pages of the PMD ranges that the steps name, ascending: what is looked at afterwards. */
export function rangesOf(steps: readonly Step[]): number[] {
  const ranges = new Set<number>();
  const add = (at: number, pages: number): void => {
    for (let range = Math.floor(at / RANGE); range * RANGE < at + pages; range++) ranges.add(range * RANGE);
  };
  for (const step of steps) {
    if ('at' in step) add(step.at, step.pages);
    if (step.do === 'move') add(step.to, step.newPages ?? step.pages);
  }
  return [...ranges].sort((a, b) => a - b);
}

/** A step in few words, for reports. */
export function stepText(step: Step): string {
  const { do: verb, ...rest } = step;
  const { at, pages, ...more } = rest as Partial<Span> & Record<string, unknown>;
  const where = at === undefined ? '' : ` [${at},${at + (pages ?? 0)})`;
  const extras = Object.entries(more).map(([name, value]) => ` ${name}=${String(value)}`);
  return `${verb}${where}${extras.join('')}`;
}
