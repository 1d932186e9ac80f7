/** One procedure per guard that does without the lock, and must be found; and one that takes it, and must not. */
import {
  type AnonVmaId,
  anonVmaLock,
  clearPte,
  findPmd,
  findTable,
  type LOCKLESS,
  lockless,
  type MmId,
  type Vpn,
  vmaAt,
  vmaStartWrite,
} from '@thplab/mm-model';
import {
  acquire,
  DepthFirst,
  explore,
  type LockRef,
  type Procedure,
  preempt,
  READ,
  release,
  tryAcquire,
  WRITE,
} from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { caseText } from '../../testing/check-pairs.js';
import { parseCheck, subjectOf } from '../index.js';
import type { Stage } from '../stage.js';
import { GUARDS, guardedColumns } from './guard-check.js';

/** The machine of a test: one process with a heap. */
class World {
  readonly subject = subjectOf(parseCheck(caseText('{ bitmap: "0b1111_0110" }', ['munmap: {}'])));
  readonly stage: Stage = this.subject.stage;
  readonly m = this.stage.m;
  readonly t = this.stage.k.t;
  readonly mm: MmId;
  readonly page: Vpn;
  readonly vma: number;
  readonly table: number;
  readonly pmd: number;
  readonly locks: Readonly<Record<string, LockRef>>;

  constructor() {
    const { raw, processes, k } = this.stage;
    const app = processes.get('app');
    this.mm = app?.mm as MmId;
    this.page = app?.vmas.get('heap')?.start as Vpn;
    this.vma = vmaAt(raw, this.mm, this.page);
    this.table = findTable(raw, this.mm, this.page);
    this.pmd = findPmd(raw, this.mm, this.page);
    this.locks = {
      mmap: raw.locks.mmapLock.ref(this.mm),
      vma: raw.locks.vmaLock.ref(this.vma),
      anon: anonVmaLock(raw, raw.vma.anonVma[this.vma] as AnonVmaId),
      pmd: raw.locks.pmdLock.ref(Math.floor(this.pmd / raw.ptes)),
      pte: raw.locks.pteLock.ref(this.table),
      slots: k.mmLock,
      mutex: k.mutex,
    };
  }

  /** What a search of a task says that does some work under these locks. */
  search(work: (w: World) => void, ...held: readonly (readonly [string, typeof READ | typeof WRITE])[]): string {
    const procedure = (): Procedure<void> => this.run(work, held);
    const { reset, ...subject } = this.subject.subject;
    const report = explore(
      { ...subject, reset, check: () => [], checkStep: () => [], actors: [{ name: 'work', procedure }] },
      new DepthFirst(),
      { shrink: false },
    );
    const { failure } = report;
    if (failure !== undefined && failure.kind !== 'guard') return `another failure: ${failure.message}`;
    return failure?.message ?? 'passes';
  }

  private *run(
    work: (w: World) => void,
    held: readonly (readonly [string, typeof READ | typeof WRITE])[],
  ): Procedure<void> {
    for (const [name, mode] of held) {
      if (name === 'vmaStartWrite') yield* vmaStartWrite(this.m, this.vma as never);
      else if (name === 'vma') yield tryAcquire(this.locks.vma as LockRef, READ);
      else yield acquire(this.locks[name] as LockRef, mode);
    }
    yield preempt();
    work(this);
    yield preempt();
    for (const [name, mode] of held.toReversed()) {
      if (name !== 'vmaStartWrite') yield release(this.locks[name] as LockRef, mode);
    }
  }
}

const MMAP_R = ['mmap', READ] as const;
const MMAP_W = ['mmap', WRITE] as const;
const VMA_R = ['vma', READ] as const;
const VMA_W = ['vmaStartWrite', WRITE] as const;
const ANON_R = ['anon', READ] as const;
const ANON_W = ['anon', WRITE] as const;
const PMD = ['pmd', WRITE] as const;
const PTE = ['pte', WRITE] as const;
const SLOTS = ['slots', WRITE] as const;
const MUTEX = ['mutex', WRITE] as const;

type Held = readonly (readonly [string, typeof READ | typeof WRITE])[];

/** For each guard: a column, a use of it, locks that do not suffice, and locks that do. */
const USES: readonly {
  readonly guard: string;
  readonly column: string;
  readonly verb: 'read' | 'written';
  readonly work: (w: World) => void;
  readonly lacking: readonly Held[];
  readonly enough: readonly Held[];
}[] = [
  use('mmap_lock', 'mm.vmaCount', 'read', (w) => w.m.mm.vmaCount[w.mm], [[], [VMA_R], [ANON_W]], [[MMAP_R]]),
  use('mmap_lock', 'mm.vmaCount', 'written', (w) => (w.m.mm.vmaCount[w.mm] = 9), [[MMAP_R]], [[MMAP_W]]),
  use('vma_tree', 'vma.next', 'read', (w) => w.m.vma.next[w.vma], [[], [VMA_R]], [[MMAP_R]]),
  use('vma_tree', 'vma.next', 'written', (w) => (w.m.vma.next[w.vma] = 2), [[MMAP_R]], [[MMAP_W]]),
  use('vma', 'vma.flags', 'read', (w) => w.m.vma.flags[w.vma], [[], [PTE]], [[MMAP_R], [VMA_R], [ANON_R]]),
  use('vma', 'vma.flags', 'written', (w) => (w.m.vma.flags[w.vma] = 9), [[MMAP_R], [MMAP_W]], [[MMAP_W, VMA_W]]),
  use('vma_range', 'vma.start', 'read', (w) => w.m.vma.start[w.vma], [[], [PTE]], [[MMAP_R], [ANON_R]]),
  use(
    'vma_range',
    'vma.start',
    'written',
    (w) => (w.m.vma.start[w.vma] = 9),
    [[MMAP_W], [MMAP_W, ANON_W], [MMAP_W, VMA_W]],
    [[MMAP_W, VMA_W, ANON_W]],
  ),
  use('vma_anon', 'vma.avcFirst', 'read', (w) => w.m.vma.avcFirst[w.vma], [[], [PMD]], [[MMAP_R], [ANON_R]]),
  use(
    'vma_anon',
    'vma.avcLast',
    'written',
    (w) => (w.m.vma.avcLast[w.vma] = 3),
    [[MMAP_R], [MMAP_W], [ANON_W]],
    [
      [MMAP_R, ANON_W],
      [MMAP_W, VMA_W],
    ],
  ),
  use('anon_vma', 'anonVma.avcFirst', 'read', (w) => w.m.anonVma.avcFirst[1], [[], [MMAP_W]], [[ANON_R]]),
  use('anon_vma', 'anonVma.avcLast', 'written', (w) => (w.m.anonVma.avcLast[1] = 3), [[MMAP_W], [ANON_R]], [[ANON_W]]),
  use('pmd_lock', 'directory.entry', 'read', (w) => w.m.directory.entry[w.pmd], [[], [SLOTS]], [[MMAP_R], [PTE]]),
  use(
    'pmd_lock',
    'directory.entry',
    'written',
    (w) => (w.m.directory.entry[w.pmd] = 0),
    [[MMAP_W], [MMAP_W, ANON_W, PTE]],
    [[PMD]],
  ),
  use(
    'pte_lock',
    'pte.present',
    'read',
    (w) => w.m.pte.present[w.table * w.m.words],
    [[]],
    [[MMAP_R], [ANON_R], [PTE]],
  ),
  use(
    'pte_lock',
    'pte.pfn',
    'written',
    (w) => clearPte(w.m, w.table as never, 1),
    [[MMAP_W], [MMAP_W, ANON_W], [MMAP_W, PMD]],
    [[PTE], [MMAP_R, PTE]],
  ),
  use(
    'khugepaged_mm_lock',
    'mmSlotIndex.slot',
    'read',
    (w) => w.t.mmSlotIndex.slot[w.mm],
    [[], [MMAP_W], [MUTEX]],
    [[SLOTS]],
  ),
  use('khugepaged_mm_lock', 'khugepaged.roundAt', 'written', (w) => (w.t.khugepaged.roundAt[0] = 1), [[]], [[SLOTS]]),
  use('khugepaged_mutex', 'khugepaged.running', 'read', (w) => w.t.khugepaged.running[0], [[], [SLOTS]], [[MUTEX]]),
  use('khugepaged_mutex', 'khugepaged.running', 'written', (w) => (w.t.khugepaged.running[0] = 1), [[]], [[MUTEX]]),
];

function use(
  guard: string,
  column: string,
  verb: 'read' | 'written',
  work: (w: World) => unknown,
  lacking: readonly Held[],
  enough: readonly Held[],
): (typeof USES)[number] {
  return { guard, column, verb, work: (w) => void work(w), lacking, enough };
}

const text = (held: Held): string =>
  held.map(([name, mode]) => `${name} ${mode === READ ? 'R' : 'W'}`).join(', ') || 'no lock';

describe('a guard', () => {
  it.each(USES.map((one) => [one.guard, one.column, one.verb, one] as const))(
    '%s: %s is not %s without it',
    (...[, , , one]) => {
      const world = new World();
      for (const held of one.lacking) {
        const said = world.search(one.work, ...held);
        expect(said, text(held)).toContain(`${one.column}[`);
        expect(said, text(held)).toContain(`is ${one.verb} by a task that holds`);
        expect(said, text(held)).toContain(GUARDS[one.guard]?.[one.verb === 'read' ? 'reads' : 'writes']);
      }
      for (const held of one.enough) expect(world.search(one.work, ...held), text(held)).toBe('passes');
    },
  );

  it('is declared and tried here, if a column names it', () => {
    const { plan } = new World().stage.raw.arena;
    const named = new Set(plan.tables.flatMap(({ columns }) => columns.map(({ guard }) => guard ?? '')));
    named.delete('');
    expect([...named].sort()).toEqual(Object.keys(GUARDS).sort());
    expect([...new Set(USES.map((one) => one.guard))].sort()).toEqual(Object.keys(GUARDS).sort());
    expect(guardedColumns(plan).length).toBeGreaterThan(named.size);
  });

  it('is not asked where an access says why it needs no lock', () => {
    const world = new World();
    const why = 'a test' as (typeof LOCKLESS)[keyof typeof LOCKLESS];
    expect(world.search((w) => void lockless(w.m, why).directory.entry[w.pmd])).toBe('passes');
    expect(
      world.search((w) => {
        lockless(w.m, why).directory.entry[w.pmd] = 0;
      }),
    ).toBe('passes');
  });

  it('sees rows that were freed', () => {
    const world = new World();
    const said = world.search((w) => {
      const row = w.m.vma.pool.alloc();
      w.m.vma.pool.free(row);
      void w.m.vma.flags[row];
    }, MMAP_W);
    expect(said).toMatch(/^vma\.flags\[\d\] is read after the row was freed$/);
  });
});
