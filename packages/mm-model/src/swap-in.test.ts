import { acquire, type Procedure, READ, runToEnd, SequentialExecutor, sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import type { MmId, Vpn } from './brands.js';
import { handleMmFault } from './fault.js';
import { injectAllocationFailure } from './fault-injection.js';
import { FAULT } from './fault-result.js';
import { ENTRY_KIND, FOLIO, makeEntry, VM } from './flags.js';
import { folioHas, isAnonExclusive } from './folio.js';
import { folioTrylock, folioUnlock } from './folio-hold.js';
import { dupMm } from './fork.js';
import { lruAddDrainAll } from './lru.js';
import type { Machine } from './machine.js';
import { mlock } from './mlock.js';
import { mmput } from './mm.js';
import { mprotect } from './mprotect.js';
import { placeMarkers } from './populate.js';
import { doSwapPage, swapInForCollapse } from './swap-in.js';
import { swapOutFolio } from './swap-out.js';
import { vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, headAt, smallWorld, tableOf, vmaOf } from './testing/folios.js';
import { readPage } from './testing/page-contents.js';
import { frameOf, pteView } from './testing/pages.js';
import { mapAt, touch, type World } from './testing/world.js';
import { userfaultfdRegister, userfaultfdWriteProtect } from './userfaultfd.js';

/** A world with `pages` written pages, all swapped out. */
function swapped(pages: number): World {
  const w = smallWorld();
  fill(w, pages);
  for (let page = BASE; page < BASE + pages; page++) w.run(swapOutFolio(w.m, headAt(w, page)));
  return w;
}

function fault(w: World, page: number, write: boolean, mm: MmId = w.mm): number {
  return w.run(handleMmFault(w.m, mm, page as Vpn, { write }));
}

describe('a fault on a swap entry', () => {
  it('brings the content back, exclusive and writable, and frees the slot', () => {
    const w = swapped(2);
    const before = readPage(w.m, w.mm, BASE);
    const start = w.m.current.nowNs;
    expect(fault(w, BASE, false)).toBe(FAULT.ok);
    expect(w.m.current.nowNs - start).toBeGreaterThanOrEqual(w.m.costs.swapIn);
    expect(readPage(w.m, w.mm, BASE)).toBe(before);
    expect(pteView(w, BASE).bits).toEqual(expect.arrayContaining(['write', 'young']));
    expect(pteView(w, BASE).bits).not.toContain('dirty');
    expect(isAnonExclusive(w.m, frameOf(w, BASE))).toBe(true);
    expect([vmstat(w, 'pswpin'), vmstat(w, 'pgmajfault'), w.m.swap.cache[0]]).toEqual([1, 1, 1]);
    expectSound(w);
  });

  it('leaves the page in this processor’s batch, off the LRU', () => {
    const w = swapped(1);
    fault(w, BASE, false);
    expect(folioHas(w.m, headAt(w, BASE), FOLIO.LRU)).toBe(false);
    expect(w.m.frame.refcount[headAt(w, BASE)]).toBe(2);
  });

  it('writes through it if the fault was a write', () => {
    const w = swapped(1);
    const before = readPage(w.m, w.mm, BASE);
    fault(w, BASE, true);
    expect(readPage(w.m, w.mm, BASE)).toBeGreaterThan(before);
    expect(pteView(w, BASE).bits).toContain('dirty');
    expectSound(w);
  });

  it('is read once for all processes that share the slot, and leaves the swap cache with the last entry', () => {
    const w = swapped(1);
    const child = w.run(dupMm(w.m, w.mm));
    fault(w, BASE, false);
    const head = headAt(w, BASE);
    expect(folioHas(w.m, head, FOLIO.SWAPCACHE)).toBe(true);
    expect(isAnonExclusive(w.m, head)).toBe(false);
    expect(pteView(w, BASE).bits).not.toContain('write');
    expectSound(w);
    fault(w, BASE, false, child);
    expect(headAt(w, BASE, child)).toBe(head);
    expect(folioHas(w.m, head, FOLIO.SWAPCACHE)).toBe(false);
    expect(vmstat(w, 'pswpin')).toBe(1);
    expect(isAnonExclusive(w.m, head)).toBe(false);
    expectSound(w);
  });

  it('copies a shared page for a process that writes, and the other keeps the old content', () => {
    const w = swapped(1);
    const child = w.run(dupMm(w.m, w.mm));
    const before = readPage(w.m, w.mm, BASE);
    fault(w, BASE, true, child);
    expect(readPage(w.m, w.mm, BASE)).toBe(before);
    expect(readPage(w.m, child, BASE)).toBeGreaterThan(before);
    fault(w, BASE, false);
    expect(readPage(w.m, w.mm, BASE)).toBe(before);
    expectSound(w);
  });

  it('maps a page of a forked family where the reverse map of every member finds it, also without the parent', () => {
    const w = swapped(1);
    const child = w.run(dupMm(w.m, w.mm));
    const grandchild = w.run(dupMm(w.m, child));
    w.run(mmput(w.m, w.mm));
    fault(w, BASE, false, grandchild);
    fault(w, BASE, false, child);
    expectSound(w);
    w.run(lruAddDrainAll(w.m));
    expect(w.run(swapOutFolio(w.m, headAt(w, BASE, child)))).toBe(true);
    expect(readPage(w.m, grandchild, BASE)).toBe(readPage(w.m, child, BASE));
    expectSound(w);
  });

  it('in a VMA that is not writable maps it read-only', () => {
    const w = swapped(1);
    w.run(mprotect(w.m, w.mm, BASE as Vpn, 1, VM.READ));
    fault(w, BASE, false);
    expect(pteView(w, BASE).bits).not.toContain('write');
    expect(isAnonExclusive(w.m, headAt(w, BASE))).toBe(true);
    expectSound(w);
  });

  it('keeps userfaultfd write protection: the page comes in, a write is the handler’s business', () => {
    const w = smallWorld();
    fill(w, 1);
    w.run(userfaultfdRegister(w.m, w.mm, BASE as Vpn, 1, VM.UFFD_WP));
    w.run(userfaultfdWriteProtect(w.m, w.mm, BASE as Vpn, 1, true));
    w.run(swapOutFolio(w.m, headAt(w, BASE)));
    expect(fault(w, BASE, true)).toBe(FAULT.userfault);
    expect(pteView(w, BASE)).toMatchObject({ state: 'page' });
    expect(pteView(w, BASE).bits).toContain('uffdWp');
    expect(pteView(w, BASE).bits).not.toContain('write');
    expectSound(w);
  });

  it('in a locked VMA locks the page in memory', () => {
    const w = swapped(1);
    w.run(mlock(w.m, w.mm, BASE as Vpn, 1));
    expect(folioHas(w.m, headAt(w, BASE), FOLIO.MLOCKED)).toBe(true);
    expect(vmstat(w, 'nr_mlock')).toBe(1);
    expectSound(w);
  });

  it('reports no memory', () => {
    const w = swapped(1);
    injectAllocationFailure(w.m, { nth: 1 });
    expect(fault(w, BASE, false)).toBe(FAULT.oom);
    expect(pteView(w, BASE).state).toBe('entry');
    expectSound(w);
  });

  it('that has changed meanwhile does nothing', () => {
    const w = swapped(1);
    fault(w, BASE, false);
    const head = headAt(w, BASE);
    expect(w.run(doSwapPage(w.m, vmaOf(w, BASE), tableOf(w, BASE), BASE as Vpn, false))).toBe(FAULT.ok);
    expect(headAt(w, BASE)).toBe(head);
    expectSound(w);
  });
});

describe('two faults on one slot at once', () => {
  it('read it once: the second waits for the first, holding its lock', () => {
    const w = swapped(1);
    const child = w.run(dupMm(w.m, w.mm));
    const executor = new SequentialExecutor(w.m.domain, { cpus: 2 });
    w.m.current = executor.current;
    executor.spawn('parent', () => handleMmFault(w.m, w.mm, BASE as Vpn, { write: false }));
    executor.spawn('child', () => handleMmFault(w.m, child, BASE as Vpn, { write: false }));
    expect(executor.run().end).toBe('idle');
    expect(executor.tasks.map((task) => task.result)).toEqual([FAULT.ok, FAULT.ok]);
    expect(vmstat(w, 'pswpin')).toBe(1);
    expect(headAt(w, BASE, child)).toBe(headAt(w, BASE));
    expectSound(w);
  });
});

describe('swap-in for a collapse', () => {
  function* locked(m: Machine, mm: MmId, call: () => Procedure<number>): Procedure<number> {
    yield acquire(m.locks.mmapLock.ref(mm), READ);
    return yield* call();
  }

  it('brings the page in and keeps mmap_lock', () => {
    const w = swapped(1);
    const collapse = (): Procedure<number> => swapInForCollapse(w.m, vmaOf(w, BASE), tableOf(w, BASE), BASE as Vpn);
    expect(runToEnd(w.m.domain, locked(w.m, w.mm, collapse), { current: w.m.current })).toBe(FAULT.ok);
    expect(w.m.mm.mmapLock[w.m.locks.mmapLock.base(w.mm)]).toBe(1);
    expect(pteView(w, BASE).state).toBe('page');
  });

  it('asks for a retry and has released mmap_lock if the page is locked in the swap cache (case B18)', () => {
    const w = swapped(1);
    const child = w.run(dupMm(w.m, w.mm));
    fault(w, BASE, false, child);
    const head = headAt(w, BASE, child);
    const executor = new SequentialExecutor(w.m.domain, { cpus: 2 });
    w.m.current = executor.current;
    executor.spawn('holder', function* () {
      folioTrylock(w.m, head);
      yield sleep(50_000);
      folioUnlock(w.m, head);
    });
    executor.spawn('khugepaged', () =>
      locked(w.m, w.mm, () => swapInForCollapse(w.m, vmaOf(w, BASE), tableOf(w, BASE), BASE as Vpn)),
    );
    expect(executor.run().end).toBe('idle');
    expect(executor.tasks[1].result).toBe(FAULT.retry);
    expect(w.m.mm.mmapLock[w.m.locks.mmapLock.base(w.mm)]).toBe(0);
    expect(pteView(w, BASE).state).toBe('entry');
    expectSound(w);
  });

  it.each([
    ['guard', ENTRY_KIND.markerGuard, FAULT.sigsegv],
    ['poison', ENTRY_KIND.markerPoison, FAULT.sigbus],
    ['uffd-wp', ENTRY_KIND.markerUffdWp, FAULT.userfault],
  ] as const)('fails on a %s marker and keeps mmap_lock', (_, kind, result) => {
    const w = smallWorld();
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE + 1, BASE + 2);
    placeMarkers(w.m, vmaOf(w, BASE), BASE as Vpn, 1, kind);
    const collapse = (): Procedure<number> => swapInForCollapse(w.m, vmaOf(w, BASE), tableOf(w, BASE), BASE as Vpn);
    expect(runToEnd(w.m.domain, locked(w.m, w.mm, collapse), { current: w.m.current })).toBe(result);
    expect(w.m.mm.mmapLock[w.m.locks.mmapLock.base(w.mm)]).toBe(1);
    expect(makeEntry(kind)).toBe(w.m.pte.pfn[tableOf(w, BASE) * 16]);
  });
});
