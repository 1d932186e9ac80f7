import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MmId, Vpn } from './brands.js';
import { checkMachine } from './check.js';
import { VM } from './flags.js';
import { dupMm } from './fork.js';
import { mmput } from './mm.js';
import { type MremapOptions, mremap } from './mremap.js';
import { PMD } from './page-table.js';
import { rmapWalk } from './rmap.js';
import { contents, frameOf, pmdKind, pteView } from './testing/pages.js';
import { makeWorld, mapAt, ranges, touch, type World } from './testing/world.js';
import { userfaultfdRegister, userfaultfdWriteProtect } from './userfaultfd.js';

const HUGE = VM.READ | VM.WRITE | VM.HUGEPAGE;

function remap(w: World, start: number, pages: number, newPages: number, options: MremapOptions = {}): number {
  return w.run(mremap(w.m, w.mm, start as Vpn, pages, newPages, options));
}

/** Pages that the reverse map finds for the folio of a frame. */
function mappedAt(w: World, frame: number): number[] {
  const found: number[] = [];
  const head = frame - (frame % (1 << (w.m.frame.flags[frame] & 0xf)));
  rmapWalk(w.m, head as never, {
    pte: (_table, _slot, _pfn, _vma, page) => void found.push(page),
    pmd: (_pmd, _vma, page) => void found.push(page),
  });
  return found;
}

describe('mremap in place', () => {
  it('shrinks by unmapping the end and grows over free space', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    touch(w, w.mm, 512, 528);
    expect(remap(w, 512, 16, 8)).toBe(512);
    expect(ranges(w)).toEqual([[512, 520]]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(8);
    expect(remap(w, 512, 8, 100)).toBe(512);
    expect(ranges(w)).toEqual([[512, 612]]);
    expect(touch(w, w.mm, 600, 612)).toEqual([]);
  });

  it('is ENOMEM where something is in the way, unless it may move', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 521, 8);
    touch(w, w.mm, 512, 520);
    const before = contents(w, 512, 520);
    expect(remap(w, 512, 8, 10)).toBe(-12);
    const to = remap(w, 512, 8, 10, { mayMove: true });
    expect(to).toBeGreaterThan(529);
    expect(contents(w, to, to + 8)).toEqual(before);
    expect(ranges(w)[0]).toEqual([521, 529]);
  });
});

describe('mremap to another place', () => {
  it('moves pages with their content; the reverse map finds them there, also after they moved back', () => {
    const w = makeWorld();
    mapAt(w, 512, 20);
    touch(w, w.mm, 514, 530);
    touch(w, w.mm, 531, 532, false);
    const before = contents(w, 512, 532);
    const frame = frameOf(w, 520);
    expect(remap(w, 512, 20, 20, { mayMove: true, to: 5003 as Vpn })).toBe(5003);
    expect(ranges(w)).toEqual([[5003, 5023]]);
    expect(contents(w, 5003, 5023)).toEqual(before);
    expect(pteView(w, 5022).state).toBe('zero');
    expect(mappedAt(w, frame)).toEqual([5011]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(16);
    expect(remap(w, 5003, 20, 20, { mayMove: true, to: 512 as Vpn })).toBe(512);
    expect(contents(w, 512, 532)).toEqual(before);
    expect(mappedAt(w, frame)).toEqual([520]);
    expect(w.m.vma.pgoff[1]).toBe(512);
  });

  it('keeps the page offset of memory with pages, so that it merges with its old neighbours only at its old place', () => {
    const w = makeWorld();
    mapAt(w, 512, 24);
    touch(w, w.mm, 512, 536);
    remap(w, 520, 8, 8, { mayMove: true, to: 536 as Vpn });
    expect(ranges(w)).toEqual([
      [512, 520],
      [528, 536],
      [536, 544],
    ]);
    remap(w, 536, 8, 8, { mayMove: true, to: 520 as Vpn });
    expect(ranges(w)).toEqual([[512, 536]]);
    expect(w.m.avc.pool.live).toBe(1);
  });

  it('gives memory without pages the offset of its new place, so that it merges there', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 1024, 8);
    remap(w, 1024, 8, 8, { mayMove: true, to: 520 as Vpn });
    expect(ranges(w)).toEqual([[512, 528]]);
  });

  it('moves a huge page as one where both places are aligned', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: HUGE });
    touch(w, w.mm, 512, 513);
    const frame = frameOf(w, 512);
    remap(w, 512, 512, 512, { mayMove: true, to: 4096 as Vpn });
    expect(pmdKind(w, 4096)).toBe(PMD.huge);
    expect(frameOf(w, 4096)).toBe(frame);
    expect(w.m.mm.anonThps[w.mm]).toBe(1);
    expect(w.m.pte.pool.live).toBe(1);
  });

  it('splits the mapping of a huge page that goes to an unaligned place: the folio stays large, off by some pages', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: HUGE });
    touch(w, w.mm, 512, 1024);
    const before = contents(w, 512, 1024);
    const frame = frameOf(w, 512);
    remap(w, 512, 512, 512, { mayMove: true, to: 4103 as Vpn });
    expect(pmdKind(w, 4103)).toBe(PMD.table);
    expect(contents(w, 4103, 4615)).toEqual(before);
    expect(frameOf(w, 4614)).toBe(frame + 511);
    expect(w.m.frame.flags[frame] & 0xf).toBe(9);
    expect(mappedAt(w, frame)).toHaveLength(512);
    expect(w.m.mm.rssAnon[w.mm]).toBe(512);
  });

  it('moves a whole table as a table', () => {
    const w = makeWorld();
    mapAt(w, 512, 512);
    touch(w, w.mm, 512, 600);
    const tables = w.m.pte.pool.live;
    const before = contents(w, 512, 1024);
    remap(w, 512, 512, 512, { mayMove: true, to: 4096 as Vpn });
    expect(w.m.pte.pool.live).toBe(tables);
    expect(contents(w, 4096, 4608)).toEqual(before);
    expect(mappedAt(w, frameOf(w, 4100))).toEqual([4100]);
    expect(checkMachine(w.m)).toEqual([]);
  });

  it('DONTUNMAP leaves the old range mapped and empty', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 520);
    const before = contents(w, 512, 520);
    expect(remap(w, 512, 8, 8, { mayMove: true, dontUnmap: true, to: 600 as Vpn })).toBe(600);
    expect(ranges(w)).toEqual([
      [512, 520],
      [600, 608],
    ]);
    expect(contents(w, 600, 608)).toEqual(before);
    expect(contents(w, 512, 520)).toEqual(Array(8).fill(0));
    touch(w, w.mm, 512, 520);
    expect(w.m.mm.rssAnon[w.mm]).toBe(16);
  });

  it('leaves userfaultfd behind: the new range is not armed, and its entries lose their protection', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 520);
    w.run(userfaultfdRegister(w.m, w.mm, 512 as Vpn, 8, VM.UFFD_WP));
    w.run(userfaultfdWriteProtect(w.m, w.mm, 512 as Vpn, 8, true));
    expect(pteView(w, 515).bits).toContain('uffdWp');
    remap(w, 512, 8, 8, { mayMove: true, to: 600 as Vpn });
    expect(pteView(w, 603).bits).not.toContain('uffdWp');
    expect(touch(w, w.mm, 600, 608)).toEqual([]);
  });

  it('conserves content, RSS and the reverse map for any move of any part, with a child looking on', () => {
    const arg = fc.record({
      from: fc.integer({ min: 64, max: 100 }),
      pages: fc.integer({ min: 1, max: 30 }),
      to: fc.integer({ min: 160, max: 200 }),
      huge: fc.boolean(),
      forked: fc.boolean(),
      holes: fc.array(fc.integer({ min: 64, max: 127 }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(arg, ({ from, pages, to, huge, forked, holes }) => {
        const w = makeWorld({
          nodePages: [2048],
          geometry: { pageShift: 12, pmdOrder: 3 },
          thp: huge ? 'always' : 'never',
        });
        const n = Math.min(pages, 128 - from);
        mapAt(w, 64, 64);
        for (let page = 64; page < 128; page++) if (!holes.includes(page)) touch(w, w.mm, page, page + 1);
        const child: MmId | undefined = forked ? w.run(dupMm(w.m, w.mm)) : undefined;
        const before = contents(w, 64, 128);
        const rss = w.m.mm.rssAnon[w.mm];
        expect(remap(w, from, n, n, { mayMove: true, to: to as Vpn })).toBe(to);
        expect(contents(w, to, to + n)).toEqual(before.slice(from - 64, from - 64 + n));
        const rest = before.map((stamp, i) => (64 + i >= from && 64 + i < from + n ? 0 : stamp));
        expect(contents(w, 64, 128)).toEqual(rest);
        expect(w.m.mm.rssAnon[w.mm]).toBe(rss);
        for (let page = to; page < to + n; page++) {
          const frame = frameOf(w, page);
          const block = page - (page % 8);
          if (frame !== 0) expect(mappedAt(w, frame)).toContain(pmdKind(w, page) === PMD.huge ? block : page);
        }
        if (child !== undefined) expect(contents(w, 64, 128, child)).toEqual(before);
        expect(checkMachine(w.m)).toEqual([]);
        w.run(mmput(w.m, w.mm));
        if (child !== undefined) w.run(mmput(w.m, child));
        expect(w.m.node.freePages[0]).toBe(2047);
        expect(w.m.pte.pool.live + w.m.avc.pool.live + w.m.anonVma.pool.live).toBe(0);
      }),
      { numRuns: 120 },
    );
  });
});

describe('mremap of several mappings at once', () => {
  const to = { to: 4096 as Vpn, mayMove: true };

  it('moves all that is mapped in the range, and gaps stay gaps', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8, { flags: VM.READ });
    mapAt(w, 540, 8);
    touch(w, w.mm, 512, 520);
    touch(w, w.mm, 540, 548);
    const before = contents(w, 512, 548);
    expect(remap(w, 512, 40, 40, to)).toBe(4096);
    expect(ranges(w)).toEqual([
      [4096, 4104],
      [4104, 4112],
      [4124, 4132],
    ]);
    expect(contents(w, 4096, 4132)).toEqual(before);
    expect(checkMachine(w.m)).toEqual([]);
  });

  it('may reach beyond the last one, but not begin before the first', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    expect(remap(w, 511, 9, 9, to)).toBe(-14);
    expect(remap(w, 512, 100, 100, to)).toBe(4096);
    expect(ranges(w)).toEqual([[4096, 4104]]);
  });

  it('is EFAULT from the first that belongs to a userfaultfd on, unless it is the only one', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 528, 8);
    w.run(userfaultfdRegister(w.m, w.mm, 528 as Vpn, 8, VM.UFFD_MISSING));
    expect(remap(w, 512, 24, 24, to)).toBe(-14);
    expect(ranges(w)).toEqual([
      [528, 536],
      [4096, 4104],
    ]);
    expect(remap(w, 528, 8, 8, { ...to, to: 8192 as Vpn })).toBe(8192);
  });

  it('needs one mapping where the length changes', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8, { flags: VM.READ });
    expect(remap(w, 512, 16, 17, to)).toBe(-14);
  });
});

describe('mremap errors', () => {
  it('EFAULT: the range is not mapped, or not in one VMA', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    expect(remap(w, 600, 8, 8)).toBe(-14);
    expect(remap(w, 512, 9, 9)).toBe(-14);
    mapAt(w, 520, 8, { flags: VM.READ });
    expect(remap(w, 512, 16, 8)).toBe(-14);
  });

  it('EINVAL: empty, a fixed place without leave to move or over the old one, DONTUNMAP with another length', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    expect(remap(w, 512, 8, 0)).toBe(-22);
    expect(remap(w, 512, 8, 8, { to: 600 as Vpn })).toBe(-22);
    expect(remap(w, 512, 8, 8, { to: 516 as Vpn, mayMove: true })).toBe(-22);
    expect(remap(w, 512, 8, 9, { mayMove: true, dontUnmap: true })).toBe(-22);
  });

  it('EFAULT: growing a mapping that must not grow', () => {
    const w = makeWorld();
    mapAt(w, 512, 8, { flags: VM.READ | VM.DONTEXPAND });
    expect(remap(w, 512, 8, 9)).toBe(-14);
  });
});
