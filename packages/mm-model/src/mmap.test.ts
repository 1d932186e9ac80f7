import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { VM, VMA_KIND } from './flags.js';
import { MAX_MAP_COUNT } from './mm.js';
import { type MmapOptions, mmap } from './mmap.js';
import { munmap } from './munmap.js';
import { PMD } from './page-table.js';
import { contents, pmdKind } from './testing/pages.js';
import { makeWorld, mapAt, onlyVma, ranges, touch, type World } from './testing/world.js';
import { mmapBase } from './vma/unmapped-area.js';

const map = (w: World, options: MmapOptions): number => w.run(mmap(w.m, w.mm, options));
const unmap = (w: World, start: number, pages: number): number => w.run(munmap(w.m, w.mm, start as Vpn, pages));

describe('where a mapping goes', () => {
  it('is the highest hole that fits, from the top down', () => {
    const w = makeWorld();
    const base = mmapBase(w.m);
    expect(map(w, { pages: 8 })).toBe(base - 8);
    expect(map(w, { pages: 8, flags: VM.READ })).toBe(base - 16);
    expect(map(w, { pages: 8, flags: VM.READ | VM.EXEC })).toBe(base - 24);
    unmap(w, base - 16, 8);
    expect(map(w, { pages: 9 })).toBe(base - 33);
    expect(map(w, { pages: 8, flags: VM.READ })).toBe(base - 16);
  });

  it('is aligned for anonymous memory of whole PMD ranges, so that it can be huge', () => {
    const w = makeWorld();
    map(w, { pages: 8 });
    expect(map(w, { pages: 1024 }) % 512).toBe(0);
    expect(map(w, { pages: 1023, flags: VM.READ }) % 512).not.toBe(0);
    expect(map(w, { pages: 1024, kind: VMA_KIND.shmem }) % 512).not.toBe(0);
  });

  it('is the hint if that is free', () => {
    const w = makeWorld();
    expect(map(w, { pages: 8, at: 1000 as Vpn })).toBe(1000);
    expect(map(w, { pages: 8, at: 1004 as Vpn })).toBe(mmapBase(w.m) - 8);
  });

  it('with MAP_FIXED replaces what is there, with NOREPLACE does not', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    touch(w, w.mm, 512, 528);
    expect(map(w, { pages: 4, at: 516 as Vpn, fixed: 'noReplace' })).toBe(-17);
    expect(map(w, { pages: 4, at: 516 as Vpn, fixed: 'replace', flags: VM.READ })).toBe(516);
    expect(ranges(w)).toEqual([
      [512, 516],
      [516, 520],
      [520, 528],
    ]);
    expect(contents(w, 516, 520)).toEqual([0, 0, 0, 0]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(12);
  });
});

describe('mmap errors and options', () => {
  it('EINVAL: empty, or fixed below the lowest address; ENOMEM: too large, outside, or no hole', () => {
    const w = makeWorld();
    expect(map(w, { pages: 0 })).toBe(-22);
    expect(map(w, { pages: 8, at: 1 as Vpn, fixed: 'replace' })).toBe(-22);
    expect(map(w, { pages: 2 ** 40 })).toBe(-12);
    expect(map(w, { pages: 8, at: (w.m.addressPages - 4) as Vpn, fixed: 'replace' })).toBe(-12);
    expect(map(w, { pages: w.m.addressPages - 1 })).toBe(-12);
  });

  it('ENOMEM: more VMAs than vm.max_map_count', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    w.m.mm.vmaCount[w.mm] = MAX_MAP_COUNT + 1;
    expect(map(w, { pages: 8 })).toBe(-12);
  });

  it('MAP_POPULATE touches everything, MAP_STACK wants no huge pages', () => {
    const w = makeWorld({ thp: 'always' });
    mapAt(w, 512, 512, { populate: true });
    expect(w.m.mm.rssAnon[w.mm]).toBe(512);
    expect(pmdKind(w, 512)).toBe(PMD.huge);
    mapAt(w, 1024, 512, { populate: true, stack: true });
    expect(pmdKind(w, 1024)).toBe(PMD.table);
  });

  it('shared memory without a file gets an object of its own size', () => {
    const w = makeWorld();
    mapAt(w, 512, 100, { kind: VMA_KIND.shmem });
    const vma = onlyVma(w);
    expect(w.m.vma.flags[vma] & VM.SHARED).toBe(VM.SHARED);
    expect(w.m.file.pages[w.m.vma.file[vma]]).toBe(100);
    expect(w.m.vma.pgoff[vma]).toBe(0);
  });
});

describe('munmap', () => {
  it('passes over holes, frees the pages, and the tables that nothing else needs', () => {
    const w = makeWorld();
    mapAt(w, 512, 512);
    mapAt(w, 1100, 4);
    touch(w, w.mm, 512, 1024);
    touch(w, w.mm, 1100, 1104);
    expect(unmap(w, 400, 800)).toBe(0);
    expect(ranges(w)).toEqual([]);
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.pageTables[w.mm]]).toEqual([0, 0]);
    expect(unmap(w, 400, 800)).toBe(0);
  });

  it('keeps a table that a neighbour still uses', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 600, 8);
    touch(w, w.mm, 512, 520);
    touch(w, w.mm, 600, 608);
    unmap(w, 512, 8);
    expect(w.m.mm.pageTables[w.mm]).toBe(1);
    unmap(w, 600, 8);
    expect(w.m.mm.pageTables[w.mm]).toBe(0);
  });

  it('of a part of a huge page splits the mapping; the rest keeps its content', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    touch(w, w.mm, 512, 1024);
    const before = contents(w, 512, 1024);
    unmap(w, 700, 24);
    expect(contents(w, 512, 1024)).toEqual(before.map((stamp, i) => (i >= 188 && i < 212 ? 0 : stamp)));
    expect(w.m.mm.rssAnon[w.mm]).toBe(488);
  });

  it('is EINVAL for an empty range or one outside the address space', () => {
    const w = makeWorld();
    expect(unmap(w, 512, 0)).toBe(-22);
    expect(unmap(w, 512, 2 ** 40)).toBe(-22);
  });
});
