/**
 * Runs one procedure without a scheduler. For tests, for building a machine before it starts, and for whoever wants a
 * function's result and no threads.
 */
import { OperationError, WouldBlockError } from './errors.js';
import type { Current } from './executor.js';
import { HeldLocks } from './held-locks.js';
import { canTake, stateAfterRelease, stateAfterTake } from './lock-rules.js';
import { instanceOf, LOCK_OWNER, LOCK_STATE, LOCK_WAITERS, type SyncDomain } from './locks.js';
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
  READ,
  timeoutOf,
  WRITE,
} from './operations.js';

/** Options of `runToEnd`. */
export interface RunToEndOptions {
  /** Kept up to date as executors do (time and task); the time starts from what it says. Default: a new one at 0. */
  readonly current?: Current;
  /** Number written into the owner words of locks, default 1. */
  readonly task?: number;
}

/**
 * Runs a procedure to its end at once and returns its value. Time passes by its own `spend` and `sleep`, and by `wait`
 * with a timeout, which is always over; `wake` wakes nobody. What locks it leaves held stays held.
 * WouldBlockError if a lock is not free or it waits without a timeout.
 */
export function runToEnd<T>(domain: SyncDomain, procedure: Procedure<T>, options: RunToEndOptions = {}): T {
  const current = options.current ?? { nowNs: 0, cpu: 0, task: 0 };
  const before = current.task;
  const run = new LoneRun(domain, current, options.task ?? 1);
  current.task = options.task ?? 1;
  try {
    let made = procedure.next(0);
    while (made.done !== true) made = procedure.next(run.perform(made.value));
    return made.value;
  } finally {
    current.task = before;
  }
}

class LoneRun {
  private readonly domain: SyncDomain;
  private readonly current: Current;
  private readonly task: number;
  private readonly held: HeldLocks = new HeldLocks();

  constructor(domain: SyncDomain, current: Current, task: number) {
    this.domain = domain;
    this.current = current;
    this.task = task;
  }

  perform(op: Op): number {
    switch (opcodeOf(op)) {
      case OP.acquire:
        if (!this.take(lockOf(op), modeOf(op))) {
          throw new WouldBlockError(
            `${this.domain.describe(lockOf(op))} is not free, and nobody runs who could free it`,
          );
        }
        return 1;
      case OP.tryAcquire:
        return this.take(lockOf(op), modeOf(op)) ? 1 : 0;
      case OP.release:
        this.give(lockOf(op), modeOf(op));
        return 0;
      case OP.downgrade:
        this.give(lockOf(op), WRITE);
        this.take(lockOf(op), READ);
        return 0;
      case OP.spend:
      case OP.sleep:
        this.current.nowNs += payloadOf(op);
        return 0;
      case OP.wait:
        return this.timeOut(timeoutOf(op));
      case OP.wake:
      case OP.preempt:
        return 0;
      case OP.now:
        return this.current.nowNs;
      default:
        throw new OperationError(`the procedure yielded ${String(op)}, which is no operation`);
    }
  }

  private timeOut(ns: number): number {
    if (ns === Number.POSITIVE_INFINITY) {
      throw new WouldBlockError('waits on a queue without a timeout, and nobody runs who could wake it');
    }
    this.current.nowNs += ns;
    return 0;
  }

  private take(lock: LockRef, mode: LockMode): boolean {
    const { words, base } = this.place(lock);
    if (!canTake(mode, words[base + LOCK_STATE] as number, words[base + LOCK_WAITERS] as number)) return false;
    words[base + LOCK_STATE] = stateAfterTake(mode, words[base + LOCK_STATE] as number);
    words[base + LOCK_OWNER] = this.task;
    this.held.push(lock, mode, this.current.nowNs);
    return true;
  }

  private give(lock: LockRef, mode: LockMode): void {
    const at = this.held.find(lock, mode);
    if (at < 0) throw new OperationError(`${this.domain.describe(lock)} is given back but not held in that mode`);
    this.held.removeAt(at);
    const { words, base } = this.place(lock);
    const state = stateAfterRelease(mode, words[base + LOCK_STATE] as number);
    words[base + LOCK_STATE] = state;
    if (state === 0) words[base + LOCK_OWNER] = 0;
  }

  private place(lock: LockRef): { words: Int32Array; base: number } {
    const lockClass = this.domain.classOf(lock);
    return { words: lockClass.words, base: lockClass.base(instanceOf(lock)) };
  }
}
