import { vmstatIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { MmId, Vpn } from './brands.js';
import { FOLIO, ORDER_MASK, VM } from './flags.js';
import { dupMm } from './fork.js';
import { MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mlock, munlock } from './mlock.js';
import { mmap } from './mmap.js';
import { munmap } from './munmap.js';
import { PMD } from './page-table.js';
import { contents, frameOf, pmdKind } from './testing/pages.js';
import { makeWorld, mapAt, ranges, touch, type World } from './testing/world.js';

const isMlocked = (w: World, page: number, mm: MmId = w.mm): boolean => {
  const frame = frameOf(w, page, mm);
  return (w.m.frame.flags[frame - (frame % (1 << (w.m.frame.flags[frame] & ORDER_MASK)))] & FOLIO.MLOCKED) !== 0;
};
const mlocked = (w: World): number => w.m.vmstat.value[vmstatIndex('nr_mlock')];
const lock = (w: World, start: number, pages: number): number => w.run(mlock(w.m, w.mm, start as Vpn, pages));
const unlock = (w: World, start: number, pages: number): number => w.run(munlock(w.m, w.mm, start as Vpn, pages));

describe('mlock', () => {
  it('brings all pages in, marks old and new ones, and counts them', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    touch(w, w.mm, 512, 514);
    expect(lock(w, 512, 8)).toBe(0);
    expect(ranges(w)).toEqual([
      [512, 520],
      [520, 528],
    ]);
    expect([512, 513, 519].map((page) => isMlocked(w, page))).toEqual([true, true, true]);
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.lockedVm[w.mm], mlocked(w)]).toEqual([8, 8, 8]);
    expect(unlock(w, 512, 8)).toBe(0);
    expect(ranges(w)).toEqual([[512, 528]]);
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.lockedVm[w.mm], mlocked(w)]).toEqual([8, 0, 0]);
  });

  it('keeps pages from reclaim', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    touch(w, w.mm, 512, 528);
    lock(w, 512, 8);
    expect(w.run(madvise(w.m, w.mm, 512 as Vpn, 8, MADV.PAGEOUT))).toBe(-22);
    expect(w.run(madvise(w.m, w.mm, 520 as Vpn, 8, MADV.PAGEOUT))).toBe(0);
    expect(w.m.mm.swapEnts[w.mm]).toBe(8);
  });

  it('of a part of a huge page splits the mapping; the folio is larger than the locked VMA, so it is not marked', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    touch(w, w.mm, 512, 1024);
    const before = contents(w, 512, 1024);
    lock(w, 600, 10);
    expect(pmdKind(w, 512)).toBe(PMD.table);
    expect(isMlocked(w, 605)).toBe(false);
    expect(contents(w, 512, 1024)).toEqual(before);
    lock(w, 512, 512);
    expect(ranges(w)).toEqual([[512, 1024]]);
    expect(isMlocked(w, 605)).toBe(true);
    expect(mlocked(w)).toBe(512);
  });

  it('marks a huge page as a whole and leaves it huge', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    expect(lock(w, 512, 512)).toBe(0);
    expect(pmdKind(w, 512)).toBe(PMD.huge);
    expect([isMlocked(w, 700), mlocked(w)]).toEqual([true, 512]);
    w.run(munmap(w.m, w.mm, 512 as Vpn, 512));
    expect([w.m.mm.lockedVm[w.mm], mlocked(w)]).toEqual([0, 0]);
  });

  it('is not inherited: the child’s VMA is not locked, the shared pages stay marked until the parent unlocks', () => {
    const w = makeWorld();
    mapAt(w, 512, 4);
    lock(w, 512, 4);
    const child = w.run(dupMm(w.m, w.mm));
    expect(w.m.mm.lockedVm[child]).toBe(0);
    expect(isMlocked(w, 512, child)).toBe(true);
    unlock(w, 512, 4);
    expect(isMlocked(w, 512, child)).toBe(false);
  });

  it('of shared pages copies them; the other process’s pages are not marked any more', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 520);
    const child = w.run(dupMm(w.m, w.mm));
    lock(w, 512, 8);
    expect([isMlocked(w, 512), isMlocked(w, 512, child), mlocked(w)]).toEqual([true, false, 8]);
  });

  it('unmapping takes the mark off pages that another process keeps', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    lock(w, 512, 8);
    const child = w.run(dupMm(w.m, w.mm));
    expect(isMlocked(w, 512, child)).toBe(true);
    w.run(munmap(w.m, w.mm, 512 as Vpn, 4));
    expect([512, 516].map((page) => isMlocked(w, page, child))).toEqual([false, true]);
    expect(mlocked(w)).toBe(4);
  });

  it('a write to a part of a shared huge page takes the mark off it; the pages copied have their own', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    touch(w, w.mm, 512, 1024);
    lock(w, 512, 512);
    const child = w.run(dupMm(w.m, w.mm));
    touch(w, w.mm, 600, 601);
    expect([isMlocked(w, 600), isMlocked(w, 512), isMlocked(w, 512, child), mlocked(w)]).toEqual([
      true,
      false,
      false,
      1,
    ]);
  });

  it('munlock of a part of a huge page takes the mark off all of it', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    lock(w, 512, 512);
    expect([isMlocked(w, 512), mlocked(w)]).toEqual([true, 512]);
    unlock(w, 600, 1);
    expect([isMlocked(w, 512), mlocked(w)]).toEqual([false, 0]);
  });

  it('a huge page that is split leaves the mark where the locked VMA is', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    touch(w, w.mm, 512, 1024);
    lock(w, 600, 10);
    w.run(madvise(w.m, w.mm, 512 as Vpn, 8, MADV.COLD));
    expect([599, 600, 609, 610].map((page) => isMlocked(w, page))).toEqual([false, true, true, false]);
    expect(mlocked(w)).toBe(10);
  });

  it('memory without any rights is ENOMEM, and what lies behind it is locked but not brought in', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8, { flags: 0 });
    mapAt(w, 528, 8);
    expect(lock(w, 512, 24)).toBe(-12);
    expect([w.m.mm.lockedVm[w.mm], w.m.mm.rssAnon[w.mm]]).toEqual([24, 8]);
  });

  it('MAP_LOCKED does the same at once', () => {
    const w = makeWorld();
    const start = w.run(mmap(w.m, w.mm, { pages: 8, flags: VM.READ | VM.WRITE | VM.LOCKED }));
    expect(start).toBeGreaterThan(0);
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.lockedVm[w.mm], mlocked(w)]).toEqual([8, 8, 8]);
  });

  it('a hole is ENOMEM and what lies below it is locked; without memory EAGAIN; an empty range is fine', () => {
    const w = makeWorld({ nodePages: [600], swapPages: 0 });
    mapAt(w, 512, 4);
    mapAt(w, 520, 4);
    expect(lock(w, 512, 12)).toBe(-12);
    expect(w.m.mm.lockedVm[w.mm]).toBe(4);
    expect(lock(w, 512, 0)).toBe(0);
    expect(lock(w, 512, 2 ** 40)).toBe(-22);
    mapAt(w, 2048, 1000);
    expect(lock(w, 2048, 1000)).toBe(-11);
  });
});
