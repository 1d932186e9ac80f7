import { describe, expect, it } from 'vitest';
import { LOCK_WORDS, SyncDomain } from '../locks.js';
import { acquire, type Procedure, preempt, READ, release, WRITE } from '../operations.js';
import { actor } from '../testing/explore-world.js';
import { AccessLog } from './access-log.js';
import type { ExploreActor, ExploreCase } from './case.js';
import { DepthFirst } from './depth-first.js';
import { type ExploreReport, explore } from './explore.js';
import { guardedBy, recordedColumn } from './recorded-column.js';
import { resetTo } from './reset.js';

/** A little machine: two tables of four entries, each table with a lock, and a bit lock per entry. */
class Machine {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(256);
  readonly domain: SyncDomain = new SyncDomain();
  readonly log: AccessLog = new AccessLog();
  readonly lock: ReturnType<SyncDomain['lockClass']>;
  readonly bits: ReturnType<SyncDomain['bitLock']>;
  readonly entry: Uint32Array;
  readonly free: Uint32Array;
  readonly reset: () => void;

  constructor() {
    const words = new Int32Array(this.buffer, 0, 2 * LOCK_WORDS);
    this.lock = this.domain.lockClass({ name: 'pte_lock', kind: 'rwsem', rank: 1, words });
    this.bits = this.domain.bitLock('folio_lock', new Uint32Array(this.buffer, 32, 8), 1);
    this.entry = recordedColumn(new Uint32Array(this.buffer, 64, 8), {
      name: 'table.entry',
      log: this.log,
      firstCell: 0,
      guard: guardedBy(this.domain, 'table.entry', (element) => this.lock.ref(Math.floor(element / 4))),
    });
    this.free = recordedColumn(new Uint32Array(this.buffer, 96, 8), {
      name: 'frame.free',
      log: this.log,
      firstCell: 8,
      elementsPerCell: 4,
    });
    this.entry[5] = 50;
    this.reset = resetTo(this.buffer);
  }

  search(...actors: ExploreActor[]): ExploreReport {
    const { domain, log, reset } = this;
    const subject: ExploreCase = { name: 'machine', domain, log, reset, actors };
    return explore(subject, new DepthFirst());
  }
}

function* locked(m: Machine, table: number, mode: typeof READ | typeof WRITE, work: () => void): Procedure<void> {
  yield acquire(m.lock.ref(table), mode);
  work();
  yield release(m.lock.ref(table), mode);
}

describe('a guarded column', () => {
  it('lets tasks in that hold its lock: READ to read, WRITE to write', () => {
    const m = new Machine();
    const seen: (number | undefined)[] = [];
    const report = m.search(
      actor('reader', () => locked(m, 1, READ, () => seen.push(m.entry[5]))),
      actor('writer', () => locked(m, 1, WRITE, () => (m.entry[5] = (m.entry[5] ?? 0) + 1))),
    );
    expect([report.verdict, report.schedules]).toEqual(['pass', 3]);
    // The writer comes after the reader, or queues behind it, or comes first.
    expect(seen.sort()).toEqual([50, 50, 51]);
  });

  it('fails a use without its lock, with the lock of another row, or a write under READ', () => {
    const m = new Machine();
    const failure = (work: () => Procedure<void>): string | undefined => {
      const report = m.search(actor('bad', work));
      expect(report.failure?.kind).toBe('guard');
      return report.failure?.message;
    };
    const bare = function* (): Procedure<void> {
      yield preempt();
      m.entry[5] = 1;
    };
    expect(failure(bare)).toBe('table.entry[5] is written without pte_lock[1] WRITE');
    const other = failure(() => locked(m, 0, WRITE, () => m.entry[5]));
    expect(other).toBe('table.entry[5] is read without pte_lock[1] READ');
    const weak = failure(() => locked(m, 1, READ, () => m.entry.fill(0, 6, 8)));
    expect(weak).toBe('table.entry[6] is written without pte_lock[1] WRITE');
  });

  it('asks nothing of those who build or check the machine', () => {
    const m = new Machine();
    expect(m.entry[5]).toBe(50);
    m.entry.fill(3);
    expect([...m.entry]).toEqual([3, 3, 3, 3, 3, 3, 3, 3]);
    m.reset();
    expect(m.entry.indexOf(50)).toBe(5);
    expect(m.entry.length).toBe(8);
  });
});

describe('a recorded column', () => {
  /** Schedules of two tasks that each do their work in one step after the first. */
  const schedules = (m: Machine, one: () => unknown, two: () => unknown): number => {
    const worker = (work: () => unknown) =>
      function* (): Procedure<void> {
        yield preempt();
        work();
      };
    return m.search(actor('one', worker(one)), actor('two', worker(two))).schedules;
  };

  it('orders a write and a use of the same cell both ways, and nothing else', () => {
    const m = new Machine();
    expect(
      schedules(
        m,
        () => (m.free[0] = 1),
        () => (m.free[0] = 2),
      ),
    ).toBe(2);
    expect(
      schedules(
        m,
        () => (m.free[0] = 1),
        () => m.free[0],
      ),
    ).toBe(2);
    expect(
      schedules(
        m,
        () => m.free[0],
        () => m.free[0],
      ),
    ).toBe(1);
    expect(
      schedules(
        m,
        () => (m.free[0] = 1),
        () => (m.free[4] = 1),
      ),
    ).toBe(1);
  });

  it('takes the elements of one cell as one', () => {
    const m = new Machine();
    expect(
      schedules(
        m,
        () => (m.free[0] = 1),
        () => (m.free[3] = 1),
      ),
    ).toBe(2);
  });

  it('sees uses by methods', () => {
    const m = new Machine();
    expect(
      schedules(
        m,
        () => m.free.fill(1, 4),
        () => m.free[7],
      ),
    ).toBe(2);
    expect(
      schedules(
        m,
        () => m.free.fill(1, -4),
        () => m.free[0],
      ),
    ).toBe(1);
    expect(
      schedules(
        m,
        () => m.free.includes(9),
        () => (m.free[7] = 9),
      ),
    ).toBe(2);
    expect(
      schedules(
        m,
        () => m.free.slice(),
        () => m.free.indexOf(1),
      ),
    ).toBe(1);
  });
});

describe('bit locks in a search', () => {
  it('are accesses: who tries first gets it, and whoever looks sees it or not', () => {
    const m = new Machine();
    const outcomes = new Set<string>();
    const subject = (second: () => boolean): ExploreReport => {
      const result = { first: false, second: false };
      const first = function* (): Procedure<void> {
        yield preempt();
        result.first = m.bits.tryLock(3);
        yield preempt();
        if (result.first) m.bits.unlock(3);
      };
      const other = function* (): Procedure<void> {
        yield preempt();
        result.second = second();
      };
      return explore(
        {
          name: 'bits',
          domain: m.domain,
          log: m.log,
          reset: m.reset,
          actors: [actor('first', first), actor('other', other)],
          check: () => {
            outcomes.add(`${result.first} ${result.second}`);
            return [];
          },
        },
        new DepthFirst(),
      );
    };
    expect(subject(() => m.bits.isLocked(3)).schedules).toBe(3);
    expect([...outcomes].sort()).toEqual(['true false', 'true true']);
    outcomes.clear();
    const tried = subject(() => {
      const got = m.bits.tryLock(3);
      if (got) m.bits.unlock(3);
      return got;
    });
    expect(tried.schedules).toBe(3);
    expect([...outcomes].sort()).toEqual(['true false', 'true true']);
    expect(subject(() => m.bits.isLocked(4)).schedules).toBe(1);
  });

  it('are watched by lockdep', () => {
    const m = new Machine();
    const forgetful = function* (): Procedure<void> {
      yield preempt();
      m.bits.tryLock(2);
    };
    const report = m.search(actor('forgetful', forgetful));
    expect([report.failure?.kind, report.failure?.name]).toEqual(['lockdep', 'bit-lock-leak']);
    expect(m.bits.watcher).toBeUndefined();
  });
});
