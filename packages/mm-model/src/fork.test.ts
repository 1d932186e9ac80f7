import { describe, expect, it } from 'vitest';
import type { MmId, Pfn, TableId, Vpn } from './brands.js';
import { assertMachine } from './check.js';
import { injectAllocationFailure } from './fault-injection.js';
import { VM } from './flags.js';
import { dupMm } from './fork.js';
import { pinPages } from './gup.js';
import { lruAddDrainAll } from './lru.js';
import { MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mprotect } from './mprotect.js';
import {
  findPmd,
  findTable,
  PMD,
  PMD_UFFD_WP,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pmdType,
  pteAttributes,
  ptePfn,
  slotOf,
} from './page-table.js';
import { shrinkNode } from './reclaim.js';
import { makeWorld, mapAt, touch, type World } from './testing/world.js';
import { userfaultfdRegister, userfaultfdWriteProtect } from './userfaultfd.js';

const PAGE = 512 as Vpn;

function pinnedWorld(): World & { readonly pins: readonly Pfn[] } {
  const w = makeWorld();
  mapAt(w, PAGE, 4);
  touch(w, w.mm, PAGE, PAGE + 4);
  const { frames } = w.run(pinPages(w.m, w.mm, PAGE, 1, { write: true }));
  return { ...w, pins: frames };
}

describe('fork with pinned pages', () => {
  it('gives the child a copy, and the parent keeps the page that is pinned', () => {
    const w = pinnedWorld();
    const child = w.run(dupMm(w.m, w.mm));
    const frame = (mm: MmId): number => ptePfn(w.m, findTable(w.m, mm, PAGE) as TableId, slotOf(w.m, PAGE));
    expect(frame(w.mm)).toBe(w.pins[0]);
    expect(frame(child)).not.toBe(w.pins[0]);
    expect(w.m.frame.stamp[frame(child)]).toBe(w.m.frame.stamp[w.pins[0]]);
  });

  it('does not make the copy writable where the VMA is not', () => {
    const w = pinnedWorld();
    w.run(mprotect(w.m, w.mm, PAGE, 4, VM.READ));
    const child = w.run(dupMm(w.m, w.mm));
    const attributes = pteAttributes(w.m, findTable(w.m, child, PAGE) as TableId, slotOf(w.m, PAGE));
    expect(attributes & PTE_WRITE).toBe(0);
  });

  it('fails as a whole if there is no memory for the copy: no child, and nothing left of it', () => {
    const w = pinnedWorld();
    const before = { mms: w.m.mm.pool.live, vmas: w.m.vma.pool.live, tables: w.m.pte.pool.live };
    injectAllocationFailure(w.m, { order: 0, nth: 1, count: 1 });
    expect(w.run(dupMm(w.m, w.mm))).toBe(0);
    expect({ mms: w.m.mm.pool.live, vmas: w.m.vma.pool.live, tables: w.m.pte.pool.live }).toEqual(before);
    assertMachine(w.m, { pins: w.pins });
    expect(w.run(dupMm(w.m, w.mm))).not.toBe(0);
  });
});

describe('the entries that fork makes', () => {
  it('are old and stay dirty in the child, so that MADV_FREE of one process drops nothing of the other', () => {
    const w = makeWorld();
    mapAt(w, PAGE, 4);
    touch(w, w.mm, PAGE, PAGE + 4);
    const stamp = w.m.frame.stamp[ptePfn(w.m, findTable(w.m, w.mm, PAGE) as TableId, slotOf(w.m, PAGE))];
    const child = w.run(dupMm(w.m, w.mm));
    const attributes = pteAttributes(w.m, findTable(w.m, child, PAGE) as TableId, slotOf(w.m, PAGE));
    expect(attributes & (PTE_YOUNG | PTE_DIRTY)).toBe(PTE_DIRTY);
    w.run(lruAddDrainAll(w.m));
    w.run(madvise(w.m, w.mm, PAGE, 4, MADV.FREE));
    for (let i = 0; i < 3; i++) w.run(shrinkNode(w.m, 0, 16_384));
    touch(w, child, PAGE, PAGE + 1, false);
    expect(w.m.frame.stamp[ptePfn(w.m, findTable(w.m, child, PAGE) as TableId, slotOf(w.m, PAGE))]).toBe(stamp);
  });

  it('are not write-protected by the userfaultfd of the parent, huge ones neither', () => {
    const w = makeWorld({ thp: 'always' });
    mapAt(w, PAGE, 512);
    touch(w, w.mm, PAGE, PAGE + 1);
    expect(pmdType(w.m.directory.entry[findPmd(w.m, w.mm, PAGE)])).toBe(PMD.huge);
    w.run(userfaultfdRegister(w.m, w.mm, PAGE, 512, VM.UFFD_WP));
    w.run(userfaultfdWriteProtect(w.m, w.mm, PAGE, 512, true));
    const child = w.run(dupMm(w.m, w.mm));
    expect(w.m.directory.entry[findPmd(w.m, w.mm, PAGE)] & PMD_UFFD_WP).toBe(PMD_UFFD_WP);
    expect(w.m.directory.entry[findPmd(w.m, child, PAGE)] & PMD_UFFD_WP).toBe(0);
  });
});
