/** Expectations and the run's goal. */
import { type Context, findProcess, findVma } from './context.js';
import type { DraftExpect, DraftRun } from './draft.js';
import { normaliseMonitoringExpectation, normaliseSchemeExpectations } from './normalise-damon-expect.js';
import { normaliseHintsExpectation } from './normalise-hints.js';
import { wholeBlocks } from './normalise-target.js';
import { parseOutcome } from './outcomes.js';
import { formatKey, type KeyPath } from './problems.js';
import type {
  CounterExpectation,
  CoverageExpectation,
  Expectations,
  MemoryExpectation,
  Outcome,
  OutcomeExpectation,
  Run,
  RunGoal,
  RunSpec,
  ScenarioEvent,
} from './scenario.js';
import { formatSize, type Interval, parseSize } from './units.js';

type Entry<K extends keyof DraftExpect> = NonNullable<DraftExpect[K]> extends (infer E)[] ? E : never;

export function normaliseExpect(context: Context, draft: DraftExpect, path: KeyPath): Expectations {
  const each = <D, T>(key: string, list: readonly D[] | undefined, make: (one: D, at: KeyPath) => T): T[] =>
    (list ?? []).map((one, index) => make(one, [...path, key, index]));
  const time = draft.time;
  return {
    counters: normaliseCounters(context, draft.counters ?? {}, [...path, 'counters']),
    coverage: each('coverage', draft.coverage, (one, at) => coverage(context, one, at)),
    memory: each('memory', draft.memory, (one, at) => memory(context, one, at)),
    outcomes: each('outcomes', draft.outcomes, (one, at) => outcome(context, one, at)),
    stalls: each('stalls', draft.stalls, (one, at) => {
      checkNames(context, one, at);
      const { process = null, worst = null, p99 = null, median = null } = one;
      return { key: formatKey(at), process, worst, p99, median };
    }),
    schemes: normaliseSchemeExpectations(context, draft.schemes ?? {}, [...path, 'schemes']),
    monitoring: each('monitoring', draft.monitoring, (one, at) => {
      checkNames(context, one, at);
      return normaliseMonitoringExpectation(context, one, at);
    }),
    tlb: each('tlb', draft.tlb, (one, at) => {
      checkNames(context, one, at);
      const { process = null, hitRate = null, walks = null, lost = null } = one;
      return { key: formatKey(at), process, hitRate, walks, lost };
    }),
    hints: draft.hints === undefined ? null : normaliseHintsExpectation(draft.hints, [...path, 'hints']),
    time:
      time === undefined
        ? null
        : {
            key: formatKey([...path, 'time']),
            end: time.end ?? null,
            khugepagedCpu: time.khugepagedCpu ?? null,
            khugepagedShare: time.khugepagedShare ?? null,
          },
  };
}

/** Counters under their full names; reports unknown ones. */
export function normaliseCounters(
  context: Context,
  draft: Readonly<Record<string, Interval | string>>,
  path: KeyPath,
): CounterExpectation[] {
  return Object.entries(draft).flatMap(([name, value]) => {
    const at = [...path, name];
    const found = context.sysfs.counter(name);
    if ('message' in found) {
      context.report(at, found.message, found.hint, 'key');
      return [];
    }
    if (typeof value === 'string' && found.source === 'vmstat') {
      context.report(at, `${name} is a number`, 'expected a number, a text such as ">= 10", or {min: 1, max: 5}');
    }
    return [{ key: formatKey(at), ...found, value }];
  });
}

/** Reports unknown names of a process and its VMA. */
function checkNames(
  context: Context,
  one: { process?: string | undefined; vma?: string | undefined },
  at: KeyPath,
): void {
  if (one.process === undefined) {
    if (one.vma !== undefined) context.report([...at, 'vma'], 'vma without process', 'say whose VMA', 'key');
    return;
  }
  const process = findProcess(context, one.process, [...at, 'process']);
  if (process !== null && one.vma !== undefined) findVma(context, process, one.vma, [...at, 'vma']);
}

function coverage(context: Context, draft: Entry<'coverage'>, at: KeyPath): CoverageExpectation {
  checkNames(context, draft, at);
  const { pageSize, blockSize } = context.machine;
  const sizes = Object.entries(draft.sizes ?? {}).map(([text, share]) => {
    const size = parseSize(text) ?? 0;
    if (size < pageSize || size > blockSize || !Number.isInteger(Math.log2(size / pageSize))) {
      const hint = `expected a folio size from ${formatSize(pageSize)} to ${formatSize(blockSize)}`;
      context.report([...at, 'sizes', text], `${JSON.stringify(text)} is no folio size of this machine`, hint, 'key');
    }
    return { size, share };
  });
  const { process = null, vma = null, of = 'size', huge = null } = draft;
  return { key: formatKey(at), process, vma, of, huge, sizes };
}

function memory(context: Context, draft: Entry<'memory'>, at: KeyPath): MemoryExpectation {
  checkNames(context, draft, at);
  const { process = null, vma = null, rss = null, anonHuge = null, swap = null, free = null } = draft;
  if (free !== null && process !== null) {
    context.report([...at, 'free'], 'free memory belongs to the machine', 'put it in an entry without process', 'key');
  }
  return { key: formatKey(at), process, vma, rss, anonHuge, swap, free };
}

function outcome(context: Context, draft: Entry<'outcomes'>, at: KeyPath): OutcomeExpectation {
  const outcomes = draft.outcome.flatMap((text): Outcome[] => {
    const parsed = parseOutcome(text);
    if (!('hint' in parsed)) return [parsed];
    context.report([...at, 'outcome'], `${JSON.stringify(text)} is no outcome`, parsed.hint);
    return [];
  });
  const place = outcomePlace(context, draft, at);
  return { key: formatKey(at), process: draft.process, ...place, outcomes };
}

function outcomePlace(
  context: Context,
  draft: Entry<'outcomes'>,
  at: KeyPath,
): { vma: string | null; blocks: readonly Run[] } {
  const nowhere = { vma: null, blocks: [] };
  const process = findProcess(context, draft.process, [...at, 'process']);
  if (process === null) return nowhere;
  if (draft.address !== undefined) {
    if (draft.vma !== undefined) context.report([...at, 'vma'], 'vma beside address', 'keep one of them', 'key');
    return { vma: null, blocks: [{ first: Math.floor(draft.address / context.machine.blockSize), count: 1 }] };
  }
  const [only] = process.family.vmas.size === 1 ? process.family.vmas.keys() : [];
  const name = draft.vma ?? only;
  if (name === undefined) {
    context.report(at, 'this does not say where', 'expected vma, or address', 'key');
    return nowhere;
  }
  const vma = findVma(context, process, name, [...at, 'vma']);
  if (vma === null) return nowhere;
  const { count } = wholeBlocks(context, vma);
  const blocks = draft.blocks ?? [{ first: 0, count }];
  const beyond = blocks.find((run) => run.first + run.count > count);
  if (beyond !== undefined || count === 0) {
    const hint = count === 0 ? 'the VMA has no whole block' : `the blocks of the VMA are 0 to ${count - 1}`;
    context.report([...at, draft.blocks === undefined ? 'vma' : 'blocks'], 'there is no such block', hint);
  }
  return { vma: name, blocks };
}

const DEFAULT_AT_MOST = 600e9;

/** How long to run, with defaults: two full scans and all events, for ten minutes at most. */
export function normaliseRun(context: Context, draft: DraftRun, events: readonly ScenarioEvent[]): RunSpec {
  const khugepaged = draft.khugepaged ?? true;
  const endless = events.find(isEndless);
  const trace = draft.trace?.events ?? 'all';
  const spec = {
    khugepaged,
    sample: draft.sample ?? null,
    trace: { events: trace === 'none' ? [] : trace, capacity: draft.trace?.capacity ?? 65_536 },
  };
  if (draft.for !== undefined) return { until: null, atMost: draft.for, ...spec };
  const atMost = draft.atMost ?? DEFAULT_AT_MOST;
  const goal = draft.until;
  if (goal === undefined) {
    const noGoal = { pagesCollapsed: null, covered: null, counters: [] };
    const until = { fullScans: khugepaged ? 2 : null, eventsDone: endless === undefined, ...noGoal };
    return { until: until.fullScans === null && !until.eventsDone ? null : until, atMost, ...spec };
  }
  if (goal.eventsDone === true && endless !== undefined) {
    context.report(
      ['run', 'until', 'eventsDone'],
      `${endless.key} never ends`,
      'give it times or for, or run with for',
    );
  }
  const needed = khugepaged
    ? undefined
    : (['fullScans', 'pagesCollapsed'] as const).find((key) => goal[key] !== undefined);
  if (needed !== undefined) {
    context.report(['run', 'until', needed], `${needed} without khugepaged`, 'set run.khugepaged: true', 'key');
  }
  return { until: normaliseGoal(context, goal), atMost, ...spec };
}

function normaliseGoal(context: Context, goal: NonNullable<DraftRun['until']>): RunGoal {
  const { covered } = goal;
  if (covered !== undefined) checkNames(context, covered, ['run', 'until', 'covered']);
  return {
    fullScans: goal.fullScans ?? null,
    pagesCollapsed: goal.pagesCollapsed ?? null,
    covered:
      covered === undefined
        ? null
        : { process: covered.process ?? null, vma: covered.vma ?? null, fraction: covered.share },
    eventsDone: goal.eventsDone ?? false,
    counters: normaliseCounters(context, goal.counters ?? {}, ['run', 'until', 'counters']),
  };
}

function isEndless(event: ScenarioEvent): boolean {
  if (event.repeat !== null && event.repeat.times === null) return true;
  return event.action.kind === 'access' && event.action.duration === null;
}
