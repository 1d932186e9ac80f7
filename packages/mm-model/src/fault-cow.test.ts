import { describe, expect, it } from 'vitest';
import type { TableId, Vpn } from './brands.js';
import { assertMachine } from './check.js';
import { handleMmFault } from './fault.js';
import { FAULT } from './fault-result.js';
import { dupMm } from './fork.js';
import { lruAddDrainAll } from './lru.js';
import { allocFolio, GFP } from './page-alloc.js';
import { findTable, ptePfn, slotOf } from './page-table.js';
import { makeWorld, mapAt, touch } from './testing/world.js';

const PAGE = 512 as Vpn;

describe('copy-on-write with hardly any memory', () => {
  it('does not reclaim the very page that it copies, and so comes to an end', () => {
    const w = makeWorld({ nodePages: [64], swapPages: 64 });
    mapAt(w, PAGE, 1);
    touch(w, w.mm, PAGE, PAGE + 1);
    const child = w.run(dupMm(w.m, w.mm));
    w.run(lruAddDrainAll(w.m));
    const frame = ptePfn(w.m, findTable(w.m, w.mm, PAGE) as TableId, slotOf(w.m, PAGE));
    const hogged = [];
    while (w.m.node.freePages[0] > 0) hogged.push(w.run(allocFolio(w.m, 0, GFP.movable)));
    expect(w.run(handleMmFault(w.m, child, PAGE, { write: true }))).toBe(FAULT.oom);
    expect(ptePfn(w.m, findTable(w.m, child, PAGE) as TableId, slotOf(w.m, PAGE))).toBe(frame);
    assertMachine(w.m, { held: hogged as never });
  });
});
