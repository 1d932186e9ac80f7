/**
 * Locks on arena words between threads, by the rules of lock-rules.ts.
 *
 * Fast path: one compare-and-exchange on the state word while nobody waits. Slow path: a waiter enters itself in its
 * thread's row under the lock's guard, counts itself in the lock's words, and grants as a release does, because the lock
 * may have become free since. A release sets the state first and looks at the count of waiters then: so of a release and
 * a new waiter at least one sees the other, and no lock is left free with somebody waiting. Whoever is granted the lock
 * owns it from that instant; the granting thread writes that into the words, and wakes.
 */
import { OperationError } from '../errors.js';
import { canTake, grants, WRITE_HELD } from '../lock-rules.js';
import { LOCK_OWNER, LOCK_STATE, LOCK_WAITERS, LOCK_WORDS, LOCK_WRITERS, type LockClass } from '../locks.js';
import { type LockMode, READ, WRITE } from '../operations.js';
import { giveWord, takeWord } from '../word-lock.js';
import { RUN, THREAD, THREAD_STRIDE } from './tables.js';
import type { ThreadState } from './thread-state.js';

/** What waits for a lock, in order. */
interface Waiter {
  readonly base: number;
  readonly ticket: number;
  readonly mode: LockMode;
}

export class SharedLocks {
  private readonly s: ThreadState;

  constructor(state: ThreadState) {
    this.s = state;
  }

  /** Takes the lock if that is possible at once. */
  tryTake(task: number, lockClass: LockClass, instance: number, mode: LockMode): boolean {
    const { words } = lockClass;
    const base = lockClass.base(instance);
    if (base + LOCK_WORDS > words.length) throw new OperationError(`${lockClass.name}[${instance}] has no words`);
    for (;;) {
      const state = Atomics.load(words, base + LOCK_STATE);
      if (!canTake(mode, state, Atomics.load(words, base + LOCK_WAITERS))) return false;
      const after = mode === WRITE ? WRITE_HELD : state + 1;
      if (Atomics.compareExchange(words, base + LOCK_STATE, state, after) !== state) continue;
      Atomics.store(words, base + LOCK_OWNER, task);
      return true;
    }
  }

  /** Queues this thread for the lock. It may own it already when this comes back: see `granted`. */
  queue(lockClass: LockClass, instance: number, mode: LockMode): void {
    const { s } = this;
    const guard = s.guardOf(lockClass, instance);
    takeWord(s.guards, guard, s.checkStop);
    const { words } = s;
    words[s.base + THREAD.wake] = 0;
    words[s.base + THREAD.lockInstance] = instance;
    words[s.base + THREAD.lockMode] = mode;
    words[s.base + THREAD.ticket] = Atomics.add(s.run, RUN.tickets, 1);
    Atomics.store(words, s.base + THREAD.lockClass, lockClass.id + 1);
    const base = lockClass.base(instance);
    Atomics.add(lockClass.words, base + LOCK_WAITERS, 1);
    if (mode === WRITE) Atomics.add(lockClass.words, base + LOCK_WRITERS, 1);
    this.grant(lockClass, instance);
    giveWord(s.guards, guard);
  }

  /** True if this thread's lock is its own now. */
  get granted(): boolean {
    return Atomics.load(this.s.words, this.s.base + THREAD.wake) === 1;
  }

  /** Gives the lock back, and hands it on. */
  release(lockClass: LockClass, instance: number, mode: LockMode): void {
    const { words } = lockClass;
    const base = lockClass.base(instance);
    if (mode === WRITE) {
      Atomics.store(words, base + LOCK_OWNER, 0);
      Atomics.store(words, base + LOCK_STATE, 0);
    } else {
      if (Atomics.sub(words, base + LOCK_STATE, 1) !== 1) return;
      // The last reader to leave is not always the one that the owner word names.
      const owner = Atomics.load(words, base + LOCK_OWNER);
      if (Atomics.load(words, base + LOCK_STATE) === 0) Atomics.compareExchange(words, base + LOCK_OWNER, owner, 0);
    }
    if (Atomics.load(words, base + LOCK_WAITERS) !== 0) this.grantGuarded(lockClass, instance);
  }

  /** Turns this thread's WRITE into READ and lets in readers at the head of the queue. */
  downgrade(lockClass: LockClass, instance: number): void {
    const base = lockClass.base(instance);
    Atomics.store(lockClass.words, base + LOCK_STATE, 1);
    if (Atomics.load(lockClass.words, base + LOCK_WAITERS) !== 0) this.grantGuarded(lockClass, instance);
  }

  /** Numbers of the threads that wait for a lock, in order. */
  waitersOf(lockClass: LockClass, instance: number): number[] {
    return this.waiting(lockClass, instance).map(({ base }) => base / THREAD_STRIDE);
  }

  private grantGuarded(lockClass: LockClass, instance: number): void {
    const { s } = this;
    const guard = s.guardOf(lockClass, instance);
    takeWord(s.guards, guard, s.checkStop);
    this.grant(lockClass, instance);
    giveWord(s.guards, guard);
  }

  /** Hands the lock to whom the rules say. The guard is held; only takers on the fast path may interfere. */
  private grant(lockClass: LockClass, instance: number): void {
    const { words } = lockClass;
    const base = lockClass.base(instance);
    const queue = this.waiting(lockClass, instance);
    const modes = queue.map(({ mode }) => mode);
    for (;;) {
      const state = Atomics.load(words, base + LOCK_STATE);
      const winners = grants(state, modes);
      if (winners.length === 0) return;
      const writer = modes[winners[0] as number] === WRITE;
      const after = writer ? WRITE_HELD : state + winners.length;
      if (Atomics.compareExchange(words, base + LOCK_STATE, state, after) !== state) continue;
      Atomics.sub(words, base + LOCK_WAITERS, winners.length);
      if (writer) Atomics.sub(words, base + LOCK_WRITERS, 1);
      for (const at of winners) this.wake(lockClass, base, queue[at] as Waiter);
      return;
    }
  }

  private wake(lockClass: LockClass, lockBase: number, waiter: Waiter): void {
    const { words } = this.s;
    Atomics.store(lockClass.words, lockBase + LOCK_OWNER, Atomics.load(words, waiter.base + THREAD.task));
    Atomics.store(words, waiter.base + THREAD.lockClass, 0);
    Atomics.store(words, waiter.base + THREAD.wake, 1);
    Atomics.notify(words, waiter.base + THREAD.wake);
  }

  private waiting(lockClass: LockClass, instance: number): Waiter[] {
    const { words, threads } = this.s;
    const found: Waiter[] = [];
    for (let base = 0; base < threads * THREAD_STRIDE; base += THREAD_STRIDE) {
      if (Atomics.load(words, base + THREAD.lockClass) !== lockClass.id + 1) continue;
      if (words[base + THREAD.lockInstance] !== (instance | 0)) continue;
      const mode = words[base + THREAD.lockMode] === READ ? READ : WRITE;
      found.push({ base, ticket: words[base + THREAD.ticket] as number, mode });
    }
    // Tickets wrap around: what counts is the difference.
    return found.sort((a, b) => (a.ticket - b.ticket) | 0);
  }
}
