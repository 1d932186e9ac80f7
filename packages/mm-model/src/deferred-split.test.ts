import { settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { Pfn, Vpn } from './brands.js';
import { deferredSplitScan } from './deferred-split.js';
import { FOLIO, PAGE } from './flags.js';
import { folioHas, folioOrder, setFrameFlags } from './folio.js';
import { folioTrylock, folioUnlock } from './folio-hold.js';
import { vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, headAt, smallWorld, vmaOf } from './testing/folios.js';
import { frameOf, pteView } from './testing/pages.js';
import { mapAt, touch, type World } from './testing/world.js';
import { zapRange } from './zap.js';

function scan(w: World, budget = 8): number {
  return w.run(deferredSplitScan(w.m, 0, budget));
}

function cut(w: World, from: number, to: number): void {
  w.run(zapRange(w.m, vmaOf(w, BASE), from as Vpn, to as Vpn));
}

/** Huge pages of which `written` pages each are not zero, queued as possibly under-used. */
function hugePages(count: number, written: number, maxPtesNone: number): World {
  const w = smallWorld(4);
  w.m.setting.value[settingIndex('shrink_underused')] = 1;
  w.m.setting.value[settingIndex('khugepaged.max_ptes_none')] = maxPtesNone;
  mapAt(w, BASE, count * 16);
  for (let i = 0; i < count; i++) touch(w, w.mm, BASE + i * 16, BASE + i * 16 + written);
  return w;
}

describe('partially mapped folios', () => {
  it('are split by the shrinker, oldest first, up to its budget; their unmapped pages are freed', () => {
    const w = smallWorld(3);
    fill(w, 24);
    for (const page of [BASE + 16, BASE, BASE + 8]) cut(w, page, page + 3);
    const frames = [BASE + 23, BASE + 7, BASE + 15].map((page) => frameOf(w, page));
    const free = w.m.node.freePages[0];
    expect(scan(w, 2)).toBe(2);
    expect(frames.map((pfn) => folioOrder(w.m, pfn))).toEqual([0, 0, 3]);
    expect(w.m.node.freePages[0]).toBe(free + 6);
    expect(w.m.node.deferredCount[0]).toBe(1);
    expectSound(w);
  });

  it('stay queued if they are locked or held', () => {
    const w = smallWorld(3);
    fill(w, 8);
    cut(w, BASE, BASE + 3);
    const head = headAt(w, BASE + 5);
    folioTrylock(w.m, head);
    expect(scan(w)).toBe(0);
    expect(w.m.node.deferredCount[0]).toBe(1);
    folioUnlock(w.m, head);
    expect(scan(w)).toBe(1);
    expectSound(w);
  });
});

describe('huge pages that may be under-used', () => {
  it('are queued when they are made, if shrink_underused says so', () => {
    expect(hugePages(2, 1, 4).m.node.deferredCount[0]).toBe(2);
    const w = smallWorld(4);
    w.m.setting.value[settingIndex('shrink_underused')] = 0;
    fill(w, 32);
    expect(w.m.node.deferredCount[0]).toBe(0);
  });

  it.each([
    [11, 4, true],
    [12, 4, false],
    [1, 14, true],
    [2, 14, false],
    [16, 0, false],
    [15, 0, true],
  ])('with %i of 16 pages written under max_ptes_none %i: split is %s', (written, none, expected) => {
    const w = hugePages(1, written, none);
    const head = headAt(w, BASE);
    expect(scan(w)).toBe(expected ? 1 : 0);
    expect(folioOrder(w.m, head)).toBe(expected ? 0 : 4);
    expect(vmstat(w, 'thp_underused_split_page')).toBe(expected ? 1 : 0);
    expectSound(w);
  });

  it('are never split with max_ptes_none at its highest', () => {
    expect(scan(hugePages(1, 1, 15))).toBe(0);
  });

  it('give their zero pages back, and keep the others', () => {
    const w = hugePages(1, 5, 4);
    const free = w.m.node.freePages[0];
    scan(w);
    expect(w.m.node.freePages[0]).toBe(free + 11);
    expect(w.m.mm.rssAnon[w.mm]).toBe(5);
    expect([pteView(w, BASE + 4).state, pteView(w, BASE + 5).state]).toEqual(['page', 'zero']);
    expectSound(w);
  });

  it('found well used are not looked at again', () => {
    const w = hugePages(1, 16, 4);
    expect(scan(w)).toBe(0);
    expect(w.m.node.deferredCount[0]).toBe(0);
    expect(folioHas(w.m, headAt(w, BASE), FOLIO.DEFERRED)).toBe(false);
    expectSound(w);
  });

  it('with a poisoned page are left alone', () => {
    const w = hugePages(1, 1, 4);
    setFrameFlags(w.m, (headAt(w, BASE) + 3) as Pfn, PAGE.HWPOISON);
    expect(scan(w)).toBe(0);
  });

  it('cost the reading of their pages until the answer is clear', () => {
    const w = hugePages(1, 1, 4);
    const before = w.m.current.nowNs;
    scan(w);
    // One page that is not zero, then five that are: more than four, so the rest is not read.
    expect(w.m.current.nowNs - before).toBeGreaterThanOrEqual(6 * w.m.costs.zeroPage);
  });
});
