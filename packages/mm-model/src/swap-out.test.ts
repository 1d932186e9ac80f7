import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { ENTRY_KIND, FOLIO, VM } from './flags.js';
import { folioHas } from './folio.js';
import { folioDrop, folioTrylock, folioUnlock } from './folio-hold.js';
import { dupMm } from './fork.js';
import { gupFastGet, pinPages, unpinPages } from './gup.js';
import { mlock } from './mlock.js';
import { PMD } from './page-table.js';
import { swapOutFolio } from './swap-out.js';
import { mthpStat, vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, headAt, smallWorld } from './testing/folios.js';
import { readPage } from './testing/page-contents.js';
import { pmdKind, pteView } from './testing/pages.js';
import type { World } from './testing/world.js';
import { userfaultfdRegister, userfaultfdWriteProtect } from './userfaultfd.js';
import { vmaAt } from './vma-tree.js';
import { zapRange } from './zap.js';

function swapOut(w: World, page: number): boolean {
  return w.run(swapOutFolio(w.m, headAt(w, page)));
}

function read(w: World, pages: number, mm = w.mm): number[] {
  return Array.from({ length: pages }, (_, i) => readPage(w.m, mm, BASE + i));
}

describe('swap-out of a base page', () => {
  it('frees the frame and keeps the content in a slot', () => {
    const w = smallWorld();
    fill(w, 4);
    const before = read(w, 4);
    const free = w.m.node.freePages[0];
    const start = w.m.current.nowNs;
    expect(swapOut(w, BASE + 1)).toBe(true);
    expect(w.m.node.freePages[0]).toBe(free + 1);
    expect(pteView(w, BASE + 1)).toMatchObject({ state: 'entry', value: ENTRY_KIND.swap });
    expect(read(w, 4)).toEqual(before);
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.swapEnts[w.mm]]).toEqual([3, 1]);
    expect(vmstat(w, 'pswpout')).toBe(1);
    expect(w.m.current.nowNs - start).toBeGreaterThanOrEqual(w.m.costs.swapOut);
    expectSound(w);
  });

  it('of a page that three processes share gives each of them an entry for the one slot', () => {
    const w = smallWorld();
    fill(w, 2);
    const child = w.run(dupMm(w.m, w.mm));
    const grandchild = w.run(dupMm(w.m, child));
    const before = read(w, 2);
    expect(swapOut(w, BASE)).toBe(true);
    expect(Math.max(...w.m.swap.count)).toBe(3);
    for (const mm of [w.mm, child, grandchild]) expect(read(w, 2, mm)).toEqual(before);
    expectSound(w);
  });

  it('carries userfaultfd write protection over to the entry', () => {
    const w = smallWorld();
    fill(w, 2);
    w.run(userfaultfdRegister(w.m, w.mm, BASE as Vpn, 2, VM.UFFD_WP));
    w.run(userfaultfdWriteProtect(w.m, w.mm, BASE as Vpn, 1, true));
    swapOut(w, BASE);
    swapOut(w, BASE + 1);
    expect(pteView(w, BASE)).toMatchObject({ state: 'entry', bits: ['uffdWp'] });
    expect(pteView(w, BASE + 1)).toMatchObject({ state: 'entry', bits: [] });
    expectSound(w);
  });

  it('does nothing without a free slot', () => {
    const w = smallWorld(0, { swapPages: 1 });
    fill(w, 2);
    expect([swapOut(w, BASE), swapOut(w, BASE + 1)]).toEqual([true, false]);
    expectSound(w);
  });

  it.each<[string, (w: World) => () => void]>([
    [
      'locked',
      (w) => {
        const head = headAt(w, BASE);
        folioTrylock(w.m, head);
        return () => folioUnlock(w.m, head);
      },
    ],
    [
      'pinned',
      (w) => {
        const { frames } = w.run(pinPages(w.m, w.mm, BASE as Vpn, 1, { write: true }));
        return () => unpinPages(w.m, frames);
      },
    ],
    [
      'referenced by lockless GUP',
      (w) => {
        const pfn = w.run(gupFastGet(w.m, w.mm, BASE as Vpn));
        return () => folioDrop(w.m, pfn as never);
      },
    ],
  ])('leaves a page that is %s, and takes it afterwards', (_, hold) => {
    const w = smallWorld();
    fill(w, 1);
    const letGo = hold(w);
    expect(swapOut(w, BASE)).toBe(false);
    letGo();
    expect(swapOut(w, BASE)).toBe(true);
    expectSound(w);
  });

  it('leaves an mlocked page', () => {
    const w = smallWorld();
    fill(w, 1);
    w.run(mlock(w.m, w.mm, BASE as Vpn, 1));
    expect(swapOut(w, BASE)).toBe(false);
  });
});

describe('swap-out of a large folio', () => {
  it('goes as a whole to neighbouring slots and counts once for its order', () => {
    const w = smallWorld(3);
    fill(w, 16);
    const before = read(w, 16);
    expect(swapOut(w, BASE)).toBe(true);
    expect(mthpStat(w, 3, 'swpout')).toBe(1);
    expect(vmstat(w, 'thp_swpout')).toBe(0);
    expect(vmstat(w, 'pswpout')).toBe(8);
    expect(read(w, 16)).toEqual(before);
    expect(w.m.mm.swapEnts[w.mm]).toBe(8);
    expectSound(w);
  });

  it('of PMD order splits the PMD first, not the folio', () => {
    const w = smallWorld(4);
    fill(w, 16);
    const before = read(w, 16);
    expect(swapOut(w, BASE)).toBe(true);
    expect([vmstat(w, 'thp_swpout'), vmstat(w, 'thp_split_pmd'), vmstat(w, 'thp_split_page')]).toEqual([1, 1, 0]);
    expect(pmdKind(w, BASE)).toBe(PMD.table);
    expect(read(w, 16)).toEqual(before);
    expectSound(w);
  });

  it('splits it and goes page by page where no neighbouring slots are free', () => {
    // 21 slots, of which 1 to 15 and 16 to 21 are no aligned run of 16.
    const w = smallWorld(4, { swapPages: 21 });
    fill(w, 16);
    const before = read(w, 16);
    expect(swapOut(w, BASE)).toBe(true);
    expect([vmstat(w, 'thp_swpout'), vmstat(w, 'thp_swpout_fallback')]).toEqual([0, 1]);
    expect(mthpStat(w, 4, 'swpout_fallback')).toBe(1);
    expect(mthpStat(w, 4, 'split')).toBe(1);
    expect(w.m.mm.swapEnts[w.mm]).toBe(16);
    expect(read(w, 16)).toEqual(before);
    expectSound(w);
  });

  it('splits it and keeps all of it in memory where there is no swap, as the running 6.18 does', () => {
    const w = smallWorld(4, { swapPages: 0 });
    fill(w, 16);
    const before = read(w, 16);
    expect(swapOut(w, BASE)).toBe(false);
    expect([vmstat(w, 'thp_split_page'), vmstat(w, 'thp_split_pmd'), vmstat(w, 'thp_swpout_fallback')]).toEqual([
      1, 1, 1,
    ]);
    expect([w.m.mm.swapEnts[w.mm], w.m.mm.rssAnon[w.mm]]).toEqual([0, 16]);
    expect(folioHas(w.m, headAt(w, BASE), FOLIO.LRU)).toBe(true);
    expect(read(w, 16)).toEqual(before);
    expectSound(w);
  });

  it('goes as far as slots last, and the rest stays in memory', () => {
    const w = smallWorld(4, { swapPages: 10 });
    fill(w, 16);
    const before = read(w, 16);
    expect(swapOut(w, BASE)).toBe(true);
    expect([w.m.mm.swapEnts[w.mm], w.m.mm.rssAnon[w.mm]]).toEqual([10, 6]);
    expect(read(w, 16)).toEqual(before);
    expectSound(w);
  });

  it('that is partially mapped is split first, and its unmapped pages need no slots', () => {
    const w = smallWorld(3);
    fill(w, 8);
    const free = w.m.node.freePages[0];
    w.run(zapRange(w.m, vmaAt(w.m, w.mm, BASE) as never, BASE as Vpn, (BASE + 3) as Vpn));
    expect(swapOut(w, BASE + 5)).toBe(true);
    expect(vmstat(w, 'pswpout')).toBe(5);
    expect(w.m.node.freePages[0]).toBe(free + 8);
    expect(mthpStat(w, 3, 'swpout_fallback')).toBe(0);
    expectSound(w);
  });
});
