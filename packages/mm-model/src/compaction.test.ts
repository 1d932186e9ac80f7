import { describe, expect, it } from 'vitest';
import type { Pfn, Vpn } from './brands.js';
import { freeBlocks, hasFree, takeBlock } from './buddy.js';
import { tryToCompact } from './compaction.js';
import { folioPut } from './folio-lifetime.js';
import { pinPages, unpinPages } from './gup.js';
import { munmap } from './munmap.js';
import { occupyFrame } from './populate.js';
import { vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, smallWorld } from './testing/folios.js';
import { contents } from './testing/pages.js';
import type { World } from './testing/world.js';

const ORDER = 4;

/** A process that has written all memory and given back every second page: no two free pages side by side. */
function holes(): World {
  const w = smallWorld();
  const pages = w.m.node.freePages[0];
  fill(w, pages);
  for (let page = BASE; page < BASE + pages; page += 2) w.run(munmap(w.m, w.mm, page as Vpn, 1));
  return w;
}

function compact(w: World, order = ORDER): boolean {
  return w.run(tryToCompact(w.m, 0, order));
}

describe('compaction', () => {
  it('makes a free block of pages of processes by moving them, contents and all', () => {
    const w = holes();
    expect(hasFree(w.m, 0, ORDER)).toBe(false);
    const before = contents(w, BASE, BASE + 500);
    const free = w.m.node.freePages[0];
    expect(compact(w)).toBe(true);
    expect(hasFree(w.m, 0, ORDER)).toBe(true);
    expect(contents(w, BASE, BASE + 500)).toEqual(before);
    expect(w.m.node.freePages[0]).toBe(free);
    expect(vmstat(w, 'pgmigrate_success')).toBeGreaterThan(0);
    expectSound(w);
  });

  it('goes on where it last stopped, block after block, until memory is dense', () => {
    const w = holes();
    for (let i = 0; i < 8; i++) {
      expect(compact(w)).toBe(true);
      expect(takeBlock(w.m, 0, ORDER)).not.toBe(0);
    }
    expect(vmstat(w, 'compact_success')).toBe(8);
  });

  it('leaves a block with a pinned page alone', () => {
    const w = holes();
    const pins: Pfn[] = [];
    // One page in each block of 16 frames.
    for (let page = BASE + 1; page < BASE + 500; page += 2) {
      const [pfn] = w.run(pinPages(w.m, w.mm, page as Vpn, 1, { write: true })).frames;
      if (pins.some((other) => other >> ORDER === pfn >> ORDER)) unpinPages(w.m, [pfn]);
      else pins.push(pfn);
    }
    expect(compact(w)).toBe(false);
    expect(vmstat(w, 'compact_fail')).toBe(1);
    expectSound(w, { pins });
    unpinPages(w.m, pins);
  });

  it('cannot move memory of the kernel', () => {
    const w = smallWorld();
    for (let pfn = 8; pfn < 512; pfn += 16) occupyFrame(w.m, pfn as Pfn, false);
    expect(compact(w)).toBe(false);
    expectSound(w);
  });

  it('fails where free memory is short of one block', () => {
    const w = smallWorld();
    for (let pfn = 1; pfn < 512; pfn++) if (pfn % 64 !== 5) occupyFrame(w.m, pfn as Pfn, true);
    expect(w.m.node.freePages[0]).toBe(8);
    expect(compact(w)).toBe(false);
    expectSound(w);
  });

  it('is put off after a failure, twice as often each time, up to 63 times', () => {
    const w = smallWorld();
    for (let pfn = 8; pfn < 512; pfn += 16) occupyFrame(w.m, pfn as Pfn, false);
    const attempts: number[] = [];
    for (let call = 0; call < 300; call++) {
      const before = vmstat(w, 'compact_stall');
      compact(w);
      if (vmstat(w, 'compact_stall') > before) attempts.push(call);
    }
    const gaps = attempts.slice(1).map((at, i) => at - attempts[i]);
    expect(gaps).toEqual([2, 4, 8, 16, 32, 64, 64, 64]);
  });

  it('is put off for the failed order and higher ones, not for lower ones', () => {
    const w = smallWorld();
    for (let pfn = 8; pfn < 512; pfn += 16) occupyFrame(w.m, pfn as Pfn, false);
    compact(w, 4);
    const stalls = vmstat(w, 'compact_stall');
    compact(w, 5);
    expect(vmstat(w, 'compact_stall')).toBe(stalls);
    compact(w, 3);
    expect(vmstat(w, 'compact_stall')).toBe(stalls + 1);
  });

  it('charges for what it looked at and moved', () => {
    const w = holes();
    const before = w.m.current.nowNs;
    compact(w);
    const moved = vmstat(w, 'pgmigrate_success');
    const scanned = vmstat(w, 'compact_migrate_scanned');
    const charged = w.m.current.nowNs - before;
    expect(charged).toBe(moved * w.m.costs.compactPage + scanned * w.m.costs.compactScan);
  });

  it('gives back every frame it held when it has to stop half way', () => {
    const w = holes();
    const free = w.m.node.freePages[0];
    // The frames that were free in the block are held first, so they are no room for what lies in it.
    while (takeBlock(w.m, 0, 0) !== 0);
    const kept = freeBlocks(w.m, 0, 0);
    expect(kept).toBe(0);
    expect(compact(w)).toBe(false);
    expect(w.m.node.freePages[0]).toBe(0);
    expect(free).toBeGreaterThan(0);
  });
});

describe('memory of nobody modelled', () => {
  it('moves if it is movable', () => {
    const w = smallWorld();
    for (let pfn = 3; pfn < 512; pfn += 4) occupyFrame(w.m, pfn as Pfn, true);
    const free = w.m.node.freePages[0];
    expect(compact(w, 5)).toBe(true);
    expect(w.m.node.freePages[0]).toBe(free);
    const block = takeBlock(w.m, 0, 5) as Pfn;
    expect(block % 32).toBe(0);
    folioPut(w.m, block);
    expectSound(w);
  });
});
