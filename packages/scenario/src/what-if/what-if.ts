/**
 * What khugepaged would do with a captured process under several settings: each variant loads the snapshot into a machine
 * of its own and lets khugepaged run until nothing changes any more.
 */
import type { Snapshot } from '@thplab/capture';
import type { CostTable } from '@thplab/mm-model';
import { SCAN } from '@thplab/mthp-collapse';
import { exportShell, type KernelProfile, SYSFS_ROOT, sysfsTree } from '@thplab/sysfs-schema';
import { NOT_SCANNED, type SysfsWrite } from '../format/index.js';
import { khugepagedResult } from '../report/machine-result.js';
import { processResult } from '../report/process-result.js';
import { assembleMachine, startKhugepaged } from '../run/assemble.js';
import type { Process } from '../run/process-table.js';
import type { World } from '../run/world.js';
import type { LoadOptions } from './load-snapshot.js';
import { CAPTURED, profileOfRelease, snapshotScenario } from './snapshot-machine.js';
import type { WhatIfResult, WhatIfVariant, WhatIfVariantResult } from './what-if-result.js';

/** How to look. */
export interface WhatIfOptions extends LoadOptions {
  /** What work costs, in ns, where it is not the default (thplab/costs@1). */
  readonly costs?: Partial<CostTable>;
  /** Kernel of the variants that name none; default: the nearest to the one that ran. */
  readonly kernel?: KernelProfile;
  /** Asked now and then; true ends it, and the result has the variants that are done. */
  readonly shouldStop?: () => boolean;
}

/** Full scans without a collapse after which nothing more is to be expected. */
const IDLE_SCANS = 2;

/** How far a what-if is. */
export interface WhatIfProgress {
  /** Variant under way, from 0. */
  readonly variant: number;
  readonly variants: number;
  readonly virtualNs: number;
}

/** Steps of the executor between two turns of whoever drives it. */
const PIECE_STEPS = 1 << 14;

/** Runs the variants. Errors: ScenarioError for settings that the kernel refuses. */
export function whatIf(
  snapshot: Snapshot,
  variants: readonly WhatIfVariant[],
  options: WhatIfOptions = {},
): WhatIfResult {
  const pieces = whatIfInPieces(snapshot, variants, options);
  for (;;) {
    const piece = pieces.next();
    if (piece.done === true) return piece.value;
  }
}

/** The same in pieces of some milliseconds, with how far it is after each. */
export function* whatIfInPieces(
  snapshot: Snapshot,
  variants: readonly WhatIfVariant[],
  options: WhatIfOptions = {},
): Generator<WhatIfProgress, WhatIfResult, void> {
  const results: WhatIfVariantResult[] = [];
  for (const [variant, what] of variants.entries()) {
    yield { variant, variants: variants.length, virtualNs: 0 };
    if (options.shouldStop?.() === true) break;
    const pieces = whatIfVariantInPieces(snapshot, what, options);
    let piece = pieces.next();
    for (; piece.done !== true; piece = pieces.next()) {
      yield { variant, variants: variants.length, virtualNs: piece.value };
    }
    results.push(piece.value);
  }
  return whatIfResult(snapshot, variants.length, results, options);
}

/** Puts the results of variants together, `count` of which were to be tried. */
export function whatIfResult(
  snapshot: Snapshot,
  count: number,
  results: readonly WhatIfVariantResult[],
  options: LoadOptions,
): WhatIfResult {
  const { name, pid } = snapshot.process;
  return {
    format: 'thplab/what-if@1',
    process: { name, pid },
    capturedAt: snapshot.capturedAt,
    release: snapshot.kernel.release,
    variants: results,
    partial: results.length < count || results.some((result) => !result.settled),
    assumptions: assumptionsOf(snapshot, options),
  };
}

/** Runs one variant; yields the virtual time after each piece. */
export function* whatIfVariantInPieces(
  snapshot: Snapshot,
  variant: WhatIfVariant,
  options: WhatIfOptions,
): Generator<number, WhatIfVariantResult, void> {
  const kernel = variant.kernel ?? options.kernel ?? profileOfRelease(snapshot.kernel.release);
  const scenario = snapshotScenario(snapshot, kernel, options.seed);
  const sysfs = variant.sysfs.map(({ path, value }): SysfsWrite => ({ path: absolute(path), value }));
  const snapshots = new Map([[CAPTURED, snapshot]]);
  const world = assembleMachine(scenario, {
    sysfs,
    snapshots,
    load: options,
    trace: false,
    ...(options.costs === undefined ? {} : { costs: options.costs }),
  });
  const process = world.processes.all[0];
  const before = processResult(world, process);
  const hugeAtStart = (before.anonHuge + before.fileHuge) / scenario.machine.pageSize;
  startKhugepaged(world);
  const settled = yield* settle(world, options);
  return {
    label: variant.label,
    kernel,
    shell: exportShell(
      sysfsTree(kernel, world.m.geometry),
      sysfs.map(({ path, value }) => [path, value] as const),
    ),
    before: memoryOf(before),
    after: memoryOf(processResult(world, process)),
    ...effortOf(world, hugeAtStart),
    settled,
    outcomes: outcomesOf(world, process),
  };
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `${SYSFS_ROOT}/${path}`;
}

/** Runs until nothing changes any more; false if it was stopped before that. */
function* settle(world: World, options: WhatIfOptions): Generator<number, boolean, void> {
  const { executor, k, log } = world;
  let pages = 0;
  let scans = 0;
  let over = false;
  world.notice.listener = () => {
    if (log.collapsedPages !== pages) {
      pages = log.collapsedPages;
      scans = k.t.khugepaged.fullScans[0];
    }
    if (k.t.khugepaged.fullScans[0] - scans < IDLE_SCANS) return;
    over = true;
    executor.interrupt();
  };
  const shouldStop = (): boolean => over || options.shouldStop?.() === true;
  for (;;) {
    const { end } = executor.run({ untilNs: world.scenario.run.atMost, maxSteps: PIECE_STEPS, shouldStop });
    if (over || end === 'idle') return true;
    if (end !== 'steps') return false;
    yield executor.current.nowNs;
  }
}

function memoryOf(result: ReturnType<typeof processResult>): WhatIfVariantResult['before'] {
  const { rss, anonHuge, swap, coverage } = result;
  return { rss, anonHuge, swap, folios: coverage.folios, bySize: coverage.bySize };
}

function effortOf(
  world: World,
  hugeAtStart: number,
): Pick<
  WhatIfVariantResult,
  | 'collapses'
  | 'pagesCopied'
  | 'cpuNs'
  | 'lastCollapseNs'
  | 'timeToCover'
  | 'worstStallNs'
  | 'allocationFailures'
  | 'scanNs'
> {
  const { log, threads, executor } = world;
  const result = khugepagedResult(world, executor.current.nowNs, hugeAtStart);
  const failures = [...log.attempts.values()].map((results) => results.get(SCAN.ALLOC_HUGE_PAGE_FAIL) ?? 0);
  const process = world.processes.all[0];
  return {
    collapses: result.attempts,
    pagesCopied: result.pagesCopied,
    cpuNs: threads.cpuNs,
    lastCollapseNs: log.progress.at(-1)?.atNs ?? null,
    timeToCover: partTimes(world),
    worstStallNs: world.locks.of(process.mm).maxWriteHoldNs,
    allocationFailures: failures.reduce((sum, count) => sum + count, 0),
    scanNs: executor.current.nowNs,
  };
}

/** When half, 90 % and 99 % of what was collapsed in the end was done. */
function partTimes(world: World): WhatIfVariantResult['timeToCover'] {
  const { progress, collapsedPages } = world.log;
  const at = (part: number): number | null =>
    progress.find((point) => point.pages >= collapsedPages * part)?.atNs ?? null;
  return { half: at(0.5), most: at(0.9), nearlyAll: at(0.99) };
}

/** Whole PMD ranges of anonymous VMAs by outcome; those that nobody looked at are passed over. */
function outcomesOf(world: World, process: Process): Record<string, number> {
  const counts = new Map<string, number>();
  for (const vma of processResult(world, process).vmas) {
    for (const [outcome, count] of Object.entries(vma.outcomes)) {
      if (outcome === NOT_SCANNED) continue;
      counts.set(outcome, (counts.get(outcome) ?? 0) + count);
    }
  }
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

function assumptionsOf(snapshot: Snapshot, options: LoadOptions): string[] {
  const young = options.young ?? 'referenced';
  const notes = [
    young === 'referenced'
      ? 'entries are young as often as smaps counts pages as Referenced, in places chosen at random'
      : `${young === 'all' ? 'all' : 'no'} entries are young`,
    'entries of private memory are dirty, and writable where the mapping is',
    'nobody holds references that the mappings do not explain (pins)',
    'the process does nothing while khugepaged works',
  ];
  if (options.adviseAll === true) notes.push('all anonymous memory is advised with MADV_HUGEPAGE');
  if (snapshot.kernel.freeBlocks.length === 0) notes.push('free memory is not fragmented');
  return [...notes, ...snapshot.missing.map((what) => `the capture lacks: ${what}`)];
}
