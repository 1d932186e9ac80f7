/**
 * Checks the locking rules while procedures run, whether or not anything goes wrong this time (the kernel's lockdep,
 * `might_sleep` and the lock part of `sparse`). An executor asks before it acts, so that state is as it was when a rule
 * breaks. Cheap enough to be on always: a look at the few locks a task holds.
 */
import type { Current } from '../executor.js';
import type { BitLock, BitLockWatcher, LockClass, SyncDomain } from '../locks.js';
import type { LockRef } from '../operations.js';
import { BitLockOwners } from './bit-lock-owners.js';
import { ClassOrder } from './class-order.js';
import { LockdepError, type LockdepRule, type LockdepTask } from './errors.js';

const MOST_NAMED = 8;

/** Lockdep of one executor. `tasks` finds a task by number; it is asked about bit locks, which name no task. */
export class Lockdep implements BitLockWatcher {
  private readonly domain: SyncDomain;
  private readonly current: Readonly<Current>;
  private readonly tasks: (id: number) => LockdepTask | undefined;
  private readonly order: ClassOrder = new ClassOrder();
  private readonly bits: BitLockOwners = new BitLockOwners();

  constructor(domain: SyncDomain, current: Readonly<Current>, tasks: (id: number) => LockdepTask | undefined) {
    this.domain = domain;
    this.current = current;
    this.tasks = tasks;
  }

  /**
   * To be asked before a task takes a lock that it may have to wait for. A trylock cannot deadlock and is not checked, but
   * what it took counts as held (as in the kernel).
   */
  beforeAcquire(task: LockdepTask, lockClass: LockClass, lock: LockRef, nested: boolean): void {
    if (task.spinDepth > 0 && lockClass.kind !== 'spin') {
      throw this.error('sleep-in-atomic', task, lock, 'takes', 'a sleeping lock, while it holds a spinlock');
    }
    const locks = task.held.locks;
    for (let at = 0; at < locks.length; at++) {
      const other = locks[at] as LockRef;
      const otherClass = this.domain.classOf(other);
      if (otherClass.rank < lockClass.rank) continue;
      if (other === lock) throw this.error('recursive', task, lock, 'takes', 'which it holds already');
      if (otherClass === lockClass) {
        if (nested) continue;
        const text = `while it holds ${this.domain.describe(other)} of the same class, without the nested form`;
        throw this.error('same-class', task, lock, 'takes', text);
      }
      if (otherClass.rank === lockClass.rank) this.learn(task, otherClass, lockClass, lock);
      else if (!(nested && this.holdsClass(task, lockClass))) {
        const text =
          `of rank ${lockClass.rank}, while it holds ${this.domain.describe(other)} of rank ${otherClass.rank}; ` +
          `${lockClass.name} comes before ${otherClass.name}`;
        throw this.error('order', task, lock, 'waits for', text);
      }
    }
  }

  /** To be asked before a task leaves its processor of its own will; `what` it does, for the report. */
  beforeSleep(task: LockdepTask, what: string): void {
    if (task.spinDepth === 0) return;
    throw new LockdepError('sleep-in-atomic', task, '', this.report(task), `${what} while it holds a spinlock`);
  }

  /** To be asked when a procedure has returned. */
  atEnd(task: LockdepTask): void {
    if (task.held.count > 0) {
      const names = task.held.locks.map((lock) => this.domain.describe(lock)).join(', ');
      throw new LockdepError('leak', task, names, this.report(task), `ends with ${names} held`);
    }
    if (this.bits.count(task.id) > 0) {
      const names = this.bits.list(task.id, MOST_NAMED).join(', ');
      throw new LockdepError('bit-lock-leak', task, names, [], `ends with ${names} locked`);
    }
  }

  /** A bit lock was taken by the task that runs now. */
  taken(lock: BitLock, instance: number): void {
    this.bits.set(lock, instance, this.current.task);
  }

  /** A bit lock is about to be given back by the task that runs now. */
  given(lock: BitLock, instance: number): void {
    const task = this.tasks(this.current.task);
    const owner = this.bits.get(lock, instance);
    if (task !== undefined) {
      const name = `${lock.name}[${instance}]`;
      if (!lock.isLocked(instance)) {
        const text = `unlocks ${name}, which is not locked`;
        throw new LockdepError('bit-lock-not-locked', task, name, this.report(task), text);
      }
      if (owner !== 0 && owner !== task.id) {
        const text = `unlocks ${name}, which task ${owner} '${this.tasks(owner)?.name}' has locked`;
        throw new LockdepError('bit-lock-by-non-holder', task, name, this.report(task), text);
      }
    }
    this.bits.clear(lock, instance);
  }

  /** Watches the domain's bit locks until the function that comes back is called. */
  watch(): () => void {
    const before = this.domain.bitLocks.map((lock) => lock.watcher);
    for (const lock of this.domain.bitLocks) lock.watcher = this;
    return () => {
      for (const [at, lock] of this.domain.bitLocks.entries()) lock.watcher = before[at];
    };
  }

  private learn(task: LockdepTask, from: LockClass, to: LockClass, lock: LockRef): void {
    if (this.order.knows(from.id, to.id)) return;
    const edge = { from: from.id, to: to.id, task: task.id, taskName: task.name, nowNs: this.current.nowNs };
    const path = this.order.learn(edge);
    if (path === undefined) return;
    const name = (id: number): string => this.domain.classes[id]?.name ?? String(id);
    const seen = path.map(
      (known) =>
        `task ${known.task} '${known.taskName}' took ${name(known.to)} under ${name(known.from)} at ${known.nowNs} ns`,
    );
    throw this.error('learned-order', task, lock, 'takes', `under ${from.name}; but ${seen.join(', and ')}`);
  }

  private holdsClass(task: LockdepTask, lockClass: LockClass): boolean {
    return task.held.locks.some((lock) => this.domain.classOf(lock) === lockClass);
  }

  private error(rule: LockdepRule, task: LockdepTask, lock: LockRef, verb: string, text: string): LockdepError {
    const name = this.domain.describe(lock);
    return new LockdepError(rule, task, name, this.report(task), `${verb} ${name}, ${text}`);
  }

  private report(task: LockdepTask): ReturnType<LockdepTask['held']['report']> {
    return task.held.report((lock) => this.domain.describe(lock));
  }
}
