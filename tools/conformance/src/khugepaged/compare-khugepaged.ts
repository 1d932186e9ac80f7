/** khugepaged itself on both sides: its limits, the order of processes, its wake-ups. Takes minutes: it sleeps ten seconds. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Case, RANGE, stepText } from '../case.js';
import type { CaseReport } from '../compare-case.js';
import type { ModelOptions } from '../model/model-machine.js';
import { type Difference, resultText } from '../outcome.js';
import { itemsOf, runs } from '../page-letters.js';
import { RealChild } from '../real/real-child.js';
import { LIMIT_CASES, ORDER_STEPS, rangeOfCase, stepsOfAll } from './limit-cases.js';
import type { WatchOutcome, WatchRequest } from './watch.js';
import { watchModel } from './watch-model.js';

/** How far apart a wake-up may be on the two sides, s: the kernel's thread waits for a processor, and is looked at every 20 ms. */
const WAKE_TOLERANCE = 0.35;
/** Times that a batch is repeated when it differs: other processes may be registered with khugepaged, too. */
const ATTEMPTS = 2;

/** Ranges of one wake-up: a range costs its 512 entries, the process and VMAs that are no good one each. */
function wakesFor(ranges: number): number {
  return Math.ceil((ranges + 1) / 8) + 1;
}

/** Cases that could not be looked at, and why. */
export interface SkippedCases {
  readonly cases: number;
  readonly why: string;
}

/** What khugepaged counts; faults of others count elsewhere. */
const COUNTED: readonly string[] = [
  'thp_collapse_alloc',
  'thp_scan_exceed_none_pte',
  'thp_scan_exceed_swap_pte',
  'thp_scan_exceed_share_pte',
  'pages_collapsed',
  'full_scans',
];

/** The limits: one report a case, and one for the counters of all. */
export async function compareLimits(options: ModelOptions): Promise<CaseReport[] | SkippedCases> {
  const ranges = LIMIT_CASES.map((_, i) => rangeOfCase(i));
  const request = { steps: stepsOfAll(LIMIT_CASES), ranges, wakes: wakesFor(ranges.length) };
  return repeated(async () => {
    const sides = await bothSides(request, options);
    if (typeof sides === 'string') return { cases: LIMIT_CASES.length + 1, why: sides };
    const { kernel, model } = sides;
    const reports = LIMIT_CASES.map(({ name, before, after = [] }, i) =>
      report({ name: `khugepaged/${name}`, steps: [...before, ...after] }, rangeDifferences(kernel, model, i)),
    );
    const steps = differencesOf(kernel.results.map(resultText), model.results.map(resultText), (i) => {
      return `result of step ${i + 1} (${stepText(request.steps[i])})`;
    });
    const counters = counterDifferences(kernel.wakes.at(-1)?.counters ?? {}, model.wakes.at(-1)?.counters ?? {});
    return [...reports, report({ name: 'khugepaged/counters of all limits', steps: [] }, [...steps, ...counters])];
  });
}

/** Three processes with six ranges each: how many of each are huge after each wake-up, and when those come. */
export async function compareOrder(options: ModelOptions): Promise<CaseReport[] | SkippedCases> {
  const ranges = Array.from({ length: 6 }, (_, i) => i * RANGE);
  const request = { steps: ORDER_STEPS, ranges, wakes: 4 };
  return repeated(async () => {
    const sides = await bothSides(request, options);
    if (typeof sides === 'string') return { cases: 2, why: sides };
    const { kernel, model } = sides;
    const huge = (outcome: WatchOutcome): string[] =>
      outcome.wakes.map(({ processes }) =>
        processes.map((view) => view.huge.map((at) => at / RANGE).join(',') || 'none').join(' | '),
      );
    const order = differencesOf(huge(kernel), huge(model), (i) => `ranges that are huge after wake-up ${i + 1}`);
    const periods = kernel.wakes.flatMap(({ afterSeconds }, i) => {
      const expected = model.wakes[i].afterSeconds;
      if (Math.abs(afterSeconds - expected) <= WAKE_TOLERANCE) return [];
      return [{ what: `seconds to wake-up ${i + 1}`, kernel: afterSeconds.toFixed(2), model: expected.toFixed(2) }];
    });
    return [
      report({ name: 'khugepaged/order of three processes', steps: ORDER_STEPS }, order),
      report({ name: 'khugepaged/time between wake-ups', steps: [] }, periods),
    ];
  });
}

async function repeated(compare: () => Promise<CaseReport[] | SkippedCases>): Promise<CaseReport[] | SkippedCases> {
  let reports = await compare();
  for (let i = 1; i < ATTEMPTS && Array.isArray(reports) && reports.some(({ verdict }) => verdict !== 'agrees'); i++) {
    reports = await compare();
    if (Array.isArray(reports)) reports = reports.map((other) => ({ ...other, repeats: i }));
  }
  return reports;
}

async function bothSides(
  request: WatchRequest,
  options: ModelOptions,
): Promise<{ kernel: WatchOutcome; model: WatchOutcome } | string> {
  const child = new RealChild();
  try {
    const asked = child.watch(request);
    asked.catch(() => {});
    const model = watchModel(request, options, ticksPerSecond());
    const kernel = await asked;
    return 'busy' in kernel ? kernel.busy : { kernel, model };
  } finally {
    child.close();
  }
}

/** The kernel's HZ, by which it rounds sleeps; undefined where its configuration cannot be read. */
function ticksPerSecond(): number | undefined {
  try {
    const config = gunzipSync(readFileSync('/proc/config.gz')).toString('latin1');
    const hz = /^CONFIG_HZ=(\d+)$/m.exec(config);
    return hz === null ? undefined : Number(hz[1]);
  } catch {
    return undefined;
  }
}

function report(given: Case, differences: readonly Difference[]): CaseReport {
  const verdict = differences.length === 0 ? 'agrees' : 'differs';
  return { given, verdict, differences, deviations: [], repeats: 0 };
}

function rangeDifferences(kernel: WatchOutcome, model: WatchOutcome, index: number): Difference[] {
  const last = (outcome: WatchOutcome): string[] =>
    (outcome.wakes.at(-1)?.processes ?? []).map(({ pages }) =>
      runs(itemsOf(pages).slice(index * RANGE, (index + 1) * RANGE)),
    );
  return differencesOf(last(kernel), last(model), (i) => (i === 0 ? 'pages' : `pages of child ${i}`));
}

function counterDifferences(
  kernel: Readonly<Record<string, number>>,
  model: Readonly<Record<string, number>>,
): Difference[] {
  const values = (counters: Readonly<Record<string, number>>): string[] =>
    COUNTED.map((name) => String(counters[name] ?? 0));
  return differencesOf(values(kernel), values(model), (i) => COUNTED[i]);
}

function differencesOf(kernel: readonly string[], model: readonly string[], what: (i: number) => string): Difference[] {
  return Array.from({ length: Math.max(kernel.length, model.length) }, (_, i) => ({
    what: what(i),
    kernel: kernel[i] ?? 'nothing',
    model: model[i] ?? 'nothing',
  })).filter((pair) => pair.kernel !== pair.model);
}
