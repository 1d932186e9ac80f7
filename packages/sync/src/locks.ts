/**
 * Lock classes and wait queues of one machine.
 *
 * A class is what lockdep calls a class: all mmap_locks are one, all PTE locks are another. Its instances are rows of an
 * arena table; each has `LOCK_WORDS` words there. The words are the lock: the sequential executor keeps its state in
 * them, the threads executor works on them with Atomics, a snapshot contains them.
 */
import { asBrand } from '@thplab/arena';
import type { LockRef, WaitQueue } from './operations.js';

/**
 * Kinds of lock.
 *
 * - `spin`: exclusive; the holder may not sleep.
 * - `rwsem`: readers or one writer; waiters queue in order, and a waiting writer stops new readers, as the kernel's.
 * - `vma`: the per-VMA lock: an rwsem that readers only ever try, and that writers take to wait for the readers to leave.
 */
export type LockKind = 'spin' | 'rwsem' | 'vma';

/** Words of a lock instance, all zero when free. */
export const LOCK_WORDS = 4;
/** Word 0: 0 free, n > 0 readers, -1 a writer. */
export const LOCK_STATE = 0;
/** Word 1: task id of the writer (or of the last reader to come), 0 unknown. */
export const LOCK_OWNER = 1;
/** Word 2: tasks waiting. */
export const LOCK_WAITERS = 2;
/** Word 3: writers among them. */
export const LOCK_WRITERS = 3;

const CLASS = 2 ** 32;
const MAX_CLASSES = 256;

/** What a class is declared with. */
export interface LockClassDecl {
  readonly name: string;
  readonly kind: LockKind;
  /**
   * Place in the lock order: a lock may be waited for while only locks of lower rank are held (khugepaged spec 10). The
   * order between two classes of equal rank is not declared: lockdep learns it from what it sees first.
   */
  readonly rank: number;
  /** The words of all instances. */
  readonly words: Int32Array;
  /** Words from one instance to the next (default LOCK_WORDS). */
  readonly stride?: number;
  /** Word index of instance 0 (default 0). */
  readonly offset?: number;
}

/** A lock class; `ref` names one of its instances in operations. */
export class LockClass {
  readonly id: number;
  readonly name: string;
  readonly kind: LockKind;
  readonly rank: number;
  readonly words: Int32Array;
  readonly stride: number;
  readonly offset: number;

  constructor(id: number, decl: LockClassDecl) {
    this.id = id;
    this.name = decl.name;
    this.kind = decl.kind;
    this.rank = decl.rank;
    this.words = decl.words;
    this.stride = decl.stride ?? LOCK_WORDS;
    this.offset = decl.offset ?? 0;
  }

  /** The lock of row `instance`. */
  ref(instance: number): LockRef {
    return asBrand(this.id * CLASS + instance);
  }

  /** Index of the instance's word 0 in `words`. */
  base(instance: number): number {
    return this.offset + instance * this.stride;
  }
}

/** Instance number of a lock. */
export function instanceOf(lock: LockRef): number {
  return lock >>> 0;
}

/** The lock classes and wait queues of one machine, by number. Declared in the same order by every thread. */
export class SyncDomain {
  readonly classes: LockClass[] = [];
  readonly queues: string[] = [];
  readonly bitLocks: BitLock[] = [];

  /** Declares a lock class. */
  lockClass(decl: LockClassDecl): LockClass {
    if (this.classes.length === MAX_CLASSES) throw new RangeError(`more than ${MAX_CLASSES} lock classes`);
    const made = new LockClass(this.classes.length, decl);
    this.classes.push(made);
    return made;
  }

  /** Declares a wait queue. */
  waitQueue(name: string): WaitQueue {
    this.queues.push(name);
    return asBrand(this.queues.length - 1);
  }

  /** Declares a class of trylock-only bit locks. */
  bitLock(name: string, words: Uint32Array, mask: number): BitLock {
    const made = new BitLock(name, words, mask);
    this.bitLocks.push(made);
    return made;
  }

  /** The class of a lock. */
  classOf(lock: LockRef): LockClass {
    return this.classes[(lock / CLASS) | 0] as LockClass;
  }

  /** `name[instance]`, as messages and schedules show a lock. */
  describe(lock: LockRef): string {
    return `${this.classOf(lock).name}[${instanceOf(lock)}]`;
  }
}

/** Told of every bit lock taken or given back; lockdep listens. */
export interface BitLockWatcher {
  taken(lock: BitLock, instance: number): void;
  given(lock: BitLock, instance: number): void;
  /** Its state was asked for, or it was tried in vain: what the task does next may depend on it. */
  looked?(lock: BitLock, instance: number): void;
}

/**
 * A lock that is one bit of a word and is only ever tried: the folio lock as khugepaged takes it. Nobody waits for it, so
 * it needs no executor and no yield: a page table's worth of folios can be locked in one step.
 */
export class BitLock {
  readonly name: string;
  readonly words: Uint32Array;
  readonly mask: number;
  /** Set while an executor with lockdep runs. */
  watcher: BitLockWatcher | undefined;

  constructor(name: string, words: Uint32Array, mask: number) {
    this.name = name;
    this.words = words;
    this.mask = mask;
  }

  isLocked(instance: number): boolean {
    this.watcher?.looked?.(this, instance);
    return (Atomics.load(this.words, instance) & this.mask) !== 0;
  }

  /** True if the lock was free and is now the caller's. */
  tryLock(instance: number): boolean {
    if ((Atomics.or(this.words, instance, this.mask) & this.mask) !== 0) {
      this.watcher?.looked?.(this, instance);
      return false;
    }
    this.watcher?.taken(this, instance);
    return true;
  }

  unlock(instance: number): void {
    this.watcher?.given(this, instance);
    Atomics.and(this.words, instance, ~this.mask);
  }
}
