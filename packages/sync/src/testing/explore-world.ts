/** Small programs for tests of the explore executor: a few cells, a few locks and a queue. */

import { AccessLog } from '../explore/access-log.js';
import type { ExploreActor, ExploreCase } from '../explore/case.js';
import { LOCK_WORDS, type LockClass, SyncDomain } from '../locks.js';
import { type Procedure, preempt, type WaitQueue } from '../operations.js';

const INSTANCES = 4;
const CELLS = 16;

export class ExploreWorld {
  readonly domain: SyncDomain = new SyncDomain();
  readonly rwsem: LockClass;
  readonly vma: LockClass;
  readonly spin: LockClass;
  readonly queue: WaitQueue;
  readonly log: AccessLog | undefined;
  readonly cells: Int32Array = new Int32Array(CELLS);

  /** With `logged` the cells are recorded as they are used, otherwise every step may touch all of them. */
  constructor(logged = true) {
    const words = new Int32Array(3 * INSTANCES * LOCK_WORDS);
    const declare = (name: string, kind: 'rwsem' | 'vma' | 'spin', at: number): LockClass =>
      this.domain.lockClass({ name, kind, rank: at, words, offset: at * INSTANCES * LOCK_WORDS });
    this.rwsem = declare('mmap_lock', 'rwsem', 0);
    this.vma = declare('vma_lock', 'vma', 1);
    this.spin = declare('pte_lock', 'spin', 2);
    this.queue = this.domain.waitQueue('khugepaged_wait');
    this.log = logged ? new AccessLog() : undefined;
  }

  get(cell: number): number {
    this.log?.read(cell);
    return this.cells[cell] as number;
  }

  set(cell: number, value: number): void {
    this.log?.write(cell);
    this.cells[cell] = value;
  }

  /** A case of these actors that starts with all cells 0. */
  case(actors: readonly ExploreActor[], more: Partial<ExploreCase> = {}): ExploreCase {
    return {
      name: 'test',
      domain: this.domain,
      actors,
      reset: () => {
        this.cells.fill(0);
      },
      ...(this.log === undefined ? {} : { log: this.log }),
      ...more,
    };
  }

  /** `count` steps after the first, each of which adds 1 to a cell. */
  *adding(cell: number, count: number): Procedure<void> {
    for (let step = 0; step < count; step++) {
      yield preempt();
      this.set(cell, this.get(cell) + 1);
    }
  }
}

/** An actor of a procedure. */
export function actor(name: string, procedure: () => Procedure<unknown>): ExploreActor {
  return { name, procedure };
}
