import { settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { FOLIO } from './flags.js';
import { folioHas, folioMapcount } from './folio.js';
import { dupMm } from './fork.js';
import { MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mmput } from './mm.js';
import { munmap } from './munmap.js';
import { PMD } from './page-table.js';
import { swapOutFolio } from './swap-out.js';
import { mthpStat, vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, headAt, smallWorld, vmaOf } from './testing/folios.js';
import { pmdKind, pteView } from './testing/pages.js';
import { mapAt, touch } from './testing/world.js';
import { zapRange } from './zap.js';

describe('zapping a range', () => {
  it('removes base pages, zero pages and swap entries, and frees what nobody has any more', () => {
    const w = smallWorld();
    const free = w.m.node.freePages[0];
    w.m.setting.value[settingIndex('use_zero_page')] = 1;
    fill(w, 8);
    touch(w, w.mm, BASE + 8, BASE + 9, false);
    mapAt(w, BASE + 8, 8);
    touch(w, w.mm, BASE + 8, BASE + 9, false);
    w.run(swapOutFolio(w.m, headAt(w, BASE + 2)));
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.swapEnts[w.mm]]).toEqual([7, 1]);
    w.run(zapRange(w.m, vmaOf(w, BASE), BASE as Vpn, (BASE + 16) as Vpn));
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.swapEnts[w.mm]]).toEqual([0, 0]);
    expect(w.m.node.freePages[0]).toBe(free);
    expect(w.m.swap.cache[0]).toBe(0);
    expectSound(w);
  });

  it('that covers a huge page removes it and its deposited table without a split', () => {
    const w = smallWorld(4);
    fill(w, 32);
    const tables = w.m.mm.pageTables[w.mm];
    w.run(zapRange(w.m, vmaOf(w, BASE), BASE as Vpn, (BASE + 16) as Vpn));
    expect(pmdKind(w, BASE)).toBe(PMD.none);
    expect(w.m.mm.pageTables[w.mm]).toBe(tables - 1);
    expect(vmstat(w, 'thp_split_pmd')).toBe(0);
    expect(vmstat(w, 'nr_anon_transparent_hugepages')).toBe(1);
    expectSound(w);
  });

  it('that covers a huge page in part splits the PMD and queues the folio as partially mapped', () => {
    const w = smallWorld(4);
    fill(w, 16);
    const head = headAt(w, BASE);
    w.run(zapRange(w.m, vmaOf(w, BASE), BASE as Vpn, (BASE + 6) as Vpn));
    expect(folioMapcount(w.m, head)).toBe(10);
    expect(folioHas(w.m, head, FOLIO.PARTIALLY_MAPPED | FOLIO.DEFERRED)).toBe(true);
    expect(mthpStat(w, 4, 'nr_anon_partially_mapped')).toBe(1);
    expect(vmstat(w, 'thp_deferred_split_page')).toBe(1);
    expect(vmstat(w, 'nr_anon_pages')).toBe(10);
    expectSound(w);
  });

  it('frees a partially mapped folio with its last mapping, and takes it off the queue', () => {
    const w = smallWorld(4);
    const free = w.m.node.freePages[0];
    fill(w, 16);
    for (const page of [BASE, BASE + 8]) w.run(zapRange(w.m, vmaOf(w, BASE), page as Vpn, (page + 8) as Vpn));
    expect(w.m.node.freePages[0]).toBe(free);
    expect(w.m.node.deferredCount[0]).toBe(0);
    expect(mthpStat(w, 4, 'nr_anon')).toBe(0);
    expect(mthpStat(w, 4, 'nr_anon_partially_mapped')).toBe(0);
    expectSound(w);
  });

  it('by one of two processes that share a folio makes it the other’s alone again, in the mirrors too', () => {
    const w = smallWorld(2);
    fill(w, 8);
    const child = w.run(dupMm(w.m, w.mm));
    expect(pteView(w, BASE).bits).toContain('shared');
    w.run(zapRange(w.m, vmaOf(w, BASE, child), BASE as Vpn, (BASE + 4) as Vpn));
    expect(pteView(w, BASE).bits).not.toContain('shared');
    expect(pteView(w, BASE + 4).bits).toContain('shared');
    expectSound(w);
  });
});

describe('page tables', () => {
  it('go with MADV_DONTNEED of their whole range, and stay otherwise', () => {
    const w = smallWorld();
    fill(w, 32);
    w.run(madvise(w.m, w.mm, BASE as Vpn, 15, MADV.DONTNEED));
    expect(pmdKind(w, BASE)).toBe(PMD.table);
    w.run(madvise(w.m, w.mm, BASE as Vpn, 16, MADV.DONTNEED));
    expect(pmdKind(w, BASE)).toBe(PMD.none);
    expect(pmdKind(w, BASE + 16)).toBe(PMD.table);
    expectSound(w);
  });

  it('stay where a neighbouring VMA uses them, and go with the last one', () => {
    const w = smallWorld();
    fill(w, 16);
    w.run(munmap(w.m, w.mm, BASE as Vpn, 8));
    expect(pmdKind(w, BASE + 8)).toBe(PMD.table);
    w.run(munmap(w.m, w.mm, (BASE + 8) as Vpn, 8));
    expect(pmdKind(w, BASE)).toBe(PMD.none);
    expectSound(w);
  });

  it('and directories all go at exit', () => {
    const w = smallWorld();
    fill(w, 100);
    w.run(mmput(w.m, w.mm));
    expect([w.m.pte.pool.live, w.m.directory.pool.live, w.m.mm.pool.live]).toEqual([0, 0, 0]);
    expectSound(w);
  });
});
