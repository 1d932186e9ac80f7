/**
 * The little machine the lock suite runs on: a few locks, a wait queue and some cells that the actors write to each other
 * in. All memory is shared, and a worker that is given the same buffers declares the same machine.
 */
import { type BitLock, LOCK_WORDS, type LockClass, SyncDomain } from '../locks.js';
import { type Procedure, sleep, type WaitQueue } from '../operations.js';

/** The shared memory of a world. */
export interface LockWorldMemory {
  readonly words: SharedArrayBuffer;
  readonly cells: SharedArrayBuffer;
  readonly bits: SharedArrayBuffer;
}

const INSTANCES = 4;
const CLASSES = 3;
const CELLS = 16;
const MOST_POLLS = 200_000;

/** Allocates the memory of a world, all zero. */
export function lockWorldMemory(): LockWorldMemory {
  return {
    words: new SharedArrayBuffer(CLASSES * INSTANCES * LOCK_WORDS * 4),
    cells: new SharedArrayBuffer(CELLS * 4),
    bits: new SharedArrayBuffer(INSTANCES * 4),
  };
}

export class LockWorld {
  readonly memory: LockWorldMemory;
  readonly domain: SyncDomain = new SyncDomain();
  readonly words: Int32Array;
  readonly rwsem: LockClass;
  readonly vma: LockClass;
  readonly spin: LockClass;
  readonly queue: WaitQueue;
  readonly folio: BitLock;
  private readonly cells: Int32Array;

  constructor(memory: LockWorldMemory = lockWorldMemory()) {
    this.memory = memory;
    this.words = new Int32Array(memory.words);
    this.cells = new Int32Array(memory.cells);
    const declare = (name: string, kind: 'rwsem' | 'vma' | 'spin', at: number): LockClass =>
      this.domain.lockClass({ name, kind, rank: at, words: this.words, offset: at * INSTANCES * LOCK_WORDS });
    this.rwsem = declare('mmap_lock', 'rwsem', 0);
    this.vma = declare('vma_lock', 'vma', 1);
    this.spin = declare('pte_lock', 'spin', 2);
    this.queue = this.domain.waitQueue('khugepaged_wait');
    this.folio = this.domain.bitLock('folio_lock', new Uint32Array(memory.bits), 1);
  }

  /** Reads a word of a lock: LOCK_STATE, LOCK_OWNER, LOCK_WAITERS or LOCK_WRITERS. */
  word(lockClass: LockClass, instance: number, word: number): number {
    return Atomics.load(this.words, lockClass.base(instance) + word);
  }

  get(cell: number): number {
    return Atomics.load(this.cells, cell);
  }

  set(cell: number, value: number): void {
    Atomics.store(this.cells, cell, value);
  }

  add(cell: number, value: number): number {
    return Atomics.add(this.cells, cell, value) + value;
  }

  /** Sleeps until the condition holds. An Error naming `what` if it never does. */
  *until(what: string, condition: () => boolean): Procedure<void> {
    for (let polls = 0; !condition(); polls++) {
      if (polls === MOST_POLLS) throw new Error(`never came true: ${what}`);
      yield sleep(1000);
    }
  }
}

/** A fact that must hold. */
export function fact(holds: boolean, text: string): void {
  if (!holds) throw new Error(`not so: ${text}`);
}

/** Two values that must be the same. */
export function same(found: number, expected: number, what: string): void {
  if (found !== expected) throw new Error(`${what} is ${found}, must be ${expected}`);
}
