/** A machine with a queue of hints whose thread does not run by itself: tests make the passes and visits one by one. */
import { asBrand } from '@thplab/arena';
import { type MmId, PTE_YOUNG, placeFolio, type VmaId, type Vpn } from '@thplab/mm-model';
import { type ScanResult, scanResultName } from '@thplab/mthp-collapse';
import { acquire, type Procedure, release } from '@thplab/sync';
import { settingIndex } from '@thplab/sysfs-schema';
import {
  type HintAddOutcome,
  type HintPolicy,
  hintAddName,
  hintDropName,
  hintPolicyNamed,
  khugepagedAddHint,
  khugepagedDoScan,
  khugepagedEnter,
  khugepagedScanMmSlot,
} from '../index.js';
import { setBudget } from '../scanner.js';
import {
  fill,
  makeProcess,
  makeSchedulerWorld,
  type SchedulerWorld,
  type SchedulerWorldConfig,
} from './scheduler-world.js';

/** Pages of a PMD range. */
export const N = 512;

/** What became of a hint, as a test reads it: `2:1 huge` is range 1 of mm 2. */
export interface HintWorld extends SchedulerWorld {
  /** What drains did, in order: `mm.range result`. */
  readonly served: string[];
  /** Hints dropped unseen: `mm.range reason`. */
  readonly dropped: string[];
  /** Failures of each drain that found a hint. */
  readonly failures: number[];
  /** Address spaces that the round visited. */
  readonly visits: number[];
  /** Times that a drain met a contended mmap_lock. */
  contended: number;
  /** Adds a hint for a range of a process; range 0 begins at its first page. */
  hint(process: HintedProcess, range: number, options?: HintOptions): string;
  /** One call of khugepaged_scan_mm_slot with a fresh budget. Gives its result. */
  visit(budget?: number): ScanResult | -1;
  /** One pass of khugepaged_do_scan. */
  pass(): void;
}

/** How a hint is added. */
export interface HintOptions {
  readonly priority?: number;
  readonly maxOrder?: number;
  readonly vma?: VmaId;
}

/** A process with one VMA. */
export interface HintedProcess {
  readonly mm: MmId;
  readonly vma: VmaId;
  readonly start: number;
}

/** A world under a policy, given by name or as data. */
export function makeHintWorld(
  policy: string | HintPolicy = 'as-posted',
  config: Omit<SchedulerWorldConfig, 'hints'> & { readonly whenFull?: 'error' | 'drop' } = {},
): HintWorld {
  const served: string[] = [];
  const dropped: string[] = [];
  const failures: number[] = [];
  const visits: number[] = [];
  const { whenFull = 'error', ...rest } = config;
  const base = makeSchedulerWorld({
    profile: 'hints-rfc',
    ...rest,
    hints: {
      policy: typeof policy === 'string' ? hintPolicyNamed(policy) : policy,
      whenFull,
      recorder: {
        drained: (mm, page, _priority, result) =>
          served.push(`${mm}.${rangeOf(page)} ${scanResultName(result).toLowerCase()}`),
        dropped: (mm, page, _priority, reason) => dropped.push(`${mm}.${rangeOf(page)} ${hintDropName(reason)}`),
        discarded: (mm, page, _priority, reason) => dropped.push(`${mm}.${rangeOf(page)} ${hintDropName(reason)}`),
        drainEnded: (count) => failures.push(count),
        roundVisits: (mm) => visits.push(mm),
        contended: () => {
          w.contended++;
        },
      },
    },
  });
  stopThread(base);
  const w: HintWorld = {
    ...base,
    served,
    dropped,
    failures,
    visits,
    contended: 0,
    hint: (process, range, options = {}) => hintAddName(base.run(() => addHint(base, process, range, options))),
    visit: (budget = 4096) => base.run(() => oneVisit(base, budget)),
    pass: () => base.run(() => khugepagedDoScan(base.k)),
  };
  return w;
}

/** The thread ends, and the settings say that there is work all the same. */
function stopThread(w: SchedulerWorld): void {
  const cell = settingIndex('enabled');
  w.write('enabled', 'always');
  const always = w.m.setting.value[cell];
  w.write('enabled', 'never');
  w.m.setting.value[cell] = always;
}

export function* addHint(
  w: SchedulerWorld,
  process: HintedProcess,
  range: number,
  { priority = 0, maxOrder = 0, vma = process.vma }: HintOptions = {},
): Procedure<HintAddOutcome> {
  const page = asBrand<Vpn>(process.start + range * N);
  return yield* khugepagedAddHint(w.k, { mm: process.mm, vma, page, priority, maxOrder });
}

/** One call of khugepaged_scan_mm_slot. */
export function* oneVisit(w: SchedulerWorld, budget = 4096): Procedure<ScanResult | -1> {
  const { scanner } = w.k;
  scanner.control.progress = 0;
  scanner.drawn = 0;
  scanner.hintProgress = 0;
  scanner.hintDrain = 0;
  yield acquire(w.k.mmLock);
  setBudget(w.k, budget, 1);
  const result = yield* khugepagedScanMmSlot(w.k);
  yield release(w.k.mmLock);
  return result;
}

/** Every process begins here; all are aligned to a PMD range. */
const START = 0x10000;

function rangeOf(page: number): number {
  return (page - START) / N;
}

/** A process of some ranges, registered: `full` ones hold base pages, `huge` ones a huge page, others one page in all. */
export function makeHinted(
  w: SchedulerWorld,
  ranges: number,
  { full = [], huge = [] }: { readonly full?: readonly number[]; readonly huge?: readonly number[] } = {},
): HintedProcess {
  const { mm, vma } = makeProcess(w, START, (ranges + 1) * N);
  // One page behind the ranges makes the VMA one that khugepaged looks at.
  fill(w, vma, START + ranges * N, 1);
  for (const range of full) fill(w, vma, START + range * N, N);
  for (const range of huge) placeFolio(w.m, vma, asBrand<Vpn>(START + range * N), 9, PTE_YOUNG, { pmdMapped: true });
  w.run(() => khugepagedEnter(w.k, mm));
  return { mm, vma, start: START };
}

/** 0 up to, but without, `count`. */
export function first(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
