/**
 * The normalised scenario: what the runner gets. Every default is filled in, every unit is resolved
 * (bytes, nanoseconds, fractions 0..1, page orders), every name that an event or an expectation uses is known to exist.
 * The whole object is plain data: it can be printed as JSON, compared, and sent to a worker.
 *
 * Conventions. Sizes and addresses are bytes in a double (they stay below 2^53). Times are nanoseconds of virtual time.
 * A *block* is one PMD range (2 MiB with 4K pages); a *page* is one base page. `null` means "not given, the runner chooses".
 * A process name may stand for a group: with `count: 3` the name `worker` means the live processes `worker.0`..`worker.2`.
 */

import type { TlbSpec } from '@thplab/mm-model';
import type { KernelProfile } from '@thplab/sysfs-schema';
import type { DamonSpec } from './scenario-damon.js';
import type { ScenarioEvent } from './scenario-events.js';
import type { CounterExpectation, Expectations } from './scenario-expect.js';
import type { FileSpec } from './scenario-files.js';
import type { HintsSpec } from './scenario-hints.js';
import type { WorkloadSpec } from './scenario-workload.js';

export type * from './scenario-damon.js';
export type * from './scenario-events.js';
export type * from './scenario-expect.js';
export type * from './scenario-files.js';
export type * from './scenario-hints.js';
export type * from './scenario-workload.js';

/** Where in the file a thing stands, so that the runner can report a problem there: a key path such as `events[3].madvise`. */
export type SourceKey = string;

export interface Scenario {
  readonly format: 'thplab/scenario@1';
  readonly name: string;
  readonly description: string;
  /** The seed every unseeded random choice of the run derives from. */
  readonly seed: number;
  readonly machine: Machine;
  /** Writes made in this order before the first process exists. */
  readonly sysfs: readonly SysfsWrite[];
  readonly files: readonly FileSpec[];
  readonly processes: readonly ProcessSpec[];
  readonly damon: DamonSpec;
  /** Null: the file says nothing about collapse hints. */
  readonly hints: HintsSpec | null;
  /** What programs do to memory while the run goes on. */
  readonly workload: readonly WorkloadSpec[];
  /** In the order of their time; events of one time stay in file order. */
  readonly events: readonly ScenarioEvent[];
  readonly run: RunSpec;
  readonly expect: Expectations;
}

// ---------------------------------------------------------------------------------------------- machine

export interface Machine {
  readonly nodes: readonly MemoryNode[];
  /** Base page size in bytes. */
  readonly pageSize: 4096 | 16384 | 65536;
  /** Order of a PMD mapping: 9, 11 or 13 by page size, or the `pmdOrder` of the file (3 for toys). */
  readonly pmdOrder: number;
  /** pageSize << pmdOrder. */
  readonly blockSize: number;
  /** Kernel profile; the runner says which of them it can run. */
  readonly kernel: KernelProfile;
  readonly cpus: number;
  /** Bytes of swap space; 0 = none. */
  readonly swap: number;
  /** Kernel command line, e.g. `thp_anon=64K:always`. */
  readonly boot: string;
  /** CONFIG_READ_ONLY_THP_FOR_FS, of kernels that have it. */
  readonly readOnlyThpForFs: boolean;
  /** What the processors remember of page tables; null: not modelled, every access sets the accessed bit. */
  readonly tlb: TlbSpec | null;
}

export interface MemoryNode {
  readonly size: number;
  readonly fragmentation: Fragmentation | null;
}

/** Free memory held by somebody else in blocks of `order`, spread evenly at random so that larger free blocks become rare. */
export interface Fragmentation {
  /** Share of the node's blocks (PMD size) that hold at least one foreign block, 0..1. */
  readonly fraction: number;
  /** Order of each foreign block. */
  readonly order: number;
  /** Share of the foreign blocks that compaction can move, 0..1. */
  readonly movable: number;
  readonly seed: number | null;
}

export interface SysfsWrite {
  /** Absolute path, below /sys/kernel/mm/ . */
  readonly path: string;
  /** What is written, without the newline that echo adds. */
  readonly value: string;
}

// ---------------------------------------------------------------------------------------------- processes

export type ThpMode = 'default' | 'disable' | 'except-advised';

export interface ProcessSpec {
  readonly key: SourceKey;
  readonly name: string;
  /** Instances: 1 is named `name`, more are named `name.0`, `name.1`, ... */
  readonly count: number;
  /** PR_SET_THP_DISABLE as set before anything else happens. */
  readonly thp: ThpMode;
  /** Path of the memory cgroup that it, and each child that it forks, is in. */
  readonly memcg: string;
  /** Simulated CPU its actions run on unless an event says otherwise; null: the runner spreads the processes. */
  readonly cpu: number | null;
  /** Snapshot file of a captured process: absolute, or beside the scenario file as its path was given. Its VMAs come in addition to `vmas`. */
  readonly snapshot: string | null;
  readonly vmas: readonly VmaSpec[];
}

export type VmaKind = 'anon' | 'shmem' | 'file' | 'dax' | 'special';
export type VmaAdvice = 'none' | 'hugepage' | 'nohugepage';
export type UffdMode = 'missing' | 'wp' | 'minor';
export type VmaFlag =
  | 'dontexpand'
  | 'dontfork'
  | 'droppable'
  | 'growsdown'
  | 'hugetlb'
  | 'io'
  | 'mergeable'
  | 'mixedmap'
  | 'mlocked'
  | 'noreserve'
  | 'pfnmap'
  | 'private'
  | 'shared'
  | 'tempstack'
  | 'wipeonfork';

export interface Protection {
  readonly read: boolean;
  readonly write: boolean;
  readonly exec: boolean;
}

export interface VmaSpec {
  readonly key: SourceKey;
  readonly name: string;
  /**
   * Start address. Always set for the VMAs of a process. null only for a repeated mmap event: the runner places each new one
   * aligned to a block, and the name means the newest.
   */
  readonly start: number | null;
  readonly size: number;
  readonly kind: VmaKind;
  /** Name of the file that is mapped; null: anonymous memory, or a file of its own. */
  readonly file: string | null;
  /** First byte of the file that is mapped. */
  readonly offset: number;
  readonly prot: Protection;
  /** Applied after the pages are populated, as programs must (khugepaged spec 5.1). */
  readonly advice: VmaAdvice;
  readonly flags: readonly VmaFlag[];
  /** Registered after the pages are populated. */
  readonly uffd: readonly UffdMode[];
  /** Layers laid over each other in this order; a later one replaces the pages it names. Empty: nothing populated. */
  readonly populate: readonly PopulateLayer[];
}

// ---------------------------------------------------------------------------------------------- pages

export interface Run {
  readonly first: number;
  readonly count: number;
}

/** Which pages of a span are meant. Page 0 is the first page of the span (a VMA, or an event's range). */
export type PagePattern =
  | { readonly kind: 'full' }
  | { readonly kind: 'none' }
  /** Each page with this probability. */
  | { readonly kind: 'sparse'; readonly fraction: number; readonly seed: number | null }
  /** `count` pages from first, from first + every, from first + 2 * every, ... */
  | { readonly kind: 'stride'; readonly every: number; readonly first: number; readonly count: number }
  | { readonly kind: 'runs'; readonly runs: readonly Run[] }
  /**
   * Runs within each table; tables are counted from the block that holds the span's first page, and slot 0 is that block's first page.
   * `repeat`: table t takes entry t modulo the number of entries; otherwise tables past the last entry stay empty.
   */
  | { readonly kind: 'bitmap'; readonly tables: readonly (readonly Run[])[]; readonly repeat: boolean }
  /** `present` pages in every table. */
  | {
      readonly kind: 'perTable';
      readonly present: number;
      readonly placement: 'first' | 'last' | 'spread' | 'random';
      readonly seed: number | null;
    };

/** What a populated slot holds (khugepaged spec 2.1). */
export type PageState =
  | 'none'
  | 'present'
  | 'zero'
  | 'swap'
  | 'migration'
  | 'hwpoison'
  | 'device'
  | 'guard'
  | 'poison'
  | 'special';

export interface PopulateLayer {
  readonly key: SourceKey;
  readonly pattern: PagePattern;
  /** Folio order: the pattern's pages come in naturally aligned folios of this order where it fills them, single pages elsewhere. */
  readonly order: number;
  /** A folio of PMD order is mapped by the PMD ('pmd', where possible) or by its table ('pte'). */
  readonly mapped: 'pmd' | 'pte';
  /** Shares of the pages by state; they add up to 1. Choice per folio, at random by `seed`. */
  readonly states: readonly { readonly state: PageState; readonly fraction: number }[];
  /** Shares (0..1) of the present pages that have the property; chosen at random by `seed` unless 0 or 1. */
  readonly young: number;
  /** null: all of them, but for those that are lazily freed, which MADV_FREE leaves clean. */
  readonly dirty: number | null;
  /** PTE writable where the VMA is. */
  readonly writable: number;
  readonly uffdWp: number;
  readonly lazyfree: number;
  readonly pinned: number;
  readonly locked: number;
  readonly offLru: number;
  /** NUMA node of the folios; null = the runner's first-fit. */
  readonly node: number | null;
  readonly seed: number | null;
}

// ---------------------------------------------------------------------------------------------- run

export interface RunSpec {
  /** The run ends when all given conditions hold at once; null: it runs for `atMost`. */
  readonly until: RunGoal | null;
  /** Virtual time at which the run ends in any case. With `for: 30s` this is 30 s and `until` is null. */
  readonly atMost: number;
  readonly khugepaged: boolean;
  /** A row of the time line every so many ns; null = only at the start and the end. */
  readonly sample: number | null;
  readonly trace: { readonly events: readonly string[] | 'all'; readonly capacity: number };
}

export interface RunGoal {
  readonly fullScans: number | null;
  readonly pagesCollapsed: number | null;
  readonly covered: { readonly process: string | null; readonly vma: string | null; readonly fraction: number } | null;
  /** All events done, repeats and durations included. */
  readonly eventsDone: boolean;
  readonly counters: readonly CounterExpectation[];
}
