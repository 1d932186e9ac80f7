import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MmId, VmaId, Vpn } from '../brands.js';
import { checkMachine } from '../check.js';
import { VM } from '../flags.js';
import { dupMm } from '../fork.js';
import { MADV } from '../madvise/advice.js';
import { madvise } from '../madvise.js';
import { MAX_MAP_COUNT, mmput } from '../mm.js';
import { mmap } from '../mmap.js';
import { mprotect } from '../mprotect.js';
import { munmap } from '../munmap.js';
import { makeWorld, mapAt, onlyVma, ranges, spy, touch, type World } from '../testing/world.js';
import { treeOrder, vmaAt, vmasOf } from '../vma-tree.js';

const RW = VM.READ | VM.WRITE;

function protect(w: World, start: number, pages: number, access: number, mm: MmId = w.mm): number {
  return w.run(mprotect(w.m, mm, start as Vpn, pages, access));
}

const at = (w: World, page: number): VmaId => vmaAt(w.m, w.mm, page) as VmaId;

describe('new mappings and their neighbours', () => {
  it('become one VMA below, above, or on both sides, if everything fits', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8);
    expect(ranges(w)).toEqual([[512, 528]]);
    mapAt(w, 504, 8);
    expect(ranges(w)).toEqual([[504, 528]]);
    mapAt(w, 536, 8);
    mapAt(w, 528, 8);
    expect(ranges(w)).toEqual([[504, 544]]);
    expect(w.m.vma.pool.live).toBe(1);
    expect(w.m.vma.pgoff[onlyVma(w)]).toBe(504);
  });

  it('stay apart with other flags, and special mappings always', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8, { flags: VM.READ });
    mapAt(w, 528, 8, { flags: VM.READ | VM.PFNMAP });
    mapAt(w, 536, 8, { flags: VM.READ | VM.PFNMAP });
    expect(ranges(w)).toEqual([
      [512, 520],
      [520, 528],
      [528, 536],
      [536, 544],
    ]);
  });

  it('cannot join two neighbours whose pages have different anon_vmas; the lower one grows', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 528, 8);
    touch(w, w.mm, 512, 513);
    touch(w, w.mm, 528, 529);
    mapAt(w, 520, 8);
    expect(ranges(w)).toEqual([
      [512, 528],
      [528, 536],
    ]);
  });

  it('of another page of the file are another VMA, the next page of it is not', () => {
    const w = makeWorld();
    mapAt(w, 512, 8, { kind: 1 });
    const file = w.m.vma.file[onlyVma(w)] as never;
    mapAt(w, 520, 8, { kind: 1, file, pgoff: 100 });
    expect(w.m.mm.vmaCount[w.mm]).toBe(2);
    mapAt(w, 520, 8, { kind: 1, file, pgoff: 8 });
    expect(ranges(w)).toEqual([[512, 528]]);
    expect(w.m.file.refs[file]).toBe(1);
  });

  it('tell khugepaged: of a merge, and of memory that is not anonymous', () => {
    const w = makeWorld();
    const told: number[] = [];
    w.m.hooks.khugepagedEnterVma = spy((vma: VmaId) => told.push(w.m.vma.start[vma]));
    mapAt(w, 512, 8);
    expect(told).toEqual([]);
    mapAt(w, 520, 8);
    expect(told).toEqual([512]);
    mapAt(w, 600, 8, { kind: 1 });
    expect(told).toEqual([512, 600]);
  });
});

describe('a change of flags in a part of a VMA', () => {
  it('splits it in up to three, with file offsets to match, and puts it together when it is undone', () => {
    const w = makeWorld();
    mapAt(w, 512, 30);
    touch(w, w.mm, 512, 542);
    expect(protect(w, 520, 10, VM.READ)).toBe(0);
    expect(ranges(w)).toEqual([
      [512, 520],
      [520, 530],
      [530, 542],
    ]);
    expect([...vmasOf(w.m, w.mm)].map((vma) => w.m.vma.pgoff[vma])).toEqual([512, 520, 530]);
    expect(new Set([...vmasOf(w.m, w.mm)].map((vma) => w.m.vma.anonVma[vma])).size).toBe(1);
    expect(protect(w, 520, 10, RW)).toBe(0);
    expect(ranges(w)).toEqual([[512, 542]]);
    expect(w.m.vma.pool.live).toBe(1);
    expect(w.m.avc.pool.live).toBe(1);
  });

  it('moves the boundary to a neighbour of the same sort', () => {
    const w = makeWorld();
    mapAt(w, 512, 30);
    protect(w, 512, 10, VM.READ);
    protect(w, 522, 5, VM.READ);
    expect(ranges(w)).toEqual([
      [512, 527],
      [527, 542],
    ]);
    protect(w, 524, 3, RW);
    expect(ranges(w)).toEqual([
      [512, 524],
      [524, 542],
    ]);
    expect(w.m.vma.pgoff[at(w, 524)]).toBe(524);
  });

  it('lets a neighbour without pages take over the anon_vma of the part it gains', () => {
    const w = makeWorld();
    mapAt(w, 512, 8, { flags: VM.READ | VM.NORESERVE });
    mapAt(w, 520, 8, { flags: RW | VM.NORESERVE });
    touch(w, w.mm, 520, 522);
    const anonVma = w.m.vma.anonVma[at(w, 520)];
    protect(w, 520, 4, VM.READ);
    expect(ranges(w)).toEqual([
      [512, 524],
      [524, 528],
    ]);
    expect(w.m.vma.anonVma[at(w, 512)]).toBe(anonVma);
    expect(w.m.anonVma.active[anonVma]).toBe(2);
  });

  it('does not merge memory that still has pages of a parent process with memory that has none', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 520);
    const child = w.run(dupMm(w.m, w.mm));
    w.run(mmap(w.m, child, { at: 520 as Vpn, pages: 8, fixed: 'noReplace' }));
    expect(ranges(w, child)).toEqual([
      [512, 520],
      [520, 528],
    ]);
    w.run(mmap(w.m, w.mm, { at: 520 as Vpn, pages: 8, fixed: 'noReplace' }));
    expect(ranges(w)).toEqual([[512, 528]]);
    w.run(mmput(w.m, child));
    w.run(mmput(w.m, w.mm));
    expect(w.m.anonVma.pool.live).toBe(0);
  });

  it('is refused with ENOMEM when the process has 65530 VMAs, with EAGAIN by madvise; undoing still works', () => {
    const w = makeWorld({ limits: { vmas: 70_000 } });
    mapAt(w, 512, 8);
    w.m.mm.vmaCount[w.mm] = MAX_MAP_COUNT - 1;
    expect(protect(w, 514, 2, VM.READ)).toBe(-12);
    // The first of the two splits was done, as in the kernel.
    expect(ranges(w)).toEqual([
      [512, 514],
      [514, 520],
    ]);
    expect(w.run(madvise(w.m, w.mm, 516 as Vpn, 2, MADV.HUGEPAGE))).toBe(-11);
    expect(w.run(munmap(w.m, w.mm, 516 as Vpn, 2))).toBe(-12);
    expect(w.run(munmap(w.m, w.mm, 516 as Vpn, 4))).toBe(0);
    expect(ranges(w)).toEqual([
      [512, 514],
      [514, 516],
    ]);
  });
});

describe('any sequence of mmap, munmap and mprotect', () => {
  it('leaves the VMAs that a page-by-page model says, and nothing after exit', () => {
    const step = fc.record({
      op: fc.constantFrom('map', 'unmap', 'read', 'write', 'touch'),
      start: fc.integer({ min: 16, max: 56 }),
      pages: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const w = makeWorld({ nodePages: [4096], geometry: { pageShift: 12, pmdOrder: 3 } });
        const model = new Map<number, number>();
        for (const { op, start, pages } of steps) {
          const all = Array.from({ length: pages }, (_, i) => start + i);
          if (op === 'map') {
            // Charged memory would not merge with memory that never was written.
            mapAt(w, start, pages, { flags: RW | VM.NORESERVE });
            for (const page of all) model.set(page, RW | VM.NORESERVE);
          } else if (op === 'unmap') {
            w.run(munmap(w.m, w.mm, start as Vpn, pages));
            for (const page of all) model.delete(page);
          } else if (op === 'touch') {
            touch(w, w.mm, start, start + pages);
          } else {
            const access = op === 'read' ? VM.READ : RW;
            const hole = all.findIndex((page) => !model.has(page));
            const done = protect(w, start, pages, access);
            expect(done).toBe(hole < 0 ? 0 : -12);
            for (const page of hole < 0 ? all : all.slice(0, hole)) model.set(page, access | VM.NORESERVE);
          }
        }
        checkAgainst(w, model);
        expect(checkMachine(w.m)).toEqual([]);
        w.run(mmput(w.m, w.mm));
        for (const table of [w.m.vma, w.m.anonVma, w.m.avc, w.m.pte, w.m.directory]) expect(table.pool.live).toBe(0);
        expect(w.m.node.freePages[0]).toBe(4095);
      }),
      { numRuns: 150 },
    );
  });
});

function checkAgainst(w: World, model: ReadonlyMap<number, number>): void {
  const vmas = [...vmasOf(w.m, w.mm)];
  const pages = vmas.flatMap((vma) =>
    Array.from({ length: w.m.vma.end[vma] - w.m.vma.start[vma] }, (_, i) => w.m.vma.start[vma] + i),
  );
  expect(pages).toEqual([...model.keys()].sort((a, b) => a - b));
  for (const vma of vmas) {
    expect(w.m.vma.pgoff[vma]).toBe(w.m.vma.start[vma]);
    for (let page = w.m.vma.start[vma]; page < w.m.vma.end[vma]; page++) {
      expect(w.m.vma.flags[vma]).toBe(model.get(page));
    }
  }
  expect(treeOrder(w.m, w.mm)).toEqual(vmas.map((vma) => w.m.vma.start[vma]));
  expect(w.m.mm.vmaCount[w.mm]).toBe(vmas.length);
}
