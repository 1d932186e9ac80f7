import { folioTrylock, PAGE, type Pfn, placeSwapped, setFrameFlags, type Vpn } from '@thplab/mm-model';
import { type Procedure, READ, SequentialExecutor } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { collapseHugePage } from './collapse-huge-page.js';
import type { Generation } from './generations/generation.js';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
import { v4 } from './generations/v4.js';
import { v12 } from './generations/v12.js';
import { SCAN } from './results.js';
import { BASE, CollapseWorld } from './testing/collapse-world.js';

/** Runs a procedure under lockdep and gives its lock operations in words: `+mmap_lock R`, `-pmd_lock`. */
function locksOf(w: CollapseWorld, procedure: () => Procedure<unknown>): string[] {
  const seen: string[] = [];
  const name = (lock: Parameters<typeof w.m.domain.classOf>[0], mode: number): string => {
    const { name: className, kind } = w.m.domain.classOf(lock);
    return kind === 'spin' ? className : `${className} ${mode === READ ? 'R' : 'W'}`;
  };
  const executor = new SequentialExecutor(w.m.domain, {
    rethrow: true,
    observers: [
      {
        lockTaken: (lock, mode) => seen.push(`+${name(lock, mode)}`),
        lockGiven: (lock, mode) => seen.push(`-${name(lock, mode)}`),
      },
    ],
  });
  w.m.current = executor.current;
  executor.spawn('test', procedure);
  executor.run();
  return seen;
}

function attemptLocks(
  generation: Generation,
  order: number,
  spoil: (w: CollapseWorld) => void = () => {},
  slot = 0,
): string[] {
  const w = new CollapseWorld({ generation });
  w.map();
  w.enableOrders(4, 9);
  w.place(0, 500);
  spoil(w);
  const a = w.khugepaged.attempt;
  a.aim(w.mm, BASE, slot, order);
  a.unmapped = w.m.mm.swapEnts[w.mm];
  w.khugepaged.lockDropped = true;
  return locksOf(w, () => collapseHugePage(w.ctx, w.khugepaged));
}

const READ_PHASE = ['+mmap_lock R', '-mmap_lock R'];
const WRITE_PHASE = ['+mmap_lock W', '+vma_lock W', '-vma_lock W', '+anon_vma W'];
const DETACH = ['+pmd_lock', '-pmd_lock', '+pte_lock', '-pte_lock'];
const UNMAP = ['+pte_lock', '-pte_lock'];

describe('locks of an attempt (khugepaged spec 10)', () => {
  it('at the PMD order the anon_vma is let go before the copy', () => {
    expect(attemptLocks(merged, 9)).toEqual([
      ...READ_PHASE,
      ...WRITE_PHASE,
      ...DETACH,
      '-anon_vma W',
      ...UNMAP,
      '+pmd_lock',
      '-pmd_lock',
      '-mmap_lock W',
    ]);
  });

  it('legacy takes the same', () => {
    expect(attemptLocks(legacy618, 9)).toEqual(attemptLocks(merged, 9));
  });

  it.each([merged, v12])(
    '$name: below the PMD order the anon_vma is kept until the table is back, and the PTE lock nests in the PMD lock',
    (generation) => {
      expect(attemptLocks(generation, 4)).toEqual([
        ...READ_PHASE,
        ...WRITE_PHASE,
        ...DETACH,
        ...UNMAP,
        '+pmd_lock',
        '+pte_lock',
        '-pte_lock',
        '-pmd_lock',
        '-anon_vma W',
        '-mmap_lock W',
      ]);
    },
  );

  it('v4 lets the anon_vma go while the table is out: the defect B7', () => {
    const locks = attemptLocks(v4, 4);
    expect(locks.indexOf('-anon_vma W')).toBeLessThan(locks.lastIndexOf('+pmd_lock'));
  });

  it('a page that cannot be taken: the table goes back under the PMD lock', () => {
    const lockOne = (w: CollapseWorld): void => void folioTrylock(w.m, w.frame(BASE + 5) as Pfn);
    expect(attemptLocks(merged, 4, lockOne)).toEqual([
      ...READ_PHASE,
      ...WRITE_PHASE,
      ...DETACH,
      '+pmd_lock',
      '-pmd_lock',
      '-anon_vma W',
      '-mmap_lock W',
    ]);
  });

  it('a poisoned page: the same after the copy', () => {
    expect(attemptLocks(merged, 9, (w) => setFrameFlags(w.m, w.frame(BASE + 3), PAGE.HWPOISON))).toEqual([
      ...READ_PHASE,
      ...WRITE_PHASE,
      ...DETACH,
      '-anon_vma W',
      '+pmd_lock',
      '-pmd_lock',
      ...UNMAP,
      '-mmap_lock W',
    ]);
  });

  it('a failed revalidation takes mmap_lock for reading and nothing else', () => {
    expect(attemptLocks(merged, 9, (w) => w.enableOrders(4))).toEqual(READ_PHASE);
  });

  it('a refused swap-in gives mmap_lock back exactly once', () => {
    const swapTwo = (w: CollapseWorld): void => placeSwapped(w.m, w.vma(), (BASE + 500) as Vpn, 2);
    expect(attemptLocks(merged, 4, swapTwo, 496)).toEqual(READ_PHASE);
  });
});

describe('mmap_lock around a range', () => {
  it.each([
    [merged, false],
    [v12, true],
  ])('$name: a scanned table without a window to try leaves it held: $1', (generation, held) => {
    const w = new CollapseWorld({ generation });
    w.map();
    w.enableOrders(4, 5);
    w.place(0, 3);
    w.set('khugepaged.max_ptes_none', 0);
    const locks = locksOf(w, () => w.rangeProcedure(BASE, w.khugepaged));
    expect(locks).toEqual(['+mmap_lock R', '+pte_lock', '-pte_lock', '-mmap_lock R']);
    expect(w.khugepaged.lockDropped).toBe(!held);
  });

  it('a failed scan keeps it', () => {
    const w = new CollapseWorld();
    w.map();
    expect(w.range()).toBe(SCAN.NO_PTE_TABLE);
    expect(w.khugepaged.lockDropped).toBe(false);
  });
});
