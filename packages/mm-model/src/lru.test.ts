import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { FOLIO } from './flags.js';
import { folioHas } from './folio.js';
import { folioIsolateLru, folioPutbackLru, LRU_BATCH, lruAddDrainAll, lruAddDrainCpu } from './lru.js';
import { munmap } from './munmap.js';
import { BASE, expectSound, fill, headAt, smallWorld } from './testing/folios.js';
import { pteView } from './testing/pages.js';
import { mapAt, touch } from './testing/world.js';

describe('the batch of a processor', () => {
  it('keeps a fresh page off the LRU with a reference of its own, so that a scan refuses it', () => {
    const w = smallWorld();
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE, BASE + 1);
    const head = headAt(w, BASE);
    expect(folioHas(w.m, head, FOLIO.LRU)).toBe(false);
    expect(w.m.frame.refcount[head]).toBe(2);
    expect(pteView(w, BASE).bits).toContain('attention');
    expectSound(w);
    lruAddDrainCpu(w.m, 0);
    expect(folioHas(w.m, head, FOLIO.LRU)).toBe(true);
    expect(w.m.frame.refcount[head]).toBe(1);
    expect(pteView(w, BASE).bits).not.toContain('attention');
    expectSound(w);
  });

  it(`is drained by the ${LRU_BATCH}st page`, () => {
    const w = smallWorld();
    mapAt(w, BASE, 64);
    touch(w, w.mm, BASE, BASE + LRU_BATCH - 1);
    expect(w.m.cpu.batchCount[0]).toBe(LRU_BATCH - 1);
    touch(w, w.mm, BASE + 32, BASE + 33);
    expect(w.m.cpu.batchCount[0]).toBe(0);
  });

  it('is drained at once by a large folio', () => {
    const w = smallWorld(2);
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE, BASE + 1);
    expect(w.m.cpu.batchCount[0]).toBe(0);
    expect(folioHas(w.m, headAt(w, BASE), FOLIO.LRU)).toBe(true);
  });

  it('frees a page that nobody has any more when it is drained', () => {
    const w = smallWorld();
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE, BASE + 1);
    const free = w.m.node.freePages[0];
    w.run(munmap(w.m, w.mm, BASE as Vpn, 1));
    expect(w.m.node.freePages[0]).toBe(free);
    expectSound(w);
    w.run(lruAddDrainAll(w.m));
    expect(w.m.node.freePages[0]).toBe(free + 1);
    expectSound(w);
  });

  it('of every processor is drained by lru_add_drain_all, which costs time for each', () => {
    const w = smallWorld();
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE, BASE + 3);
    Object.assign(w.m.current, { cpu: 1 });
    touch(w, w.mm, BASE + 3, BASE + 5);
    expect([...w.m.cpu.batchCount]).toEqual([3, 2]);
    const before = w.m.current.nowNs;
    w.run(lruAddDrainAll(w.m));
    expect([...w.m.cpu.batchCount]).toEqual([0, 0]);
    expect(w.m.current.nowNs - before).toBe(2 * w.m.costs.lruDrainCpu);
  });
});

describe('isolating a folio', () => {
  it('takes it off the LRU for one holder, once', () => {
    const w = smallWorld();
    fill(w, 1);
    const head = headAt(w, BASE);
    expect(folioIsolateLru(w.m, head)).toBe(true);
    expect(folioIsolateLru(w.m, head)).toBe(false);
    expect(w.m.frame.refcount[head]).toBe(2);
    folioPutbackLru(w.m, head);
    expect(w.m.frame.refcount[head]).toBe(1);
    expectSound(w);
  });

  it('frees it when it is put back and its mappings have gone meanwhile', () => {
    const w = smallWorld();
    fill(w, 1);
    const head = headAt(w, BASE);
    folioIsolateLru(w.m, head);
    w.run(munmap(w.m, w.mm, BASE as Vpn, 1));
    const free = w.m.node.freePages[0];
    folioPutbackLru(w.m, head);
    expect(w.m.node.freePages[0]).toBe(free + 1);
    expectSound(w);
  });
});
