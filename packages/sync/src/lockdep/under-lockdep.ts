/**
 * A procedure that is held to the locking rules whoever runs it: for executors that have no lockdep of their own (threads, and
 * procedures run to their end without others). One such procedure is checked by itself; orders of classes of equal rank
 * that two threads learn differently are the search's to find.
 */
import type { Current } from '../executor.js';
import { HeldLocks } from '../held-locks.js';
import type { SyncDomain } from '../locks.js';
import {
  isMightSleep,
  isNested,
  type LockMode,
  type LockRef,
  lockOf,
  modeOf,
  OP,
  type Op,
  opcodeOf,
  type Procedure,
  READ,
  WRITE,
} from '../operations.js';
import { badRelease, type LockdepTask } from './errors.js';
import { Lockdep } from './lockdep.js';

/** How a procedure is watched. */
export interface UnderLockdepOptions {
  /** For messages; default 1 and `procedure`. */
  readonly task?: number;
  readonly name?: string;
  /** Called at the end of every step, with what the procedure holds then. What it throws ends the procedure. */
  readonly betweenSteps?: (held: HeldLocks) => void;
}

/** Runs `procedure` as it is, and throws a LockdepError where it breaks a rule of lockdep.ts. Bit locks are not watched. */
export function* underLockdep<T>(
  domain: SyncDomain,
  procedure: Procedure<T>,
  options: UnderLockdepOptions = {},
): Procedure<T> {
  const watch = new Watch(domain, options);
  for (let input = 0; ; ) {
    const made = procedure.next(input);
    options.betweenSteps?.(watch.task.held);
    if (made.done === true) {
      watch.end();
      return made.value;
    }
    watch.before(made.value);
    input = yield made.value;
    watch.after(made.value, input);
  }
}

class Watch {
  readonly task: LockdepTask & { spinDepth: number };
  private readonly domain: SyncDomain;
  private readonly current: Current = { nowNs: 0, cpu: 0, task: 0 };
  private readonly lockdep: Lockdep;

  constructor(domain: SyncDomain, { task = 1, name = 'procedure' }: UnderLockdepOptions) {
    this.domain = domain;
    this.task = { id: task, name, procedure: { name: '' }, held: new HeldLocks(), spinDepth: 0 };
    this.lockdep = new Lockdep(domain, this.current, () => this.task);
  }

  before(op: Op): void {
    const { task, lockdep, domain } = this;
    switch (opcodeOf(op)) {
      case OP.acquire:
        lockdep.beforeAcquire(task, domain.classOf(lockOf(op)), lockOf(op), isNested(op));
        return;
      case OP.release:
        this.give(lockOf(op), modeOf(op));
        return;
      case OP.sleep:
        lockdep.beforeSleep(task, 'sleeps');
        return;
      case OP.wait:
        lockdep.beforeSleep(task, 'waits');
        return;
      case OP.preempt:
        if (isMightSleep(op)) lockdep.beforeSleep(task, 'may sleep');
    }
  }

  after(op: Op, result: number): void {
    const code = opcodeOf(op);
    const lock = lockOf(op);
    if (code === OP.acquire || (code === OP.tryAcquire && result === 1)) this.take(lock, modeOf(op));
    else if (code === OP.downgrade) {
      this.give(lock, WRITE);
      this.take(lock, READ);
    }
  }

  end(): void {
    this.lockdep.atEnd(this.task);
  }

  private take(lock: LockRef, mode: LockMode): void {
    this.task.held.push(lock, mode, 0);
    if (this.isSpin(lock)) this.task.spinDepth++;
  }

  private give(lock: LockRef, mode: LockMode): void {
    const { held } = this.task;
    const at = held.find(lock, mode);
    if (at < 0) throw badRelease(this.domain, this.task, lock, mode);
    held.removeAt(at);
    if (this.isSpin(lock)) this.task.spinDepth--;
  }

  private isSpin(lock: LockRef): boolean {
    return this.domain.classOf(lock).kind === 'spin';
  }
}
