/**
 * Who gets a lock, and who gets it next: the rules alone, as functions of a lock's state word and its queue. No clock, no
 * task and no array of an arena is known here, so that every executor can share them and a test can try them on all
 * small queues.
 *
 * What is the kernel's (rw-semaphore of 5.x and later, queued spinlock):
 * - waiters queue in order of arrival; a reader does not pass a waiting writer, whether it waits or only tries;
 * - when the head of the queue is a writer it gets the lock alone; when it is a reader, all readers in the queue get it
 *   at once, also those behind a writer, at most 256 at a time (`rwsem_mark_wake`);
 * - readers left over by that limit get in when the next waiter comes or when the lock is free again.
 *
 * What is simpler than the kernel: a released lock is handed over to the woken, who own it from that instant. The kernel
 * lets a running task steal it first (a writer spinning optimistically while the owner runs; a reader stealing a lock
 * that no writer holds) until the head of the queue has waited 4 ms and asks for a hand-off. So here no waiter starves,
 * waits are a little more even, and a contended lock changes hands with a context switch more often than a kernel's.
 */
import type { LockKind } from './locks.js';
import { type LockMode, READ, WRITE } from './operations.js';

/** State word of a lock held for WRITE; n > 0 is n readers, 0 is free. */
export const WRITE_HELD = -1;

/** Readers woken at once at most (`MAX_READERS_WAKEUP`). */
export const MAX_READERS_WOKEN = 256;

/**
 * True if a lock in this state with that many waiters can be taken at once: by a trylock, or by an acquire without
 * queueing (`down_read_trylock`, `down_write_trylock`, `queued_spin_trylock`).
 */
export function canTake(mode: LockMode, state: number, waiters: number): boolean {
  return waiters === 0 && (mode === READ ? state >= 0 : state === 0);
}

/** The state word after one more holder. */
export function stateAfterTake(mode: LockMode, state: number): number {
  return mode === READ ? state + 1 : WRITE_HELD;
}

/** The state word after a holder left. */
export function stateAfterRelease(mode: LockMode, state: number): number {
  return mode === READ ? state - 1 : 0;
}

/**
 * Which waiters get a lock that is in `state` now, as positions in the queue, ascending; empty if the head must go on
 * waiting. To be asked after a release that leaves the lock free, after a downgrade, and after a waiter has queued.
 */
export function grants(state: number, queue: readonly LockMode[]): number[] {
  if (queue.length === 0 || state === WRITE_HELD) return [];
  if (queue[0] === WRITE) return state === 0 ? [0] : [];
  const readers: number[] = [];
  for (let at = 0; at < queue.length && readers.length < MAX_READERS_WOKEN; at++) {
    if (queue[at] === READ) readers.push(at);
  }
  return readers;
}

/** True if a waiter in `mode` has to wait for a holder or an earlier waiter in mode `other`. */
export function excludes(mode: LockMode, other: LockMode): boolean {
  return mode === WRITE || other === WRITE;
}

/** Whether waiting for this kind of lock keeps the processor busy and forbids a context switch. */
export function spins(kind: LockKind): boolean {
  return kind === 'spin';
}
