/** Faults against others who change the same page tables under no more than the VMA's lock for reading. */
import { type Procedure, SequentialExecutor } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { assertMachine } from './check.js';
import { handleMmFault } from './fault.js';
import { FAULT } from './fault-result.js';
import { VM } from './flags.js';
import { dupMm } from './fork.js';
import { MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { findTable, PTE_UFFD_WP, PTE_WRITE, pteAttributes, slotOf } from './page-table.js';
import { makeWorld, mapAt, touch, type World } from './testing/world.js';
import { userfaultfdRegister, userfaultfdWriteProtect } from './userfaultfd.js';

const PAGE = 512 as Vpn;

/** Runs two procedures, the second `delay` ns after the first (or before, if negative), and every lock operation a place to get in between. */
function race(w: World, delay: number, first: () => Procedure<unknown>, second: () => Procedure<unknown>): unknown[] {
  const executor = new SequentialExecutor(w.m.domain, { cpus: 2, rethrow: true, lockOperationNs: 70 });
  w.m.current = executor.current;
  const tasks = [
    executor.spawn('first', first, { startNs: Math.max(0, -delay) }),
    executor.spawn('second', second, { startNs: Math.max(0, delay) }),
  ];
  executor.run();
  return tasks.map((task) => task.result);
}

function tinyWorld(): World {
  return makeWorld({ geometry: { pageShift: 12, pmdOrder: 3 }, nodePages: [256], swapPages: 16 });
}

describe('a write fault and MADV_DONTNEED, which frees page tables that it empties', () => {
  it('never put a page into a table that is gone', () => {
    for (let delay = -5000; delay < 5000; delay += 70) {
      const w = tinyWorld();
      mapAt(w, PAGE, 8);
      touch(w, w.mm, PAGE, PAGE + 1);
      const results = race(
        w,
        delay,
        () => handleMmFault(w.m, w.mm, (PAGE + 3) as Vpn, { write: true }),
        () => madvise(w.m, w.mm, PAGE, 8, MADV.DONTNEED),
      );
      expect(results).toEqual([FAULT.ok, 0]);
      assertMachine(w.m);
    }
  });
});

describe('a write fault and userfaultfd write protection', () => {
  it('never leave an entry both protected and writable', () => {
    for (let delay = -4000; delay < 4000; delay += 70) {
      const w = tinyWorld();
      mapAt(w, PAGE, 8);
      touch(w, w.mm, PAGE, PAGE + 8);
      w.run(dupMm(w.m, w.mm));
      w.run(userfaultfdRegister(w.m, w.mm, PAGE, 8, VM.UFFD_WP));
      const [fault] = race(
        w,
        delay,
        () => handleMmFault(w.m, w.mm, PAGE, { write: true }),
        () => userfaultfdWriteProtect(w.m, w.mm, PAGE, 8, true),
      );
      const table = findTable(w.m, w.mm, PAGE);
      const bits = table === 0 ? 0 : pteAttributes(w.m, table, slotOf(w.m, PAGE));
      expect(bits & (PTE_UFFD_WP | PTE_WRITE)).toBe(PTE_UFFD_WP);
      expect([FAULT.ok, FAULT.userfault]).toContain(fault);
      assertMachine(w.m);
    }
  });
});
