/** What happens between two steps of an attempt, at chosen moments of virtual time. */
import {
  dupMm,
  MADV,
  type MmId,
  madvise,
  mmapReadUnlock,
  munmap,
  PMD,
  PTE_YOUNG,
  placeFolio,
  placeSwapped,
  type Vpn,
} from '@thplab/mm-model';
import { acquire, type Procedure, READ, SequentialExecutor } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { CollapseControl } from './collapse-control.js';
import { collapseHugePage } from './collapse-huge-page.js';
import { collapseSinglePmd } from './collapse-single-pmd.js';
import { SCAN, type ScanResult } from './results.js';
import { BASE, CollapseWorld } from './testing/collapse-world.js';

/** Runs an attempt at the PMD order, and `other` from the given moment on. Swapping in one page takes 25 µs of it. */
function attemptAgainst(w: CollapseWorld, startNs: number, other: () => Procedure<unknown>): ScanResult {
  w.khugepaged.scan.reset();
  w.khugepaged.attempt.aim(w.mm, BASE, 0, 9);
  w.khugepaged.attempt.unmapped = 1;
  w.khugepaged.lockDropped = true;
  const executor = new SequentialExecutor(w.m.domain, { cpus: 2, rethrow: true });
  w.m.current = executor.current;
  const attempt = executor.spawn('attempt', () => collapseHugePage(w.ctx, w.khugepaged));
  executor.spawn('other', other, { startNs });
  expect(executor.run().end).toBe('idle');
  return attempt.result as ScanResult;
}

function swappedWorld(): CollapseWorld {
  const w = new CollapseWorld();
  w.map();
  w.place(0, 511);
  placeSwapped(w.m, w.vma(), (BASE + 511) as Vpn, 1);
  return w;
}

describe('between reading and writing of mmap_lock (case B16)', () => {
  it.each<[string, ScanResult, (w: CollapseWorld) => Procedure<unknown>]>([
    ['the memory is unmapped', SCAN.VMA_NULL, (w) => munmap(w.m, w.mm, BASE, 512)],
    ['half of it is unmapped', SCAN.ADDRESS_RANGE, (w) => munmap(w.m, w.mm, BASE, 256)],
    ['huge pages are not wanted any more', SCAN.VMA_CHECK, (w) => madvise(w.m, w.mm, BASE, 512, MADV.NOHUGEPAGE)],
  ])('%s', (_name, result, other) => {
    const w = swappedWorld();
    expect(attemptAgainst(w, 10_000, () => other(w))).toBe(result);
    expect(w.pmd()).not.toBe(PMD.huge);
    expect(w.check()).toEqual([]);
  });

  it('the table goes, so the PMD is looked at once more', () => {
    const w = swappedWorld();
    // MADV_DONTNEED needs mmap_lock for reading only, and so runs beside the swap-in.
    expect(attemptAgainst(w, 10_000, () => madvise(w.m, w.mm, BASE, 512, MADV.DONTNEED))).toBe(SCAN.NO_PTE_TABLE);
    expect(w.check()).toEqual([]);
  });
});

describe('while one process collapses what another maps too', () => {
  it.each([0, 4])('its scan finds the folios of order %i busy', (order) => {
    const w = new CollapseWorld();
    w.map();
    if (order === 0) w.place(0, 16);
    else placeFolio(w.m, w.vma(), BASE, order, PTE_YOUNG);
    const child = w.run(dupMm(w.m, w.mm));
    w.set('khugepaged.max_ptes_shared', 511);
    const executor = new SequentialExecutor(w.m.domain, { cpus: 2, rethrow: true });
    w.m.current = executor.current;
    executor.spawn('parent', () => w.madviseProcedure(BASE, BASE + 512));
    // Copying 16 pages and zeroing 496 takes far longer than this.
    const scan = executor.spawn('child', () => rangeOf(w, child), { startNs: 50_000 });
    executor.run();
    expect(scan.result).toBe(SCAN.PAGE_LRU);
    expect(w.pmd()).toBe(PMD.huge);
    expect(w.run(rangeOf(w, child))).toBe(SCAN.SUCCEED);
    expect(w.check()).toEqual([]);
  });
});

function* rangeOf(w: CollapseWorld, mm: MmId): Procedure<ScanResult> {
  yield acquire(w.m.locks.mmapLock.ref(mm), READ);
  const cc = new CollapseControl(w.ctx, 'madvise');
  const outcome = yield* collapseSinglePmd(w.ctx, cc, w.vma(BASE, mm), BASE);
  if (!outcome.lockDropped) yield* mmapReadUnlock(w.m, mm);
  return outcome.result;
}
