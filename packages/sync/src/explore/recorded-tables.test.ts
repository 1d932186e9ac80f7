import { Arena, type TableDecls, type Tables } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import { LOCK_WORDS, SyncDomain } from '../locks.js';
import { acquire, type Procedure, preempt, release, WRITE } from '../operations.js';
import { actor } from '../testing/explore-world.js';
import { AccessLog } from './access-log.js';
import { DepthFirst } from './depth-first.js';
import { type ExploreReport, explore } from './explore.js';
import { guardedBy } from './recorded-column.js';
import { recordedTables } from './recorded-tables.js';
import { resetTo } from './reset.js';

const DECLS = {
  mm: {
    doc: 'processes',
    rows: 'mms',
    pooled: true,
    columns: {
      users: { type: 'i32', doc: 'users' },
      pages: { type: 'u32', guard: 'mmap_lock', doc: 'pages' },
      lock: { type: 'i32', cells: LOCK_WORDS, doc: 'mmap_lock' },
    },
  },
  vmstat: { doc: 'counters', rows: 'counters', pooled: false, columns: { value: { type: 'f64', doc: 'value' } } },
} as const satisfies TableDecls;

class Machine {
  readonly arena: Arena<typeof DECLS> = Arena.create(DECLS, { mms: 4, counters: 2 });
  readonly plain: Tables<typeof DECLS> = this.arena.tables;
  readonly domain: SyncDomain = new SyncDomain();
  readonly log: AccessLog = new AccessLog();
  readonly mmapLock = this.domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: 1, words: this.plain.mm.lock });
  readonly t: Tables<typeof DECLS> = recordedTables(this.arena, {
    log: this.log,
    records: (table, column) => table !== 'vmstat' && column !== 'lock',
    guardOf: (table, column, declared) =>
      declared === 'mmap_lock'
        ? guardedBy(this.domain, `${table}.${column}`, (element) => this.mmapLock.ref(element))
        : undefined,
  });

  /** Puts back what was there before the first search. */
  private reset: (() => void) | undefined = undefined;

  /** Searches tasks that each do some work in one step after their first. */
  search(...works: (() => unknown)[]): ExploreReport {
    const actors = works.map((work, at) =>
      actor(`task${at}`, function* () {
        yield preempt();
        work();
      }),
    );
    return explore(this.case(actors), new DepthFirst());
  }

  case(actors: ReturnType<typeof actor>[]): Parameters<typeof explore>[0] {
    const { domain, log } = this;
    this.reset ??= resetTo(this.arena.buffer);
    return { name: 'tables', domain, log, reset: this.reset, actors };
  }
}

describe('recorded tables', () => {
  it('see plain uses and Atomics alike, each column in cells of its own', () => {
    const m = new Machine();
    const { mm } = m.t;
    const add = (row: number) => () => Atomics.add(mm.users, row, 1);
    const load = (row: number) => () => Atomics.load(mm.users, row);
    expect(m.search(add(1), load(1)).schedules).toBe(2);
    expect(m.search(add(1), () => mm.users[1]).schedules).toBe(2);
    expect(m.search(load(1), () => mm.users[1]).schedules).toBe(1);
    expect(m.search(add(1), load(2)).schedules).toBe(1);
    expect(m.search(add(1), () => Atomics.compareExchange(mm.users, 1, 0, 5)).schedules).toBe(2);
  });

  it('leave Atomics as they were', () => {
    const before = [Atomics.add, Atomics.load, Atomics.store];
    const m = new Machine();
    m.search(() => Atomics.store(m.t.mm.users, 1, 7));
    expect(Atomics.load(m.plain.mm.users, 1)).toBe(7);
    expect([Atomics.add, Atomics.load, Atomics.store]).toEqual(before);
    expect(() =>
      m.search(() => {
        throw new RangeError('in the midst of it');
      }),
    ).not.toThrow();
    expect([Atomics.add, Atomics.load, Atomics.store]).toEqual(before);
    expect(Atomics.load(m.plain.mm.users, 1)).toBe(0);
  });

  it('do not order what was left out', () => {
    const m = new Machine();
    const count = (): unknown => m.t.vmstat.value.fill(1);
    expect(m.search(count, count).schedules).toBe(1);
  });

  it('order allocation and freeing of rows, and a stale reader of a freed one', () => {
    const m = new Machine();
    const row = m.plain.mm.pool.alloc();
    const { mm } = m.t;
    expect(
      m.search(
        () => mm.pool.alloc(),
        () => mm.pool.alloc(),
      ).schedules,
    ).toBe(2);
    expect(
      m.search(
        () => mm.pool.free(row),
        () => mm.users[row],
      ).schedules,
    ).toBe(2);
    expect(
      m.search(
        () => mm.pool.free(row),
        () => mm.users[row + 1],
      ).schedules,
    ).toBe(1);
    expect(
      m.search(
        () => mm.pool.free(row),
        () => mm.pool.isLive(row),
      ).schedules,
    ).toBe(2);
    expect(mm.capacity).toBe(4);
  });

  it('check the guards that columns declare, through Atomics as well', () => {
    const m = new Machine();
    const bare = m.search(() => Atomics.add(m.t.mm.pages, 2, 1));
    expect([bare.failure?.kind, bare.failure?.message]).toEqual([
      'guard',
      'mm.pages[2] is written without mmap_lock[2] WRITE',
    ]);
    const good = function* (): Procedure<void> {
      yield acquire(m.mmapLock.ref(2), WRITE);
      m.t.mm.pages[2] += 1;
      yield release(m.mmapLock.ref(2), WRITE);
    };
    const report = explore(m.case([actor('a', good), actor('b', good)]), new DepthFirst());
    expect([report.verdict, report.schedules]).toEqual(['pass', 2]);
    expect(m.plain.mm.pages[2]).toBe(2);
  });
});
