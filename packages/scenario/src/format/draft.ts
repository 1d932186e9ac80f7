/**
 * What the zod schema puts out: the file's own structure with units resolved (bytes, ns, shares), before defaults that need
 * context (page size, other processes) are filled in. Internal: normalise.ts turns a Draft into a Scenario.
 */
import type { KernelProfile } from '@thplab/sysfs-schema';
import type { DraftDamon, DraftMonitoringExpect, DraftSchemeExpect } from './draft-damon.js';
import type { DraftHintEvent, DraftHints, DraftHintsExpect } from './draft-hints.js';
import type { DraftTlb, DraftTlbExpect, DraftWorkload } from './draft-workload.js';
import type {
  Errno,
  MadviseAdvice,
  PageState,
  Protection,
  Run,
  ThpMode,
  UffdMode,
  VmaAdvice,
  VmaFlag,
  VmaKind,
} from './scenario.js';
import type { Interval } from './units.js';

type Maybe<T> = T | undefined;

export interface Draft {
  format: 'thplab/scenario@1';
  name: string;
  description?: Maybe<string>;
  seed?: Maybe<number>;
  machine?: Maybe<DraftMachine>;
  sysfs?: Maybe<Record<string, string>>;
  files?: Maybe<DraftFile[]>;
  processes?: Maybe<DraftProcess[]>;
  damon?: Maybe<DraftDamon>;
  hints?: Maybe<DraftHints>;
  workload?: Maybe<DraftWorkload[]>;
  events?: Maybe<DraftEvent[]>;
  run?: Maybe<DraftRun>;
  expect?: Maybe<DraftExpect>;
}

export interface DraftFragmentation {
  fraction: number;
  order?: Maybe<DraftOrder>;
  movable?: Maybe<number>;
  seed?: Maybe<number>;
}

export interface DraftNode {
  size: number;
  fragmentation?: Maybe<DraftFragmentation>;
}

export interface DraftMachine {
  memory?: Maybe<DraftNode[]>;
  pageSize?: Maybe<4096 | 16384 | 65536>;
  pmdOrder?: Maybe<number>;
  kernel?: Maybe<KernelProfile>;
  cpus?: Maybe<number>;
  swap?: Maybe<number>;
  boot?: Maybe<string>;
  readOnlyThpForFs?: Maybe<boolean>;
  tlb?: Maybe<DraftTlb>;
  fragmentation?: Maybe<DraftFragmentation>;
}

/** A folio order, or the folio's size in bytes. */
export type DraftOrder = { order: number } | { size: number };

export type DraftBits = { repeat: boolean; tables: Run[][] };

export interface DraftPattern {
  pages?: Maybe<'full' | 'none' | Run[]>;
  sparse?: Maybe<{ fraction: number; seed?: Maybe<number> }>;
  stride?: Maybe<{ every: number; first?: Maybe<number>; count?: Maybe<number> }>;
  runs?: Maybe<Run[]>;
  bitmap?: Maybe<DraftBits>;
  perTable?: Maybe<{
    present: number;
    placement?: Maybe<'first' | 'last' | 'spread' | 'random'>;
    seed?: Maybe<number>;
  }>;
}

export interface DraftLayer extends DraftPattern {
  order?: Maybe<DraftOrder>;
  mapped?: Maybe<'pmd' | 'pte'>;
  state?: Maybe<PageState | Record<string, number>>;
  young?: Maybe<number>;
  dirty?: Maybe<number>;
  writable?: Maybe<number>;
  uffdWp?: Maybe<number>;
  lazyfree?: Maybe<number>;
  pinned?: Maybe<number>;
  locked?: Maybe<number>;
  offLru?: Maybe<number>;
  node?: Maybe<number>;
  seed?: Maybe<number>;
}

export interface DraftCached extends DraftPattern {
  state?: Maybe<'present' | 'swap'>;
  huge?: Maybe<boolean>;
  seed?: Maybe<number>;
}

export interface DraftFile {
  name: string;
  size: number;
  kind?: Maybe<'shmem' | 'file'>;
  hugeFolios?: Maybe<boolean>;
  openForWrite?: Maybe<boolean>;
  cached?: Maybe<DraftCached[]>;
}

export interface DraftVma {
  name: string;
  size: number;
  at?: Maybe<number>;
  kind?: Maybe<VmaKind>;
  file?: Maybe<string>;
  offset?: Maybe<number>;
  prot?: Maybe<Protection>;
  advice?: Maybe<VmaAdvice>;
  flags?: Maybe<VmaFlag[]>;
  uffd?: Maybe<UffdMode[]>;
  populate?: Maybe<DraftLayer[]>;
}

export interface DraftProcess {
  name: string;
  count?: Maybe<number>;
  thp?: Maybe<ThpMode>;
  memcg?: Maybe<string>;
  cpu?: Maybe<number>;
  snapshot?: Maybe<string>;
  vmas?: Maybe<DraftVma[]>;
}

export interface DraftTarget {
  process: string;
  vma?: Maybe<string>;
  blocks?: Maybe<Run[]>;
  offset?: Maybe<number>;
  address?: Maybe<number>;
  size?: Maybe<number>;
}

/** Target of a call that takes one contiguous range. */
export interface DraftRange extends DraftTarget {
  pages?: Maybe<Run[]>;
}

/** Target of an action on any set of pages. */
export interface DraftPages extends DraftTarget, DraftPattern {}

export interface DraftEvent {
  at: number;
  repeat?: Maybe<{ every: number; times?: Maybe<number> }>;
  cpu?: Maybe<number>;
  expect?: Maybe<{ errno?: Maybe<Errno>; counters?: Maybe<Record<string, Interval | string>> }>;
  fault?: Maybe<
    DraftPages & {
      write?: Maybe<boolean>;
      direction?: Maybe<'ascending' | 'descending' | 'random'>;
      over?: Maybe<number>;
    }
  >;
  access?: Maybe<DraftPages & { write?: Maybe<boolean>; every: number; for?: Maybe<number> }>;
  fork?: Maybe<{ process: string; as: string; count?: Maybe<number>; lifetime?: Maybe<number> }>;
  exit?: Maybe<{ process: string }>;
  madvise?: Maybe<DraftRange & { advice: MadviseAdvice }>;
  mmap?: Maybe<DraftVma & { process: string }>;
  munmap?: Maybe<DraftRange>;
  mremap?: Maybe<DraftRange & { to?: Maybe<number>; newSize?: Maybe<number> }>;
  mprotect?: Maybe<DraftRange & { prot: Protection }>;
  mlock?: Maybe<DraftRange>;
  munlock?: Maybe<DraftRange>;
  pin?: Maybe<DraftPages & { for?: Maybe<number> }>;
  unpin?: Maybe<DraftPages>;
  lock?: Maybe<DraftPages & { for?: Maybe<number> }>;
  unlock?: Maybe<DraftPages>;
  swapout?: Maybe<DraftPages>;
  uffd?: Maybe<
    DraftRange & {
      call: 'register' | 'unregister' | 'writeprotect' | 'unprotect' | 'poison';
      modes?: Maybe<UffdMode[]>;
    }
  >;
  prctl?: Maybe<{ process: string; thp: ThpMode }>;
  sysfs?: Maybe<Record<string, string>>;
  failAllocation?: Maybe<{
    order?: Maybe<DraftOrder>;
    nth?: Maybe<number>;
    every?: Maybe<number>;
    count?: Maybe<number>;
  }>;
  hint?: Maybe<DraftHintEvent>;
  check?: Maybe<DraftExpect>;
}

export interface DraftRun {
  for?: Maybe<number>;
  until?: Maybe<{
    fullScans?: Maybe<number>;
    pagesCollapsed?: Maybe<number>;
    covered?: Maybe<{ process?: Maybe<string>; vma?: Maybe<string>; share: number }>;
    eventsDone?: Maybe<boolean>;
    counters?: Maybe<Record<string, Interval | string>>;
  }>;
  atMost?: Maybe<number>;
  khugepaged?: Maybe<boolean>;
  sample?: Maybe<number>;
  trace?: Maybe<{ events?: Maybe<string[] | 'all' | 'none'>; capacity?: Maybe<number> }>;
}

export interface DraftExpect {
  counters?: Maybe<Record<string, Interval | string>>;
  coverage?: Maybe<
    {
      process?: Maybe<string>;
      vma?: Maybe<string>;
      of?: Maybe<'size' | 'resident'>;
      huge?: Maybe<Interval>;
      sizes?: Maybe<Record<string, Interval>>;
    }[]
  >;
  memory?: Maybe<
    {
      process?: Maybe<string>;
      vma?: Maybe<string>;
      rss?: Maybe<Interval>;
      anonHuge?: Maybe<Interval>;
      swap?: Maybe<Interval>;
      free?: Maybe<Interval>;
    }[]
  >;
  outcomes?: Maybe<
    {
      process: string;
      vma?: Maybe<string>;
      blocks?: Maybe<Run[]>;
      address?: Maybe<number>;
      outcome: string[];
    }[]
  >;
  stalls?: Maybe<
    { process?: Maybe<string>; worst?: Maybe<Interval>; p99?: Maybe<Interval>; median?: Maybe<Interval> }[]
  >;
  tlb?: Maybe<DraftTlbExpect[]>;
  schemes?: Maybe<Record<string, DraftSchemeExpect>>;
  monitoring?: Maybe<DraftMonitoringExpect[]>;
  hints?: Maybe<DraftHintsExpect>;
  time?: Maybe<{ end?: Maybe<Interval>; khugepagedCpu?: Maybe<Interval>; khugepagedShare?: Maybe<Interval> }>;
}
