/**
 * The threads executor, main side: one worker for each task, messages for start and end, a look at the threads' rows every
 * few ms. It never blocks. When a task fails or its thread dies, all others are told to stop through a word that every
 * wait looks at; who does not, is terminated.
 */
import { OperationError } from '../errors.js';
import type { Current, Executor, RunEnd, RunLimits, RunOutcome, Task, TaskFailure, TaskOptions } from '../executor.js';
import type { HeldLock } from '../held-locks.js';
import type { SyncDomain } from '../locks.js';
import type { Procedure } from '../operations.js';
import { StoppedError, WorkerDiedError } from './errors.js';
import { type EndMessage, type NamedProcedure, receiveError, type StartMessage } from './messages.js';
import { RUN, THREAD, THREAD_STATE, THREAD_STRIDE, type ThreadsView } from './tables.js';
import { stopRun, ThreadState } from './thread-state.js';

/** A worker thread, as `Worker` of node:worker_threads has it. */
export interface WorkerPort {
  on(event: string, listener: (value: never) => void): unknown;
  off(event: string, listener: (value: never) => void): unknown;
  postMessage(message: unknown): void;
  terminate(): Promise<unknown>;
}

/** What the executor is made with. */
export interface ThreadsOptions {
  readonly tables: ThreadsView;
  /** Gives the worker of a thread number; it runs `serveThread`. A finished worker may be given again. */
  readonly worker: (thread: number) => WorkerPort;
  /** Number of the first task's thread; those below are somebody else's. Default 0. */
  readonly firstThread?: number;
  /** As in ThreadTaskOptions. */
  readonly timeScale?: number;
  /** As in ThreadTaskOptions. */
  readonly lockLimitMs?: number;
}

const TICK_MS = 10;
/** Ticks for tasks to stop by themselves before their workers are terminated. */
const TICKS_TO_STOP = 200;

interface ThreadsTask extends Task {
  state: 'runnable' | 'blocked' | 'done' | 'failed';
  result: unknown;
  error: unknown;
  cpuNs: number;
  readonly thread: number;
  readonly what: NamedProcedure;
  readonly cpu: number;
  steps: number;
  started: boolean;
  port: WorkerPort | undefined;
  unlisten: () => void;
}

export class ThreadsExecutor implements Executor {
  readonly domain: SyncDomain;
  readonly current: Readonly<Current> = { nowNs: 0, cpu: 0, task: 0 };
  private readonly options: ThreadsOptions;
  private readonly view: ThreadState;
  private readonly list: ThreadsTask[] = [];
  private failure: TaskFailure | undefined = undefined;
  /** Why the thread of the failed task ended, if that is the failure. */
  private deathOf: string | undefined = undefined;
  private stopAsked = false;

  constructor(domain: SyncDomain, options: ThreadsOptions) {
    this.domain = domain;
    this.options = options;
    this.view = new ThreadState(domain, options.tables, 0);
  }

  get tasks(): readonly Task[] {
    return this.list;
  }

  /** A generator cannot be sent to another thread: OperationError, always. See `spawnNamed`. */
  spawn(name: string, _procedure: () => Procedure<unknown>, _options?: TaskOptions): Task {
    throw new OperationError(`task '${name}': a procedure cannot be sent to a thread; name it with spawnNamed`);
  }

  /** Adds a task that runs on a worker of its own. */
  spawnNamed(name: string, what: NamedProcedure, options: TaskOptions = {}): Task {
    const thread = this.list.length + (this.options.firstThread ?? 0);
    if (thread >= this.view.threads) {
      throw new OperationError(`task '${name}' is the ${thread + 1}th of ${this.view.threads}: raise 'threads'`);
    }
    const task: ThreadsTask = {
      id: thread + 1,
      name,
      state: 'runnable',
      result: undefined,
      error: undefined,
      cpuNs: 0,
      lockWaitNs: 0,
      runWaitNs: 0,
      thread,
      what,
      cpu: options.cpu ?? thread,
      steps: 0,
      started: false,
      port: undefined,
      unlisten: () => {},
    };
    this.list.push(task);
    return task;
  }

  /** Stops the present run: it ends with 'stopped'. */
  stop(): void {
    this.stopAsked = true;
    stopRun(this.options.tables);
  }

  /**
   * Runs all tasks to their ends. `shouldStop` is asked every few ms; the other limits have no meaning on threads. The
   * outcome of a run with a failure names it; WorkerDiedError and LockTimeoutError say what was held.
   */
  async run(limits: RunLimits = {}): Promise<RunOutcome> {
    if (limits.untilNs !== undefined || limits.maxSteps !== undefined) {
      throw new OperationError('threads have no common time and no common steps: only shouldStop limits a run');
    }
    const tables = this.options.tables;
    Atomics.store(tables.threadRun.word, RUN.stop, 0);
    this.failure = undefined;
    this.deathOf = undefined;
    this.stopAsked = false;
    for (const task of this.list) if (!task.started) this.start(task);
    let end: RunEnd = 'idle';
    let quiet = -1;
    let ticksStopping = 0;
    while (this.list.some(({ state }) => state === 'runnable')) {
      await this.tick();
      if (!this.stopAsked && limits.shouldStop?.() === true) this.stop();
      if (this.view.stopped) {
        if (++ticksStopping === TICKS_TO_STOP) await this.terminateRest();
      } else quiet = this.noticeQuiet(quiet);
    }
    this.reportDeath();
    if (this.failure !== undefined) end = 'failed';
    else if (this.stopAsked) end = 'stopped';
    for (const task of this.list) task.unlisten();
    const steps = this.list.reduce((sum, task) => sum + task.steps, 0);
    const nowNs = this.list.reduce((most, task) => Math.max(most, task.cpuNs), 0);
    return this.failure === undefined ? { end, nowNs, steps } : { end, nowNs, steps, failure: this.failure };
  }

  private start(task: ThreadsTask): void {
    const port = this.options.worker(task.thread);
    task.started = true;
    task.port = port;
    // Its row may still tell of an earlier task.
    this.view.words.fill(0, task.thread * THREAD_STRIDE, (task.thread + 1) * THREAD_STRIDE);
    const onMessage = (message: unknown): void => this.ended(task, message as EndMessage);
    const onError = (error: unknown): void => this.died(task, error instanceof Error ? error.message : String(error));
    const onExit = (code: unknown): void => this.died(task, `exit code ${String(code)}`);
    port.on('message', onMessage as (value: never) => void);
    port.on('error', onError as (value: never) => void);
    port.on('exit', onExit as (value: never) => void);
    task.unlisten = () => {
      port.off('message', onMessage as (value: never) => void);
      port.off('error', onError as (value: never) => void);
      port.off('exit', onExit as (value: never) => void);
    };
    const message: StartMessage = {
      kind: 'start',
      what: task.what,
      thread: task.thread,
      task: task.id,
      name: task.name,
      cpu: task.cpu,
      timeScale: this.options.timeScale ?? 1,
      lockLimitMs: this.options.lockLimitMs ?? 10_000,
    };
    port.postMessage(message);
  }

  private ended(task: ThreadsTask, message: EndMessage): void {
    if (message.task !== task.id || task.state !== 'runnable') return;
    if (message.kind === 'done') {
      task.state = 'done';
      task.result = message.result;
      task.cpuNs = message.cpuNs;
      task.steps = message.steps;
      return;
    }
    this.failed(task, receiveError(message.error));
  }

  private died(task: ThreadsTask, why: string): void {
    if (task.state !== 'runnable') return;
    if (this.failure === undefined) this.deathOf = why;
    this.failed(task, new WorkerDiedError(task.id, task.name, this.heldBy(task), why));
  }

  /** Says anew what a dead thread holds once all have stopped: until then others may have handed it what it waited for. */
  private reportDeath(): void {
    if (this.failure === undefined || this.deathOf === undefined) return;
    const task = this.failure.task as ThreadsTask;
    const held = this.heldBy(task);
    task.error = new WorkerDiedError(task.id, task.name, held, this.deathOf);
    this.failure = { task, error: task.error, held };
  }

  private failed(task: ThreadsTask, error: Error): void {
    if (error instanceof StoppedError) {
      task.state = 'blocked';
      return;
    }
    task.state = 'failed';
    task.error = error;
    this.failure ??= { task, error, held: this.heldBy(task) };
    stopRun(this.options.tables);
  }

  private heldBy(task: ThreadsTask): HeldLock[] {
    return this.view.heldBy(task.thread);
  }

  private async terminateRest(): Promise<void> {
    for (const task of this.list) {
      if (task.state !== 'runnable') continue;
      await task.port?.terminate();
      this.failed(task, new StoppedError(`task '${task.name}' did not stop and was terminated`));
    }
  }

  /** Ends a run in which everyone waits to be woken; asked twice, with no wake-up in between. */
  private noticeQuiet(before: number): number {
    const rest = this.list.filter(({ state }) => state === 'runnable');
    if (!rest.every(({ thread }) => this.waitsToBeWoken(thread))) return -1;
    const wakes = Atomics.load(this.view.run, RUN.wakes);
    if (wakes === before) stopRun(this.options.tables);
    return wakes;
  }

  /** Not so a thread that was woken and has not got a processor since: its row says that it waits, its queue does not. */
  private waitsToBeWoken(thread: number): boolean {
    const { words, queues } = this.view;
    const base = thread * THREAD_STRIDE;
    if (Atomics.load(words, base + THREAD.state) !== THREAD_STATE.waitsForWake) return false;
    return (
      Atomics.load(queues, Atomics.load(words, base + THREAD.queueAt)) === Atomics.load(words, base + THREAD.queueStamp)
    );
  }

  private async tick(): Promise<void> {
    // Nobody writes this word: the wait lasts its time. It is a timer that needs nothing of Node or a browser.
    const { value } = Atomics.waitAsync(this.view.run, RUN.tick, 0, TICK_MS);
    await value;
  }
}
