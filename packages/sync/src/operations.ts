/**
 * The vocabulary between a procedure and whoever runs it.
 *
 * A kernel-side procedure is a generator. Where the kernel would take a lock, sleep or could be preempted, it yields an
 * operation and gets a number back. It never touches a clock, an Atomics word of a lock, or another thread: the executor
 * does, and each executor does it differently (virtual time, worker threads, every schedule in turn).
 *
 * An operation is one number, so that yielding one allocates nothing worth mentioning: an opcode times 2^48, plus a
 * payload. Constructors and readers of the encoding are all in this file.
 */
import { asBrand, type Brand } from '@thplab/arena';

/** One yielded operation. Made by the constructors below, read by executors. */
export type Op = Brand<'Op'>;

/** A lock: class and instance in one number. Made by `LockClass.ref`. */
export type LockRef = Brand<'LockRef'>;

/** A wait queue, made by `SyncDomain.waitQueue`. */
export type WaitQueue = Brand<'WaitQueue'>;

/**
 * A kernel-side procedure that returns `T`. What each yield gives back depends on the operation: see its constructor.
 */
export type Procedure<T> = Generator<Op, T, number>;

/** Modes of a lock operation. A spinlock and a bit lock are always taken for WRITE. */
export const READ = 0;
/** Exclusive mode. */
export const WRITE = 1;
export type LockMode = typeof READ | typeof WRITE;

/** Opcodes; see the constructor of the same name. */
export const OP = {
  acquire: 1,
  tryAcquire: 2,
  release: 3,
  downgrade: 4,
  spend: 5,
  sleep: 6,
  wait: 7,
  wake: 8,
  preempt: 9,
  now: 10,
} as const;

const OPCODE = 2 ** 48;
const HIGH = 2 ** 32;
const MODE = 2 ** 40;
const NESTED = 2;
const QUEUE = 2 ** 36;
/** Longest time in one operation, ns (about 78 hours). A longer one is cut to this; waiters check their condition. */
export const MAX_SPAN_NS: number = OPCODE - 1;
/** Longest timeout of `wait` that is kept, µs (about 19 hours). */
const MAX_TIMEOUT_US = QUEUE - 2;
const NO_TIMEOUT = QUEUE - 1;

/** Takes the lock, waiting as long as it takes. Gives 1. */
export function acquire(lock: LockRef, mode: LockMode = WRITE): Op {
  return asBrand(OP.acquire * OPCODE + mode * MODE + lock);
}

/** As `acquire`, for a second lock of a class already held (the kernel's `_nested` forms). Gives 1. */
export function acquireNested(lock: LockRef, mode: LockMode = WRITE): Op {
  return asBrand(OP.acquire * OPCODE + (mode + NESTED) * MODE + lock);
}

/** Takes the lock if that is possible at once. Gives 1 if taken, else 0. */
export function tryAcquire(lock: LockRef, mode: LockMode = WRITE): Op {
  return asBrand(OP.tryAcquire * OPCODE + mode * MODE + lock);
}

/** Gives the lock back; the mode must be the one it is held in. Gives 0. */
export function release(lock: LockRef, mode: LockMode = WRITE): Op {
  return asBrand(OP.release * OPCODE + mode * MODE + lock);
}

/** Turns a held WRITE of an rw-semaphore into READ without a gap (`downgrade_write`). Gives 0. */
export function downgrade(lock: LockRef): Op {
  return asBrand(OP.downgrade * OPCODE + lock);
}

/** Uses processor time, ns. Gives 0. */
export function spend(ns: number): Op {
  return asBrand(OP.spend * OPCODE + span(ns));
}

/** Leaves the processor for that long, ns. Gives 0. */
export function sleep(ns: number): Op {
  return asBrand(OP.sleep * OPCODE + span(ns));
}

/**
 * Waits on a queue until woken, or until the timeout (ns, counted in whole µs, upwards) is over. Gives 1 if woken, 0 if
 * the time was over. As in the kernel a wake-up is a hint: check the condition again.
 *
 * Checking a condition and yielding the wait is one step: an executor must not lose a wake-up that comes between the two
 * (the kernel's `prepare_to_wait` before the check). One on real threads counts a wake-up since the last resume as woken.
 */
export function wait(queue: WaitQueue, timeoutNs?: number): Op {
  const us = timeoutNs === undefined ? NO_TIMEOUT : Math.min(MAX_TIMEOUT_US, Math.max(0, Math.ceil(timeoutNs / 1000)));
  return asBrand(OP.wait * OPCODE + queue * QUEUE + us);
}

/** Wakes everyone waiting on the queue. Gives the number woken. */
export function wake(queue: WaitQueue): Op {
  return asBrand(OP.wake * OPCODE + queue);
}

/** A point where the scheduler may switch (`cond_resched`), with a label of the caller's for printed schedules. Gives 0. */
export function preempt(label = 0): Op {
  return asBrand(OP.preempt * OPCODE + label);
}

/** Label of `mightSleep`. */
export const MIGHT_SLEEP = 0xffff_ffff;

/**
 * A point where the kernel may sleep, and here does not (`might_sleep`): a preemption point that lockdep refuses while a
 * spinlock is held. Gives 0.
 */
export function mightSleep(): Op {
  return preempt(MIGHT_SLEEP);
}

/** True for `mightSleep` among preemption points. */
export function isMightSleep(op: Op): boolean {
  return payloadOf(op) === MIGHT_SLEEP;
}

/** Asks for the time. Gives ns since the start of the machine. */
export function now(): Op {
  return asBrand(OP.now * OPCODE);
}

// The readers below take an operation apart as two integers, which compiled code does in two instructions each: the low
// 32 bits, and the rest. A `%` or a rounding of numbers beyond 32 bits on the path of every operation would show.

/** Opcode (from bit 16), mode (from bit 8) and lock class of an operation; 0 for what is no number. */
function highOf(op: Op): number {
  return (op / HIGH) | 0;
}

/** The opcode of an operation: one of `OP`. */
export function opcodeOf(op: Op): number {
  return highOf(op) >>> 16;
}

/** The payload of `spend` and `sleep` (ns), `wake` (queue), `preempt` (label). */
export function payloadOf(op: Op): number {
  return (highOf(op) & 0xffff) * HIGH + (op >>> 0);
}

/** The lock of a lock operation. */
export function lockOf(op: Op): LockRef {
  return asBrand((highOf(op) & 0xff) * HIGH + (op >>> 0));
}

/** The mode of a lock operation. */
export function modeOf(op: Op): LockMode {
  return ((highOf(op) >>> 8) & 1) as LockMode;
}

/** True if a lock operation is of the nested form. */
export function isNested(op: Op): boolean {
  return ((highOf(op) >>> 8) & NESTED) !== 0;
}

/** The queue of a `wait`. */
export function queueOf(op: Op): WaitQueue {
  return asBrand(Math.floor(payloadOf(op) / QUEUE));
}

/** The timeout of a `wait` in ns; Infinity if it has none. */
export function timeoutOf(op: Op): number {
  const us = op - Math.floor(op / QUEUE) * QUEUE;
  return us === NO_TIMEOUT ? Number.POSITIVE_INFINITY : us * 1000;
}

function span(ns: number): number {
  return ns <= 0 ? 0 : Math.min(MAX_SPAN_NS, Math.round(ns));
}
