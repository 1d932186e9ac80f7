/**
 * Running a scenario: the executor runs from one due time to the next (events, rows of the time line, the end), and stops in
 * between where khugepaged goes to sleep or an event ends and the goal of the run is reached by then.
 */
import { type AheadPlan, type AheadSums, type Khugepaged, LookAheadError } from '@thplab/khugepaged-scheduler';
import type { LockHold, TraceReader } from '@thplab/trace';
import type { DamonRecord } from '../damo/record.js';
import { DamonRecorder } from '../damon/recorder.js';
import { judgeCounter } from '../expect/counter.js';
import { judge } from '../expect/judge.js';
import type { Judged } from '../expect/judged.js';
import type { Scenario } from '../format/index.js';
import { hugePages, timelineRow } from '../report/machine-result.js';
import { makeResult } from '../report/make-result.js';
import type { ExpectationResult, ResultEnd, ScenarioResult, TimelineRow } from '../report/result.js';
import type { AccessSampling } from '../workload/sample-accesses.js';
import { type AssembleOptions, assembleMachine, startKhugepaged } from './assemble.js';
import { checkInvariants } from './check-invariants.js';
import { EventBook } from './event-book.js';
import { EventRunner } from './event-runner.js';
import type { Execution } from './events/step.js';
import { goalReached } from './goal.js';
import { Timetable } from './timetable.js';
import type { RunEvents } from './trace-catalogue.js';
import type { World } from './world.js';

/** How to run. */
export interface RunOptions extends AssembleOptions {
  /** Asked now and then; true ends the run, whose result is then marked as partial. */
  readonly shouldStop?: () => boolean;
  /** Told how far the run is, now and then. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Record what DAMON sees, for damo (`ScenarioRun.damonRecords`). */
  readonly recordDamon?: boolean;
  /** Recompute everything that the machine keeps twice at the end; default: for machines up to 4 GiB. */
  readonly checkInvariants?: boolean;
  /** Samples of the workloads' accesses, as a processor's sampling unit takes them; they change nothing. */
  readonly samples?: AccessSampling;
}

/** How far a run is. */
export interface RunProgress {
  readonly virtualNs: number;
  /** When it ends at the latest. */
  readonly atMostNs: number;
  readonly pagesCollapsed: number;
  /** To be carried out by threads before the next piece: only with the option `threads`. */
  readonly ahead?: { readonly k: Khugepaged; readonly plan: AheadPlan };
}

/** A finished run. */
export interface ScenarioRun {
  /** Pure data. */
  readonly result: ScenarioResult;
  /** The machine as it was left, for closer looks. */
  readonly world: World;
  /** Events of the trace ring. */
  readonly trace: TraceReader<RunEvents>;
  /** What DAMON saw, if that was recorded. */
  readonly damonRecords: readonly DamonRecord[];
  /** Lock holds, if they were recorded. */
  readonly lockHolds: readonly LockHold[];
  /** What threads did ahead of khugepaged; undefined without the option `threads`. */
  readonly ahead: AheadSums | undefined;
}

const DEFAULT_CHECKED_BYTES = 4 * 2 ** 30;
/** Steps of the executor between two turns of whoever drives the run. */
const PIECE_STEPS = 1 << 14;

/** Runs a scenario. Errors: ScenarioError for what the file asks for and cannot have. */
export function runScenario(scenario: Scenario, options: RunOptions = {}): ScenarioRun {
  const pieces = runScenarioInPieces(scenario, options);
  for (;;) {
    const piece = pieces.next();
    if (piece.done === true) return piece.value;
  }
}

/**
 * The same in pieces of some milliseconds, with how far it is after each: who has an event loop to serve (signals, a
 * screen) gives it its turn in between. The result does not depend on it.
 */
export function* runScenarioInPieces(
  scenario: Scenario,
  options: RunOptions = {},
): Generator<RunProgress, ScenarioRun, void> {
  const world = assembleMachine(scenario, options);
  const recorder = options.recordDamon === true ? new DamonRecorder(world) : undefined;
  const run = new Run(world, options);
  const end = yield* run.run();
  if (!end.partial && world.k.ahead?.left === true)
    throw new LookAheadError('the run ended before work that was done ahead');
  const checked = options.checkInvariants ?? memoryOf(scenario) <= DEFAULT_CHECKED_BYTES;
  const result = makeResult(world, {
    end,
    hugeAtStart: run.hugeAtStart,
    timeline: run.timeline,
    events: run.book.results(),
    expectations: run.expectations,
    invariants: checked ? checkInvariants(world) : null,
    settings: settingsOf(scenario, options),
  });
  return {
    result,
    world,
    trace: world.tracer.reader(),
    damonRecords: recorder?.records ?? [],
    lockHolds: world.lockRecorder?.holds(end.atNs) ?? [],
    ahead: world.k.ahead?.sums,
  };
}

function settingsOf(scenario: Scenario, options: RunOptions): Record<string, string> {
  return Object.fromEntries([...scenario.sysfs, ...(options.sysfs ?? [])].map(({ path, value }) => [path, value]));
}

function memoryOf(scenario: Scenario): number {
  return scenario.machine.nodes.reduce((sum, node) => sum + node.size, 0);
}

/** One run on its way. */
class Run {
  readonly timeline: TimelineRow[] = [];
  readonly expectations: ExpectationResult[] = [];
  readonly book: EventBook;
  readonly hugeAtStart: number;
  readonly #world: World;
  readonly #options: RunOptions;
  readonly #timetable: Timetable;
  readonly #events: EventRunner;
  #reached = false;

  constructor(world: World, options: RunOptions) {
    this.#world = world;
    this.#options = options;
    this.hugeAtStart = hugePages(world);
    this.book = new EventBook(world.scenario.events);
    this.#timetable = new Timetable(world.scenario.events, world.scenario.run.atMost);
    this.#events = new EventRunner(world, {
      stepEnded: (execution, result) => this.#note(this.book.stepEnded(execution, result)),
      executionEnded: (execution, before) => this.#executionEnded(execution, before),
      check: (execution) => this.#check(execution),
    });
    world.notice.listener = () => this.#look();
    const zoom = options.zoom ?? [];
    world.log.zoomInto(
      zoom.flatMap(({ process, page }) => world.processes.named(process).map(({ mm }) => ({ mm, page }))),
    );
  }

  /** Runs to the end, and judges what is expected of it. */
  *run(): Generator<RunProgress, ResultEnd, void> {
    const world = this.#world;
    this.timeline.push(timelineRow(world, 0));
    // What the file does at time 0 belongs to what khugepaged finds when it wakes up first.
    const start = (): void => {
      startKhugepaged(world);
      world.pingPong.attach();
      world.kdamonds.schedule();
      world.hints.start();
      world.hardware?.start();
      if (this.#options.samples !== undefined) world.hardware?.sample(this.#options.samples);
    };
    if (this.#timetable.nextNs > 0) start();
    else this.#events.start(this.#timetable.take(), start);
    const end = yield* this.#advance();
    this.timeline.push(timelineRow(world, end.atNs));
    this.expectations.push(...judge(world, world.scenario.expect, end.atNs));
    if (!end.partial) this.expectations.push(...this.book.unjudged().map((row) => ({ ...row, atNs: end.atNs })));
    return end;
  }

  #check(execution: Execution): void {
    const { action } = execution.event;
    if (action.kind !== 'check') return;
    this.book.checked(execution);
    this.expectations.push(...judge(this.#world, action.expect, execution.atNs));
  }

  *#advance(): Generator<RunProgress, ResultEnd, void> {
    const { executor, scenario, k } = this.#world;
    const { until, atMost, sample } = scenario.run;
    let sampleNs = sample ?? Number.POSITIVE_INFINITY;
    for (;;) {
      const dueNs = Math.min(this.#timetable.nextNs, sampleNs, atMost);
      const { end } = executor.run({ untilNs: dueNs, maxSteps: PIECE_STEPS, shouldStop: this.#shouldStop });
      const atNs = executor.current.nowNs;
      if (k.ahead?.pending !== undefined) {
        yield { ...this.#progress(), ahead: { k, plan: k.ahead.pending } };
        // Where each pass has a plan, as without a sleep between them, this is the only place that comes to ask.
        if (this.#options.shouldStop?.() === true && !this.#reached) return { reason: 'stopped', atNs, partial: true };
        continue;
      }
      if (end === 'steps' && !this.#reached) {
        yield this.#progress();
        continue;
      }
      if (end === 'stopped' || end === 'steps')
        return { reason: this.#reached ? 'goal' : 'stopped', atNs, partial: !this.#reached };
      // Nothing is left to happen: what only has an end by time goes on to it, what waits for a goal waits in vain.
      const over = end === 'idle' && this.#timetable.isDone;
      if (over && until !== null) return { reason: 'idle', atNs, partial: false };
      if (dueNs >= atMost) return { reason: until === null ? 'time' : 'atMost', atNs: atMost, partial: false };
      if (dueNs === sampleNs) {
        this.timeline.push(timelineRow(this.#world, dueNs));
        sampleNs += sample ?? 0;
      }
      if (dueNs === this.#timetable.nextNs) this.#events.start(this.#timetable.take());
    }
  }

  #executionEnded(execution: Execution, before: ReadonlyMap<string, number> | null): void {
    this.book.executionEnded(execution);
    for (const counter of execution.event.expect?.counters ?? []) {
      this.#note(judgeCounter(this.#world, counter, before?.get(counter.name) ?? 0));
    }
    this.#look();
  }

  #note(judged: Judged | null): void {
    if (judged !== null) this.expectations.push({ ...judged, atNs: this.#world.executor.current.nowNs });
  }

  /** Something has come to a rest: if that was all that the run is for, it ends here. */
  #look(): void {
    const { until } = this.#world.scenario.run;
    if (until === null || this.#reached) return;
    const eventsDone = this.#timetable.isDone && this.#events.isDone;
    if (!goalReached(this.#world, until, eventsDone)) return;
    this.#reached = true;
    this.#world.executor.interrupt();
  }

  readonly #shouldStop = (): boolean => {
    if (this.#reached || this.#world.k.ahead?.pending !== undefined) return true;
    this.#options.onProgress?.(this.#progress());
    return this.#options.shouldStop?.() === true;
  };

  #progress(): RunProgress {
    const { executor, k, scenario } = this.#world;
    return {
      virtualNs: executor.current.nowNs,
      atMostNs: scenario.run.atMost,
      pagesCollapsed: k.t.khugepaged.pagesCollapsed[0],
    };
  }
}
