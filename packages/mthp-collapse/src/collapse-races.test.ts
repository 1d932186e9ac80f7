/**
 * Threads that use memory while it is collapsed, in virtual time under lockdep (khugepaged spec 20.2). Every thread knows
 * what it wrote last to its own pages; a page reads that, or zero where the thread gave it up.
 */
import { getBit, Random } from '@thplab/arena';
import {
  dupMm,
  FAULT,
  findPmd,
  findTable,
  folioDrop,
  folioHead,
  gupFastGet,
  handleMmFault,
  lruAddDrainAll,
  MADV,
  type MmId,
  madvise,
  mmput,
  NO_PMD,
  nextStamp,
  PMD,
  PMD_WRITE,
  pmdPfn,
  pmdType,
  pteBit,
  pteCell,
  type Vpn,
} from '@thplab/mm-model';
import { type Procedure, preempt, SequentialExecutor, sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import type { Generation } from './generations/generation.js';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
import { v12 } from './generations/v12.js';
import { scanResultName } from './results.js';
import { CollapseWorld } from './testing/collapse-world.js';

const RANGES = 3;
const WRITERS = 3;

class Race {
  readonly w: CollapseWorld;
  readonly random: Random;
  readonly executor: SequentialExecutor;
  readonly results: Map<string, number> = new Map();
  /** What each page must read; index from the base. */
  readonly wanted: number[];
  private ended = 0;

  constructor(generation: Generation, seed: number, orders: readonly number[], maxNone: number) {
    this.w = new CollapseWorld({ generation, nodePages: [8192], limits: { vmas: 1024, mms: 64 } });
    this.random = new Random(seed);
    const { w } = this;
    w.map(RANGES);
    w.enableOrders(...orders);
    w.set('khugepaged.max_ptes_none', maxNone);
    this.wanted = new Array(RANGES * w.m.ptes).fill(0);
    this.executor = new SequentialExecutor(w.m.domain, { cpus: 2, seed, rethrow: true });
    w.m.current = this.executor.current;
  }

  run(): void {
    for (let i = 0; i < WRITERS; i++) this.executor.spawn(`writer${i}`, () => this.writer(i));
    this.executor.spawn('pinner', () => this.pinner());
    this.executor.spawn('forker', () => this.forker());
    this.executor.spawn('collapser', () => this.collapser(false));
    this.executor.spawn('advised', () => this.collapser(true));
    expect(this.executor.run({ maxSteps: 3_000_000 }).end).toBe('idle');
  }

  private page(index: number): Vpn {
    return (this.w.base + index) as Vpn;
  }

  private *writer(self: number): Procedure<void> {
    const { w, random } = this;
    for (let step = 0; step < 400; step++) {
      // Small neighbourhoods, so that pages come to lie in one window; each page has one writer.
      const index = random.below(RANGES * 16) * 32 + random.below(8) * WRITERS + self;
      const dice = random.below(16);
      if (dice === 0) {
        this.wanted[index] = -1;
        yield* madvise(w.m, w.mm, this.page(index), 1, MADV.DONTNEED);
        this.wanted[index] = 0;
      } else if (dice < 8) yield* this.store(index);
      else yield* this.load(index);
    }
    this.ended++;
  }

  /** A store: through the mapping that is there if it is writable, by a fault if not. */
  private *store(index: number): Procedure<void> {
    for (;;) {
      const { frame, write } = this.look(index);
      if (frame > 0 && write) {
        this.wanted[index] = nextStamp(this.w.m);
        this.w.m.frame.stamp[frame] = this.wanted[index];
        return;
      }
      expect(yield* handleMmFault(this.w.m, this.w.mm, this.page(index), { write: true })).toBe(FAULT.ok);
      const after = this.look(index);
      // The fault wrote already; whether the page is in sight right now depends on who collapses.
      this.wanted[index] = after.frame > 0 ? (this.w.m.frame.stamp[after.frame] as number) : -1;
      if (this.wanted[index] !== -1) return;
      yield preempt();
    }
  }

  private *load(index: number): Procedure<void> {
    for (;;) {
      const { frame } = this.look(index);
      if (frame >= 0) {
        expect(frame === 0 ? 0 : this.w.m.frame.stamp[frame]).toBe(this.wanted[index]);
        return;
      }
      expect(yield* handleMmFault(this.w.m, this.w.mm, this.page(index), { write: false })).toBe(FAULT.ok);
      yield preempt();
    }
  }

  /** What the hardware would find at this instant. */
  private look(index: number, mm: MmId = this.w.mm): { readonly frame: number; readonly write: boolean } {
    const { m } = this.w;
    const page = this.page(index);
    const pmd = findPmd(m, mm, page);
    const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
    if (pmdType(entry) === PMD.huge) {
      return { frame: pmdPfn(m, entry) + (page % m.ptes), write: (entry & PMD_WRITE) !== 0 };
    }
    const table = findTable(m, mm, page);
    if (table === 0) return { frame: -1, write: false };
    const bit = pteBit(m, table, page % m.ptes);
    if (!getBit(m.pte.present, bit)) return { frame: -1, write: false };
    return { frame: m.pte.pfn[pteCell(m, table, page % m.ptes)], write: getBit(m.pte.write, bit) };
  }

  /** Lockless references, held for a while: what is read through them does not change under a collapse. */
  private *pinner(): Procedure<void> {
    const { w, random } = this;
    while (this.ended < WRITERS) {
      const pfn = yield* gupFastGet(w.m, w.mm, this.page(random.below(RANGES * w.m.ptes)));
      if (pfn !== 0) {
        yield sleep(random.below(20_000));
        folioDrop(w.m, folioHead(w.m, pfn));
      } else yield sleep(1000);
    }
  }

  /** Children that check, now and then, that they see only what was there when they were made. */
  private *forker(): Procedure<void> {
    const { w, random } = this;
    while (this.ended < WRITERS) {
      const child = yield* dupMm(w.m, w.mm);
      const index = random.below(RANGES * w.m.ptes);
      const frame = this.look(index, child).frame;
      const before = frame <= 0 ? 0 : w.m.frame.stamp[frame];
      yield sleep(50_000 + random.below(100_000));
      const later = this.look(index, child).frame;
      expect(later <= 0 ? 0 : w.m.frame.stamp[later]).toBe(before);
      yield* mmput(w.m, child);
    }
  }

  private *collapser(advised: boolean): Procedure<void> {
    const { w, random } = this;
    while (this.ended < WRITERS) {
      const at = w.base + random.below(RANGES) * w.m.ptes;
      if (advised) {
        const result = yield* w.madviseProcedure(at, at + w.m.ptes);
        this.count(`madvise ${result}`);
      } else {
        yield* lruAddDrainAll(w.m);
        this.count(scanResultName(yield* w.rangeProcedure(at, w.khugepaged)));
      }
      yield sleep(random.below(advised ? 400_000 : 20_000));
    }
  }

  private count(name: string): void {
    this.results.set(name, (this.results.get(name) ?? 0) + 1);
  }
}

describe('memory in use while it is collapsed', () => {
  it.each<[string, Generation, readonly number[], number]>([
    ['merged, all orders, everything allowed', merged, [2, 3, 4, 5, 6, 7, 8, 9], 511],
    ['merged, small orders, no holes', merged, [2, 3], 0],
    ['v12', v12, [2, 3, 4, 9], 255],
    ['v6.18', legacy618, [9], 511],
  ])('%s: no write is lost, no child sees another process, no lock is left', (_name, generation, orders, maxNone) => {
    const all = new Map<string, number>();
    // A collapse of small windows seldom finds them unshared and unpinned: as many more seeds as it takes to see one.
    for (let seed = 0; seed < 6 || (!all.has('SUCCEED') && seed < 36); seed++) {
      const race = new Race(generation, seed, orders, maxNone);
      race.run();
      expect(race.w.check()).toEqual([]);
      for (const [name, count] of race.results) all.set(name, (all.get(name) ?? 0) + count);
    }
    expect(all.get('SUCCEED')).toBeGreaterThan(0);
    expect([...all.keys()].length).toBeGreaterThan(3);
  });
});
