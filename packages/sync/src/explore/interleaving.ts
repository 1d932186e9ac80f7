/** A schedule in words: one row per step, with the state of the locks after it. */
import { modeName } from '../errors.js';
import { WRITE_HELD } from '../lock-rules.js';
import { LOCK_STATE, type SyncDomain } from '../locks.js';
import { lockOf, modeOf, OP, type Op, payloadOf, queueOf } from '../operations.js';
import type { ExploreCase, ExploreSettings } from './case.js';
import { Replay } from './replay.js';
import { ScheduleRunner } from './runner.js';
import type { Schedule } from './schedule-code.js';
import type { SearchLock } from './search-locks.js';
import { type SearchTask, STATE } from './search-task.js';
import { type Coverage, isPreemption, type ScheduleEnd, type ScheduleView, type Strategy } from './strategy.js';
import { MOVE, type ScheduleTrace } from './trace.js';

/** One step. */
export interface InterleavingRow {
  /** From 1. */
  readonly step: number;
  /** Number of the task, from 1, and its name. */
  readonly task: number;
  readonly name: string;
  /** What it did: `acquire mmap_lock[1] WRITE`. */
  readonly operation: string;
  /** All locks that are held or waited for afterwards: `mmap_lock[1] WRITE by fault; pmd_lock[3] awaited by scan`. */
  readonly locks: string;
  /** True if the step took the processor from a task that could have gone on. */
  readonly preempts: boolean;
}

/** Runs a schedule again and writes its rows. ScheduleDivergedError if it is not of this case. */
export function interleavingOf(
  subject: ExploreCase,
  settings: ExploreSettings,
  schedule: Schedule,
): readonly InterleavingRow[] {
  const runner = new ScheduleRunner(subject, settings);
  const recorder = new Recorder(subject, runner, new Replay(schedule));
  runner.run(recorder);
  return recorder.rows;
}

/** Follows another strategy and writes a row when a step is over, which is when the next one is asked for. */
class Recorder implements Strategy {
  readonly name = 'recorder';
  readonly coverage: Coverage = { kind: 'sampled', schedules: 1 };
  readonly rows: InterleavingRow[] = [];
  private readonly subject: ExploreCase;
  private readonly runner: ScheduleRunner;
  private readonly inner: Strategy;
  private preempts = false;

  constructor(subject: ExploreCase, runner: ScheduleRunner, inner: Strategy) {
    this.subject = subject;
    this.runner = runner;
    this.inner = inner;
  }

  newSchedule(): boolean {
    return this.inner.newSchedule();
  }

  pick(view: ScheduleView): number {
    this.write();
    const slot = this.inner.pick(view);
    this.preempts = isPreemption(view, slot);
    return slot;
  }

  finished(view: ScheduleView, end: ScheduleEnd): void {
    this.write();
    this.inner.finished(view, end);
  }

  private write(): void {
    const { trace, tasks } = this.runner;
    const at = trace.count - 1;
    if (at < 0 || this.rows.length === trace.count) return;
    const task = tasks[trace.task[at] as number] as SearchTask;
    const text = operationText(this.subject, trace, at);
    const rest = restText(this.subject.domain, task);
    this.rows.push({
      step: at + 1,
      task: task.id,
      name: task.name,
      operation: rest === '' ? text : `${text}, ${rest}`,
      locks: locksText(this.subject.domain, tasks),
      preempts: this.preempts,
    });
  }
}

/** What became of the task by the end of its step, if it does not go on as it likes. */
function restText(domain: SyncDomain, task: SearchTask): string {
  if (task.state === STATE.done) return 'ends';
  if (task.move !== MOVE.timeout) return '';
  const timeout = task.restNs === Number.POSITIVE_INFINITY ? '' : ` for ${task.restNs} ns`;
  return `waits on ${queueText(domain, task.queue)}${timeout}`;
}

function queueText(domain: SyncDomain, queue: number): string {
  return domain.queues[queue] ?? `queue ${queue}`;
}

function operationText(subject: ExploreCase, trace: ScheduleTrace, at: number): string {
  const { domain } = subject;
  const op = trace.op[at] as Op;
  const got = trace.result[at] === 1;
  const lock = (): string => domain.describe(lockOf(op));
  const locked = (): string => `${lock()} ${modeName(modeOf(op))}`;
  const queue = (number: number): string => queueText(domain, number);
  switch (trace.move[at]) {
    case MOVE.start:
      return 'start';
    case OP.acquire:
      return `acquire ${locked()}${got ? '' : ': queues'}`;
    case MOVE.granted:
      return `gets ${locked()}`;
    case OP.tryAcquire:
      return `try ${locked()}: ${got ? 'taken' : 'not taken'}`;
    case OP.release:
      return `release ${locked()}`;
    case OP.downgrade:
      return `downgrade ${lock()}`;
    case OP.sleep:
      return `sleep ${payloadOf(op)} ns`;
    case OP.spend:
      return `spend ${payloadOf(op)} ns`;
    case MOVE.woken:
      return `woken from ${queue(queueOf(op))}`;
    case MOVE.timeout:
      return `timeout on ${queue(queueOf(op))}`;
    case OP.wake:
      return `wake ${queue(payloadOf(op))}`;
    default: {
      const label = payloadOf(op);
      return `preemption point${label === 0 ? '' : ` ${subject.labelOf?.(label) ?? label}`}`;
    }
  }
}

function locksText(domain: SyncDomain, tasks: readonly SearchTask[]): string {
  const facts = new Map<string, string[]>();
  const add = (key: string, name: string): void => {
    facts.set(key, [...(facts.get(key) ?? []), name]);
  };
  for (const task of tasks) {
    for (const held of task.held.report((lock) => domain.describe(lock))) {
      add(`${held.name} ${modeName(held.mode)} by`, task.name);
    }
  }
  for (const task of tasks) {
    if (task.lock !== undefined && isStuck(task, task.lock)) {
      add(`${domain.describe(task.lock.ref)} awaited by`, task.name);
    }
  }
  return [...facts].map(([key, names]) => `${key} ${names.join(', ')}`).join('; ');
}

function isStuck(task: SearchTask, lock: SearchLock): boolean {
  if (task.state === STATE.queued) return true;
  return task.state === STATE.acquiring && lock.words[lock.base + LOCK_STATE] === WRITE_HELD;
}
