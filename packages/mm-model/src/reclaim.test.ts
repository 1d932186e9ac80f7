import { settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { dupMm } from './fork.js';
import { pinPages, unpinPages } from './gup.js';
import { MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mlock } from './mlock.js';
import { pageoutRange, shrinkNode } from './reclaim.js';
import { mthpStat, vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, headAt, smallWorld, vmaOf } from './testing/folios.js';
import { readPage } from './testing/page-contents.js';
import { pteView } from './testing/pages.js';
import { touch, type World } from './testing/world.js';
import { zapRange } from './zap.js';

function shrink(w: World, pages: number): number {
  return w.run(shrinkNode(w.m, 0, pages));
}

function clearYoung(w: World): void {
  w.m.pte.young.fill(0);
}

function states(w: World, pages: number): string {
  return Array.from(
    { length: pages },
    (_, i) => ({ page: 'p', entry: 's', zero: 'z', none: '-' })[pteView(w, BASE + i).state],
  ).join('');
}

describe('shrinking a node', () => {
  it('takes pages that were not touched, and spares once those that were', () => {
    const w = smallWorld();
    fill(w, 8);
    clearYoung(w);
    touch(w, w.mm, BASE, BASE + 4, false);
    expect(shrink(w, 4)).toBe(4);
    expect(states(w, 8)).toBe('ppppssss');
    expect(pteView(w, BASE).bits).not.toContain('young');
    expectSound(w);
  });

  it('takes touched pages in a second round if that is not enough', () => {
    const w = smallWorld();
    fill(w, 8);
    expect(shrink(w, 4)).toBe(4);
    expect(states(w, 8)).toBe('sssspppp');
  });

  it('goes on where it stopped', () => {
    const w = smallWorld();
    fill(w, 8);
    clearYoung(w);
    shrink(w, 3);
    shrink(w, 3);
    expect(states(w, 8)).toBe('sssssspp');
  });

  it('frees the unmapped rest of partially mapped folios first', () => {
    const w = smallWorld(3);
    fill(w, 16);
    clearYoung(w);
    w.run(zapRange(w.m, vmaOf(w, BASE), BASE as Vpn, (BASE + 5) as Vpn));
    expect(shrink(w, 5)).toBe(5);
    expect(vmstat(w, 'pswpout')).toBe(0);
    expect(mthpStat(w, 3, 'split')).toBe(1);
    expectSound(w);
  });

  it('takes a large folio whole, so it may free more than asked for', () => {
    const w = smallWorld(3);
    fill(w, 16);
    clearYoung(w);
    expect(shrink(w, 1)).toBe(8);
    expect(mthpStat(w, 3, 'swpout')).toBe(1);
  });

  it('leaves what is pinned, mlocked or still in a batch', () => {
    const w = smallWorld();
    fill(w, 8);
    const { frames } = w.run(pinPages(w.m, w.mm, BASE as Vpn, 2, { write: true }));
    w.run(mlock(w.m, w.mm, (BASE + 2) as Vpn, 2));
    expect(shrink(w, 100)).toBe(4);
    expect(states(w, 8)).toBe('ppppssss');
    expectSound(w, { pins: frames });
    unpinPages(w.m, frames);
  });

  it('frees nothing without swap, and looks at no folio twice for that', () => {
    const w = smallWorld(0, { swapPages: 0 });
    fill(w, 8);
    expect(shrink(w, 4)).toBe(0);
    expect(states(w, 8)).toBe('pppppppp');
    expectSound(w);
  });

  it('spares a folio once for each process that touched it, not once for each page', () => {
    const w = smallWorld();
    fill(w, 2);
    const child = w.run(dupMm(w.m, w.mm));
    clearYoung(w);
    touch(w, child, BASE, BASE + 1, false);
    expect(shrink(w, 1)).toBe(1);
    expect(states(w, 2)).toBe('ps');
    expectSound(w);
  });
});

describe('lazyfree pages', () => {
  it('are dropped without being written, also without swap, and read as zeroes then', () => {
    const w = smallWorld(0, { swapPages: 0 });
    fill(w, 4);
    w.run(madvise(w.m, w.mm, BASE as Vpn, 2, MADV.FREE));
    clearYoung(w);
    expect(shrink(w, 4)).toBe(2);
    expect(states(w, 4)).toBe('--pp');
    expect([vmstat(w, 'pglazyfreed'), w.m.mm.rssAnon[w.mm]]).toEqual([2, 2]);
    expectSound(w);
  });

  it('that were written to since stay, and are ordinary pages again', () => {
    const w = smallWorld(0, { swapPages: 0 });
    fill(w, 2);
    w.run(madvise(w.m, w.mm, BASE as Vpn, 2, MADV.FREE));
    touch(w, w.mm, BASE, BASE + 1);
    const written = readPage(w.m, w.mm, BASE);
    clearYoung(w);
    expect(shrink(w, 4)).toBe(1);
    expect(states(w, 2)).toBe('p-');
    expect(readPage(w.m, w.mm, BASE)).toBe(written);
    expect(pteView(w, BASE).bits).not.toContain('attention');
    expectSound(w);
  });
});

describe('MADV_PAGEOUT', () => {
  function pageout(w: World, from: number, to: number): number {
    return w.run(madvise(w.m, w.mm, from as Vpn, to - from, MADV.PAGEOUT));
  }

  it('takes pages whether they were touched or not', () => {
    const w = smallWorld();
    fill(w, 8);
    expect(pageout(w, BASE + 2, BASE + 6)).toBe(0);
    expect(states(w, 8)).toBe('ppsssspp');
    expectSound(w);
  });

  it('leaves pages that other processes map too', () => {
    const w = smallWorld();
    fill(w, 4);
    w.run(dupMm(w.m, w.mm));
    touch(w, w.mm, BASE, BASE + 1);
    // A fresh copy waits in the batch; the advice drains it first.
    pageout(w, BASE, BASE + 4);
    expect(states(w, 4)).toBe('sppp');
    expectSound(w);
  });

  it('takes a large folio whole if the range covers it', () => {
    const w = smallWorld(3);
    fill(w, 8);
    pageout(w, BASE, BASE + 8);
    expect([mthpStat(w, 3, 'swpout'), mthpStat(w, 3, 'split')]).toEqual([1, 0]);
    expectSound(w);
  });

  it('splits a large folio that the range covers in part, and leaves the rest in memory', () => {
    const w = smallWorld(3);
    fill(w, 8);
    pageout(w, BASE, BASE + 3);
    expect(states(w, 8)).toBe('sssppppp');
    expect([mthpStat(w, 3, 'swpout'), mthpStat(w, 3, 'split')]).toEqual([0, 1]);
    expectSound(w);
  });

  it('takes a huge page whole, or splits it if the range covers it in part', () => {
    const whole = smallWorld(4);
    fill(whole, 16);
    pageout(whole, BASE, BASE + 16);
    expect([vmstat(whole, 'thp_swpout'), vmstat(whole, 'thp_split_page')]).toEqual([1, 0]);
    const part = smallWorld(4);
    fill(part, 16);
    pageout(part, BASE + 4, BASE + 6);
    expect(states(part, 16)).toBe('ppppssp'.padEnd(16, 'p'));
    expect([vmstat(part, 'thp_swpout'), vmstat(part, 'thp_split_page')]).toEqual([0, 1]);
    expectSound(whole);
    expectSound(part);
  });

  it('gives the number of pages freed', () => {
    const w = smallWorld();
    w.m.setting.value[settingIndex('use_zero_page')] = 1;
    fill(w, 8);
    expect(w.run(pageoutRange(w.m, vmaOf(w, BASE), BASE as Vpn, (BASE + 5) as Vpn))).toBe(5);
    expect(headAt(w, BASE)).toBe(0);
  });
});
