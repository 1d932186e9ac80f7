import { acquire, type Procedure, release, SequentialExecutor, spend } from '@thplab/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pfn, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { handleMmFault } from './fault.js';
import { FOLIO } from './flags.js';
import {
  clearFrameFlags,
  folioHas,
  folioMapcount,
  folioMaybeMappedShared,
  folioOrder,
  isAnonExclusive,
  setFrameFlags,
} from './folio.js';
import { folioDrop, folioTrylock } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { dupMm } from './fork.js';
import { gupFastGet, pinPages, unpinPages } from './gup.js';
import { mlock } from './mlock.js';
import { mmput } from './mm.js';
import { PMD } from './page-table.js';
import { splitFolioToOrder } from './split.js';
import { swapOutFolio } from './swap-out.js';
import { mthpStat, vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, headAt, smallWorld, split, tableOf, vmaOf } from './testing/folios.js';
import { contents, frameOf, pmdKind, pteView } from './testing/pages.js';
import { mapAt, touch, type World } from './testing/world.js';
import { zapRange } from './zap.js';

/** A folio of the order at BASE, mapped by PTEs (or, for order 4, by a huge PMD). */
function withFolio(order: number): { w: World; head: Pfn } {
  const w = smallWorld(order);
  fill(w, 16);
  return { w, head: headAt(w, BASE) };
}

describe('split_folio_to_order refuses (DAMON spec 4.5)', () => {
  it('a folio that is not locked, or not large: a bug of the caller', () => {
    const { w, head } = withFolio(3);
    expect(() => w.run(splitFolioToOrder(w.m, head, 0))).toThrow(/lock it/);
    const small = withFolio(0);
    folioTrylock(small.w.m, small.head);
    expect(() => small.w.run(splitFolioToOrder(small.w.m, small.head, 0))).toThrow(/no large folio/);
  });

  it.each([
    ['the same order', 3, 3],
    ['a higher order', 3, 4],
    ['order 1 for anonymous memory', 3, 1],
  ])('%s: EINVAL, and counts no failed split', (_, order, newOrder) => {
    const { w, head } = withFolio(order);
    expect(split(w, head, newOrder)).toBe(-ERRNO.EINVAL);
    expect([mthpStat(w, order, 'split'), mthpStat(w, order, 'split_failed')]).toEqual([0, 0]);
    expectSound(w);
  });

  it('a folio in the swap cache, except to order 0', () => {
    const { w, head } = withFolio(3);
    setFrameFlags(w.m, head, FOLIO.SWAPCACHE);
    expect(split(w, head, 2)).toBe(-ERRNO.EINVAL);
    clearFrameFlags(w.m, head, FOLIO.SWAPCACHE);
  });

  it('a folio under writeback: EBUSY', () => {
    const { w, head } = withFolio(3);
    setFrameFlags(w.m, head, FOLIO.WRITEBACK);
    expect(split(w, head, 0)).toBe(-ERRNO.EBUSY);
    clearFrameFlags(w.m, head, FOLIO.WRITEBACK);
    expect(split(w, head, 0)).toBe(0);
  });

  it('a folio that nobody maps any more: EBUSY', () => {
    const { w, head } = withFolio(3);
    folioGet(w.m, head);
    w.run(zapRange(w.m, vmaOf(w, BASE), BASE as Vpn, (BASE + 8) as Vpn));
    folioTrylock(w.m, head);
    expect(w.run(splitFolioToOrder(w.m, head, 0))).toBe(-ERRNO.EBUSY);
    w.m.locks.folioLock.unlock(head);
    folioDrop(w.m, head);
    expectSound(w);
  });

  it('a folio with a reference that nothing explains: EAGAIN, with everything as it was', () => {
    const { w, head } = withFolio(4);
    const before = contents(w, BASE, BASE + 16);
    const { frames } = w.run(pinPages(w.m, w.mm, (BASE + 3) as Vpn, 1, { write: true }));
    expect(split(w, head, 0)).toBe(-ERRNO.EAGAIN);
    expect([vmstat(w, 'thp_split_page_failed'), mthpStat(w, 4, 'split_failed')]).toEqual([1, 1]);
    expect(folioOrder(w.m, head)).toBe(4);
    expect(contents(w, BASE, BASE + 16)).toEqual(before);
    expectSound(w, { pins: frames });
    unpinPages(w.m, frames);
    expect(split(w, head, 0)).toBe(0);
    expectSound(w);
  });

  it('a folio that lockless GUP has just taken: EAGAIN', () => {
    const { w, head } = withFolio(3);
    const pfn = w.run(gupFastGet(w.m, w.mm, BASE as Vpn));
    expect(split(w, head, 0)).toBe(-ERRNO.EAGAIN);
    expectSound(w, { held: [pfn as Pfn] });
  });
});

describe('a split', () => {
  it.each([
    [4, 3],
    [4, 2],
    [4, 0],
    [3, 2],
    [3, 0],
    [2, 0],
  ])(
    'of order %i to order %i leaves contents and mappings, and exclusive folios of the new order',
    (order, newOrder) => {
      const { w, head } = withFolio(order);
      const before = contents(w, BASE, BASE + 16);
      expect(split(w, head, newOrder)).toBe(0);
      for (let i = 0; i < 1 << order; i++) {
        expect(frameOf(w, BASE + i)).toBe(head + i);
        expect(folioOrder(w.m, head + i)).toBe(newOrder);
        expect(isAnonExclusive(w.m, head + i)).toBe(true);
      }
      expect(contents(w, BASE, BASE + 16)).toEqual(before);
      expect(w.m.frame.refcount[head]).toBe(1 << newOrder);
      expect(folioHas(w.m, head, FOLIO.LRU | FOLIO.ANON | FOLIO.SWAPBACKED)).toBe(true);
      expect(mthpStat(w, order, 'split')).toBe(1);
      expectSound(w);
    },
  );

  it('of a huge page splits its PMD first, and counts as thp_split_page', () => {
    const { w, head } = withFolio(4);
    split(w, head, 2);
    expect(pmdKind(w, BASE)).toBe(PMD.table);
    expect([vmstat(w, 'thp_split_pmd'), vmstat(w, 'thp_split_page')]).toEqual([1, 1]);
    expect([mthpStat(w, 4, 'nr_anon'), mthpStat(w, 2, 'nr_anon')]).toEqual([0, 4]);
    expectSound(w);
  });

  it('of a shared folio keeps all processes mapped to the same pages', () => {
    const { w, head } = withFolio(4);
    const child = w.run(dupMm(w.m, w.mm));
    w.run(zapRange(w.m, vmaOf(w, BASE), BASE as Vpn, (BASE + 4) as Vpn));
    expect(split(w, head, 2)).toBe(0);
    for (let i = 4; i < 16; i++) expect(frameOf(w, BASE + i, child)).toBe(frameOf(w, BASE + i));
    // The first quarter is the child's alone now, the rest is not.
    expect([0, 4, 8, 12].map((i) => folioMaybeMappedShared(w.m, (head + i) as Pfn))).toEqual([false, true, true, true]);
    expect(pteView(w, BASE, child).bits).not.toContain('shared');
    expectSound(w);
  });

  it('frees the pages that nobody maps, and the folio is no longer partially mapped', () => {
    const { w, head } = withFolio(4);
    w.run(zapRange(w.m, vmaOf(w, BASE), (BASE + 4) as Vpn, (BASE + 13) as Vpn));
    expect(folioHas(w.m, head, FOLIO.PARTIALLY_MAPPED | FOLIO.DEFERRED)).toBe(true);
    const free = w.m.node.freePages[0];
    expect(split(w, head, 0)).toBe(0);
    expect(w.m.node.freePages[0]).toBe(free + 9);
    expect([mthpStat(w, 4, 'nr_anon_partially_mapped'), w.m.node.deferredCount[0]]).toEqual([0, 0]);
    expectSound(w);
  });

  it('to a lower order than 0 keeps a new folio whole if any of it is mapped', () => {
    const { w, head } = withFolio(4);
    w.run(zapRange(w.m, vmaOf(w, BASE), (BASE + 1) as Vpn, (BASE + 8) as Vpn));
    const free = w.m.node.freePages[0];
    split(w, head, 2);
    expect(w.m.node.freePages[0]).toBe(free + 4);
    expect(folioMapcount(w.m, head)).toBe(1);
    expectSound(w);
  });

  it('maps the zero page instead of pages that hold only zeroes', () => {
    const w = smallWorld(4);
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE, BASE + 2);
    const free = w.m.node.freePages[0];
    split(w, headAt(w, BASE), 0);
    expect(w.m.mm.rssAnon[w.mm]).toBe(2);
    expect(w.m.node.freePages[0]).toBe(free + 14);
    expect(pteView(w, BASE + 1).state).toBe('page');
    expect(pteView(w, BASE + 2)).toMatchObject({ state: 'zero', bits: [] });
    expectSound(w);
  });

  it('keeps zero-filled pages of folios that stay large', () => {
    const w = smallWorld(4);
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE, BASE + 2);
    split(w, headAt(w, BASE), 2);
    expect(w.m.mm.rssAnon[w.mm]).toBe(16);
    expectSound(w);
  });

  it('does not take zero-filled pages from a locked VMA', () => {
    const w = smallWorld(4);
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE, BASE + 1);
    w.run(mlock(w.m, w.mm, BASE as Vpn, 16));
    split(w, headAt(w, BASE), 0);
    expect(w.m.mm.rssAnon[w.mm]).toBe(16);
    expectSound(w);
  });

  it('counts a folio that PTEs map as queued for a later split first, one that a PMD maps not', () => {
    const w = smallWorld(4);
    mapAt(w, BASE, 32);
    for (const page of [BASE, BASE + 16]) touch(w, w.mm, page, page + 16);
    split(w, headAt(w, BASE), 0);
    expect(mthpStat(w, 4, 'split_deferred')).toBe(0);
    w.run(mlock(w.m, w.mm, (BASE + 20) as Vpn, 1));
    split(w, headAt(w, BASE + 16), 0);
    expect([mthpStat(w, 4, 'split_deferred'), mthpStat(w, 4, 'nr_anon_partially_mapped')]).toEqual([1, 0]);
    expectSound(w);
  });

  it('leaves a huge PMD as it is when somebody holds the folio', () => {
    const { w, head } = withFolio(4);
    const { frames } = w.run(pinPages(w.m, w.mm, BASE as Vpn, 1, { write: true }));
    expect(split(w, head, 0)).toBe(-ERRNO.EAGAIN);
    expect([pmdKind(w, BASE), vmstat(w, 'thp_split_pmd'), vmstat(w, 'thp_split_page_failed')]).toEqual([
      PMD.huge,
      0,
      1,
    ]);
    unpinPages(w.m, frames);
    expect(split(w, head, 0)).toBe(0);
    expect(pmdKind(w, BASE)).toBe(PMD.table);
  });

  it('gives the new folios to the caller who wants them, isolated', () => {
    const { w, head } = withFolio(3);
    const list: Pfn[] = [];
    split(w, head, 2, { list });
    expect(list).toEqual([head + 4]);
    expect(folioHas(w.m, list[0], FOLIO.LRU)).toBe(false);
    expect(w.m.frame.refcount[list[0]]).toBe(5);
  });

  it('of a folio that was swapped in part keeps each page with its slot', () => {
    const { w } = withFolio(3);
    const child = w.run(dupMm(w.m, w.mm));
    const before = contents(w, BASE, BASE + 8);
    w.run(swapOutFolio(w.m, headAt(w, BASE)));
    for (let i = 0; i < 8; i++) w.run(handleMmFault(w.m, child, (BASE + i) as Vpn, { write: false }));
    expect(contents(w, BASE, BASE + 8, child)).toEqual(before);
    expectSound(w);
    w.run(mmput(w.m, child));
    expectSound(w);
  });

  it('charges for the entries and the flushes', () => {
    const { w, head } = withFolio(3);
    const before = w.m.current.nowNs;
    split(w, head, 0);
    expect(w.m.current.nowNs - before).toBe(16 * w.m.costs.setPte + w.m.costs.pmdFlush);
  });
});

describe('splitting and everybody else', () => {
  it('waits for a PTE lock that somebody holds', () => {
    const { w, head } = withFolio(3);
    const executor = new SequentialExecutor(w.m.domain, { cpus: 2 });
    w.m.current = executor.current;
    const lock = w.m.locks.pteLock.ref(tableOf(w, BASE));
    executor.spawn('holder', function* (): Procedure<void> {
      yield acquire(lock);
      yield spend(10_000);
      yield release(lock);
    });
    executor.spawn('splitter', () => splitOne(w, head), { startNs: 1000 });
    expect(executor.run().end).toBe('idle');
    expect(executor.tasks[1].result).toBe(0);
    expect(executor.tasks[1].lockWaitNs).toBeGreaterThan(5000);
    expectSound(w);
  });

  it('reaches every mapping of a family with parts unmapped, moved and copied', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), fc.nat(15), fc.nat(15)), { maxLength: 12 }),
        fc.constantFrom(0, 2, 3),
        (cuts, newOrder) => {
          const { w, head } = withFolio(4);
          const family = [w.mm, w.run(dupMm(w.m, w.mm))];
          family.push(w.run(dupMm(w.m, family[1])));
          for (const [who, from, length] of cuts) {
            const mm = family[who];
            w.run(
              zapRange(
                w.m,
                vmaOf(w, BASE, mm),
                (BASE + from) as Vpn,
                Math.min(BASE + 16, BASE + from + 1 + length) as Vpn,
              ),
            );
          }
          const mapped = family.flatMap((mm) => Array.from({ length: 16 }, (_, i) => frameOf(w, BASE + i, mm)));
          const order = folioOrder(w.m, head);
          const live = mapped.some((pfn) => pfn !== 0);
          if (!live) return;
          expect(order).toBe(4);
          expect(split(w, head, newOrder)).toBe(0);
          expect(family.flatMap((mm) => Array.from({ length: 16 }, (_, i) => frameOf(w, BASE + i, mm)))).toEqual(
            mapped,
          );
          expectSound(w);
          for (const mm of family) w.run(mmput(w.m, mm));
          expect(w.m.node.freePages[0]).toBe(511);
        },
      ),
      { numRuns: 60 },
    );
  });
});

function* splitOne(w: World, head: Pfn): Procedure<number> {
  folioTrylock(w.m, head);
  folioGet(w.m, head);
  const result = yield* splitFolioToOrder(w.m, head, 0);
  w.m.locks.folioLock.unlock(head);
  folioDrop(w.m, head);
  return result;
}
