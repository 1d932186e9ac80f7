import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { checkMachine } from './check.js';
import { FAULT } from './fault-result.js';
import { VM, VMA_KIND } from './flags.js';
import { dupMm } from './fork.js';
import { mprotect } from './mprotect.js';
import { PMD, PMD_WRITE } from './page-table.js';
import { contents, frameOf, pmdEntry, pmdKind, pteView } from './testing/pages.js';
import { makeWorld, mapAt, ranges, touch, type World } from './testing/world.js';

const RW = VM.READ | VM.WRITE;
const HUGE = RW | VM.HUGEPAGE;

const protect = (w: World, start: number, pages: number, access: number): number =>
  w.run(mprotect(w.m, w.mm, start as Vpn, pages, access));

describe('mprotect of small pages', () => {
  it('takes the write bit at once and gives it back to exclusive pages without a fault', () => {
    const w = makeWorld();
    mapAt(w, 512, 4);
    touch(w, w.mm, 512, 516);
    protect(w, 512, 2, VM.READ);
    expect(pteView(w, 512).bits).not.toContain('write');
    expect(pteView(w, 514).bits).toContain('write');
    expect(touch(w, w.mm, 512, 513)).toEqual([FAULT.sigsegv]);
    expect(touch(w, w.mm, 512, 513, false)).toEqual([]);
    protect(w, 512, 2, RW);
    expect(pteView(w, 512).bits).toContain('write');
  });

  it('leaves pages that are shared with a child, and the zero page, to the next write fault', () => {
    const w = makeWorld();
    mapAt(w, 512, 4);
    touch(w, w.mm, 512, 513);
    touch(w, w.mm, 513, 514, false);
    w.run(dupMm(w.m, w.mm));
    protect(w, 512, 4, VM.READ);
    protect(w, 512, 4, RW);
    expect(pteView(w, 512).bits).not.toContain('write');
    expect(pteView(w, 513)).toMatchObject({ state: 'zero' });
    expect(pteView(w, 513).bits).not.toContain('write');
    const shared = frameOf(w, 512);
    expect(touch(w, w.mm, 512, 513)).toEqual([]);
    expect(frameOf(w, 512)).not.toBe(shared);
  });

  it('PROT_NONE keeps the pages where they are', () => {
    const w = makeWorld();
    mapAt(w, 512, 4);
    touch(w, w.mm, 512, 516);
    const before = contents(w, 512, 516);
    protect(w, 512, 4, 0);
    expect(contents(w, 512, 516)).toEqual(before);
    expect(touch(w, w.mm, 512, 513, false)).toEqual([FAULT.sigsegv]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(4);
  });
});

describe('mprotect of huge pages', () => {
  it('of all of one keeps the huge PMD and changes its write bit', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: HUGE });
    touch(w, w.mm, 600, 601);
    expect(pmdKind(w, 512)).toBe(PMD.huge);
    protect(w, 512, 512, VM.READ);
    expect(pmdKind(w, 512)).toBe(PMD.huge);
    expect(pmdEntry(w, 512) & PMD_WRITE).toBe(0);
    protect(w, 512, 512, RW);
    expect(pmdEntry(w, 512) & PMD_WRITE).not.toBe(0);
  });

  it('of a part splits the PMD, not the folio: all pages stay, and stay large', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: HUGE });
    touch(w, w.mm, 512, 520);
    const before = contents(w, 512, 1024);
    const frame = frameOf(w, 512);
    protect(w, 612, 1, VM.READ);
    expect(pmdKind(w, 512)).toBe(PMD.table);
    expect(ranges(w)).toEqual([
      [512, 612],
      [612, 613],
      [613, 1024],
    ]);
    expect(contents(w, 512, 1024)).toEqual(before);
    expect(frameOf(w, 900)).toBe(frame + 388);
    expect(w.m.frame.flags[frame] & 0xf).toBe(9);
    expect([611, 612, 613].map((page) => pteView(w, page).bits.includes('write'))).toEqual([true, false, true]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(512);
    expect(w.m.mm.anonThps[w.mm]).toBe(0);
    protect(w, 612, 1, RW);
    expect(ranges(w)).toEqual([[512, 1024]]);
    expect(pteView(w, 612).bits).toContain('write');
  });
});

describe('mprotect between neighbours', () => {
  it('that moves the boundary into a huge page splits its mapping', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: HUGE | VM.NORESERVE });
    mapAt(w, 1024, 8, { flags: VM.READ | VM.HUGEPAGE | VM.NORESERVE });
    touch(w, w.mm, 512, 513);
    expect(pmdKind(w, 512)).toBe(PMD.huge);
    protect(w, 1000, 24, VM.READ);
    expect(ranges(w)).toEqual([
      [512, 1000],
      [1000, 1032],
    ]);
    expect(pmdKind(w, 512)).toBe(PMD.table);
    expect(checkMachine(w.m)).toEqual([]);
  });

  it('does not put pages of a parent process into a neighbour without pages', () => {
    const w = makeWorld();
    mapAt(w, 504, 8, { flags: VM.READ | VM.NORESERVE });
    mapAt(w, 512, 8, { flags: RW | VM.NORESERVE });
    touch(w, w.mm, 512, 520);
    const child = w.run(dupMm(w.m, w.mm));
    w.run(mprotect(w.m, child, 512 as Vpn, 8, VM.READ));
    expect(ranges(w, child)).toEqual([
      [504, 512],
      [512, 520],
    ]);
    protect(w, 512, 8, VM.READ);
    expect(ranges(w)).toEqual([[504, 520]]);
  });

  it('keeps memory that was written apart from memory that never was: the one stays charged, the other is not', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8, { flags: RW | VM.EXEC });
    touch(w, w.mm, 512, 520);
    protect(w, 512, 16, VM.READ);
    expect(ranges(w)).toEqual([
      [512, 520],
      [520, 528],
    ]);
    protect(w, 512, 16, RW);
    expect(ranges(w)).toEqual([[512, 528]]);
  });
});

describe('mprotect of shared memory', () => {
  it('gives the write bit back to pages that are dirty; others tell the file by a fault first', () => {
    const w = makeWorld();
    mapAt(w, 512, 4, { kind: VMA_KIND.shmem });
    touch(w, w.mm, 512, 514);
    touch(w, w.mm, 514, 516, false);
    protect(w, 512, 4, VM.READ);
    protect(w, 512, 4, RW);
    expect([512, 515].map((page) => pteView(w, page).bits.includes('write'))).toEqual([true, false]);
  });
});

describe('mprotect errors', () => {
  it('a hole is ENOMEM, and what lies below it has changed', () => {
    const w = makeWorld();
    mapAt(w, 512, 4);
    mapAt(w, 520, 4);
    expect(protect(w, 512, 12, VM.READ)).toBe(-12);
    expect(touch(w, w.mm, 512, 513)).toEqual([FAULT.sigsegv]);
    expect(touch(w, w.mm, 520, 521)).toEqual([]);
    expect(protect(w, 500, 20, VM.READ)).toBe(-12);
  });

  it('an empty range is no error, one beyond the address space and rights that do not exist are EINVAL', () => {
    const w = makeWorld();
    expect(protect(w, 512, 0, VM.READ)).toBe(0);
    expect(protect(w, 512, 2 ** 40, VM.READ)).toBe(-22);
    expect(protect(w, 512, 1, VM.SHARED)).toBe(-22);
  });
});
