/**
 * One task on one thread: steps its procedure, performs what it yields, and says where to wait when it must. How a thread
 * waits is not known here: a worker blocks, a main thread awaits (run-on-thread.ts).
 *
 * Time is virtual and the task's own: `spend`, `sleep` and the timeouts of `wait` add to it. Sleeps and timeouts last
 * `timeScale` times as long in reality, counted in timed-out waits, so that no clock is needed.
 */
import { OperationError } from '../errors.js';
import type { Current, ExecutorObserver } from '../executor.js';
import { instanceOf, type LockClass, type SyncDomain } from '../locks.js';
import {
  type LockMode,
  type LockRef,
  lockOf,
  modeOf,
  OP,
  type Op,
  opcodeOf,
  type Procedure,
  payloadOf,
  queueOf,
  READ,
  timeoutOf,
  type WaitQueue,
  WRITE,
} from '../operations.js';
import { blockedChain } from './blocked-chain.js';
import { LockTimeoutError } from './errors.js';
import { SharedLocks } from './shared-locks.js';
import { SharedQueues } from './shared-queues.js';
import { THREAD, THREAD_STATE } from './tables.js';
import type { ThreadGate } from './thread-gate.js';
import { SLICE_MS, type ThreadState } from './thread-state.js';

/** Operations between two looks at the stop word. */
const STOP_EVERY = 256;
const NS_PER_MS = 1e6;
const LEAST_SLEEP_MS = 0.05;
/** Some tenths of a millisecond: about what it takes a blocked thread to come back. */
const QUEUE_SPINS = 100_000;

/** What a task is run with; all but the procedure and the state can be left out. */
export interface ThreadTaskOptions {
  /** Number written into the owner words of locks, from 1. */
  readonly task: number;
  readonly name: string;
  /** Kept up to date: time, processor, task. */
  readonly current?: Current;
  /** Number of the processor, default the thread's number. */
  readonly cpu?: number;
  /** Real time of a sleep as a multiple of its virtual time; 0: sleeps are over at once. Default 1. */
  readonly timeScale?: number;
  /** Longest wait for a lock, ms; default 10,000. */
  readonly lockLimitMs?: number;
  /** Spins before a wait for a lock; default 2000. */
  readonly spins?: number;
  /** Keeps steps whole; default: nothing does. */
  readonly gate?: ThreadGate;
  readonly observer?: ExecutorObserver;
}

/** What the task waits for. */
type Pending = 'nothing' | 'lock' | 'queue' | 'sleep';

export class ThreadTask<T> {
  /** Where to wait when `advance` gave false: on this word while it has that value, so long at most. */
  waitWords: Int32Array;
  waitAt = 0;
  waitValue = 0;
  waitMs = 0;
  result: T | undefined = undefined;
  /** Processor time used, virtual ns. */
  cpuNs = 0;
  steps = 0;
  /** Lock operations that had to wait. */
  contended = 0;

  private readonly s: ThreadState;
  private readonly domain: SyncDomain;
  private readonly locks: SharedLocks;
  private readonly queues: SharedQueues;
  private readonly procedure: Procedure<T>;
  private readonly o: ThreadTaskOptions;
  private readonly gate: ThreadGate | undefined;
  private readonly current: Current;
  private readonly timeScale: number;
  private readonly lockLimitMs: number;

  private pending: Pending = 'nothing';
  private lockClass: LockClass | undefined = undefined;
  private instance = 0;
  private mode: LockMode = WRITE;
  /** Real ms left of a sleep or timeout, or waited for a lock so far. */
  private leftMs = 0;
  private timeoutNs = 0;
  private input = 0;

  constructor(state: ThreadState, procedure: Procedure<T>, options: ThreadTaskOptions) {
    this.s = state;
    this.domain = state.domain;
    this.locks = new SharedLocks(state);
    this.queues = new SharedQueues(state);
    this.procedure = procedure;
    this.o = options;
    this.gate = options.gate;
    this.current = options.current ?? { nowNs: 0, cpu: 0, task: 0 };
    this.current.cpu = options.cpu ?? state.thread;
    this.current.task = options.task;
    this.timeScale = options.timeScale ?? 1;
    this.lockLimitMs = options.lockLimitMs ?? 10_000;
    this.waitWords = state.words;
    state.begin(options.task, options.name);
    this.queues.resume();
  }

  /**
   * Runs on until the procedure has ended (true) or must wait (false). `timedOut`: the wait before ended by its time.
   * Throws what the procedure throws, StoppedError, LockTimeoutError.
   */
  advance(timedOut = false): boolean {
    if (this.pending !== 'nothing') {
      if (!this.waited(timedOut)) return false;
      this.pending = 'nothing';
      this.s.setState(THREAD_STATE.runs);
      this.gate?.enter();
    } else this.gate?.enter();
    for (;;) {
      this.queues.resume();
      const made = this.procedure.next(this.input);
      if (made.done === true) {
        this.gate?.leave();
        this.s.end();
        this.result = made.value;
        return true;
      }
      this.steps++;
      if (this.steps % STOP_EVERY === 0) this.s.checkStop();
      if (!this.perform(made.value)) return false;
      this.gate?.tick(opcodeOf(made.value) === OP.preempt);
    }
  }

  /** The procedure threw, or the thread gives up: nobody may wait for the gate because of it. */
  abandon(): void {
    this.gate?.leave();
  }

  private perform(op: Op): boolean {
    const code = opcodeOf(op);
    switch (code) {
      case OP.spend: {
        const ns = payloadOf(op);
        this.cpuNs += ns;
        this.current.nowNs += ns;
        this.input = 0;
        return true;
      }
      case OP.acquire:
        return this.acquire(lockOf(op), modeOf(op));
      case OP.tryAcquire:
        this.input = this.take(lockOf(op), modeOf(op)) ? 1 : 0;
        return true;
      case OP.release:
        this.release(lockOf(op), modeOf(op));
        return true;
      case OP.downgrade:
        this.downgrade(lockOf(op));
        return true;
      case OP.sleep:
        return this.sleep(payloadOf(op));
      case OP.wait:
        return this.wait(queueOf(op), timeoutOf(op));
      case OP.wake:
        this.input = this.queues.wake(payloadOf(op) as WaitQueue);
        return true;
      case OP.preempt:
        this.s.words[this.s.base + THREAD.point] = payloadOf(op) | 0;
        this.input = 0;
        return true;
      case OP.now:
        this.input = this.current.nowNs;
        return true;
      default:
        throw new OperationError(`task ${this.o.task} '${this.o.name}' yielded ${String(op)}, which is no operation`);
    }
  }

  private classOf(lock: LockRef, mode: LockMode): LockClass {
    const found = this.domain.classOf(lock);
    if (found === undefined) throw new OperationError(`lock ${lock} is of no declared class`);
    if (found.kind === 'spin' && mode === READ) {
      throw new OperationError(`${this.domain.describe(lock)}: a spinlock is taken for WRITE only`);
    }
    return found;
  }

  private take(lock: LockRef, mode: LockMode): boolean {
    const lockClass = this.classOf(lock, mode);
    const instance = instanceOf(lock);
    this.s.busy(lockClass, instance, mode);
    const got = this.locks.tryTake(this.o.task, lockClass, instance, mode);
    if (got) this.taken(lockClass, instance, mode);
    this.s.idle();
    return got;
  }

  private taken(lockClass: LockClass, instance: number, mode: LockMode): void {
    this.s.hold(lockClass, instance, mode);
    const { observer, task } = this.o;
    observer?.lockTaken?.(lockClass.ref(instance), mode, task, this.current.cpu, this.current.nowNs, 0);
  }

  private acquire(lock: LockRef, mode: LockMode): boolean {
    this.input = 1;
    if (this.take(lock, mode)) return true;
    const lockClass = this.domain.classOf(lock);
    if (lockClass.kind === 'vma' && mode === READ) {
      throw new OperationError(`${this.domain.describe(lock)}: a reader of a vma lock only tries, it never waits`);
    }
    this.gate?.leave();
    this.contended++;
    this.lockClass = lockClass;
    this.instance = instanceOf(lock);
    this.mode = mode;
    this.s.busy(lockClass, this.instance, mode);
    this.s.setState(THREAD_STATE.waitsForLock);
    this.locks.queue(lockClass, this.instance, mode);
    for (let spin = this.o.spins ?? 2000; spin > 0; spin--) {
      if (!this.locks.granted) continue;
      this.granted();
      this.s.setState(THREAD_STATE.runs);
      this.gate?.enter();
      return true;
    }
    this.leftMs = 0;
    this.waitAtMost('lock', this.s.words, this.s.base + THREAD.wake, 0, SLICE_MS);
    return false;
  }

  private granted(): void {
    this.taken(this.lockClass as LockClass, this.instance, this.mode);
    this.s.idle();
  }

  private release(lock: LockRef, mode: LockMode): void {
    const { lockClass, instance, at } = this.heldPlace(lock, mode);
    this.locks.release(lockClass, instance, mode);
    this.s.unhold(at);
    const { observer, task } = this.o;
    observer?.lockGiven?.(lock, mode, task, this.current.cpu, this.current.nowNs, 0);
    this.input = 0;
  }

  private downgrade(lock: LockRef): void {
    const { lockClass, instance, at } = this.heldPlace(lock, WRITE);
    if (lockClass.kind === 'spin') throw new OperationError(`${this.domain.describe(lock)}: a spinlock has no readers`);
    this.s.setHeldMode(at, READ);
    this.locks.downgrade(lockClass, instance);
    this.input = 0;
  }

  private heldPlace(lock: LockRef, mode: LockMode): { lockClass: LockClass; instance: number; at: number } {
    const lockClass = this.classOf(lock, mode);
    const instance = instanceOf(lock);
    const at = this.s.findHeld(lockClass, instance, mode);
    if (at < 0) {
      const { name, task } = this.o;
      throw new OperationError(
        `task ${task} '${name}' gives back ${this.domain.describe(lock)}, which it does not hold in that mode`,
      );
    }
    return { lockClass, instance, at };
  }

  private sleep(ns: number): boolean {
    this.input = 0;
    this.current.nowNs += ns;
    this.leftMs = (ns * this.timeScale) / NS_PER_MS;
    // Whoever sleeps waits for others to get on: behind a gate they need a moment in which this task is out of it.
    if (this.gate !== undefined) this.leftMs = Math.max(this.leftMs, LEAST_SLEEP_MS);
    if (this.leftMs <= 0) return true;
    this.s.setState(THREAD_STATE.sleeps);
    this.s.words[this.s.base + THREAD.wake] = 0;
    this.waitAtMost('sleep', this.s.words, this.s.base + THREAD.wake, 0, this.leftMs);
    return false;
  }

  private wait(queue: WaitQueue, timeoutNs: number): boolean {
    this.input = 1;
    if (!this.queues.enter(queue)) return true;
    const ms = (timeoutNs * this.timeScale) / NS_PER_MS;
    this.leftMs = Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms;
    this.timeoutNs = timeoutNs;
    const { at, value } = this.queues.place;
    Atomics.store(this.s.words, this.s.base + THREAD.queueAt, at);
    Atomics.store(this.s.words, this.s.base + THREAD.queueStamp, value);
    const forEver = timeoutNs === Number.POSITIVE_INFINITY;
    this.s.setState(forEver ? THREAD_STATE.waitsForWake : THREAD_STATE.waitsOnQueue);
    this.gate?.leave();
    if (forEver && this.wokenSoon()) return true;
    this.waitAtMost('queue', this.s.queues, at, value, this.leftMs);
    return false;
  }

  /** Spins for a wake-up: whoever waits without a limit waits for what another thread does next. True if it came. */
  private wokenSoon(): boolean {
    for (let spin = QUEUE_SPINS; spin > 0; spin--) {
      if (!this.queues.woken) continue;
      this.s.setState(THREAD_STATE.runs);
      this.gate?.enter();
      return true;
    }
    return false;
  }

  private waitAtMost(pending: Pending, words: Int32Array, at: number, value: number, ms: number): void {
    this.gate?.leave();
    this.pending = pending;
    this.waitWords = words;
    this.waitAt = at;
    this.waitValue = value;
    this.waitMs = Math.min(SLICE_MS, ms);
  }

  /** A wait is over, by its time or not. True: what was waited for has come. */
  private waited(timedOut: boolean): boolean {
    const ms = timedOut ? this.waitMs : 0;
    if (this.pending === 'lock') return this.waitedForLock(ms);
    if (this.pending === 'queue') {
      if (this.queues.woken) return true;
      this.leftMs -= ms;
      if (this.leftMs <= 0) {
        if (!this.queues.leave()) {
          this.input = 0;
          this.current.nowNs += this.timeoutNs;
        }
        return true;
      }
    } else {
      this.leftMs -= ms;
      if (this.leftMs <= 0) return true;
    }
    this.s.checkStop();
    this.waitMs = Math.min(SLICE_MS, this.leftMs);
    return false;
  }

  private waitedForLock(ms: number): boolean {
    if (this.locks.granted) {
      this.granted();
      return true;
    }
    this.s.checkStop();
    this.leftMs += ms;
    if (this.leftMs > this.lockLimitMs) {
      const { chain, deadlock } = blockedChain(this.s, this.s.thread);
      throw new LockTimeoutError(this.lockLimitMs, chain, deadlock);
    }
    return false;
  }
}
