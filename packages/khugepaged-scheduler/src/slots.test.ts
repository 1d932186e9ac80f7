import { MMF, mmapReadLock, mmapReadUnlock, mmput, VM } from '@thplab/mm-model';
import { legacy613, merged } from '@thplab/mthp-collapse';
import { acquire, type Procedure, release, sleep } from '@thplab/sync';
import { traceSizes } from '@thplab/trace';
import { describe, expect, it } from 'vitest';
import { khugepagedEnter, khugepagedEnterVma, khugepagedScanMmSlot, khugepagedSizes } from './index.js';
import { setBudget } from './scanner.js';
import { fill, makeProcess, makeSchedulerWorld, type SchedulerWorld } from './testing/scheduler-world.js';

const N = 512;

function registered(w: SchedulerWorld): number[] {
  return [...w.k.slots.rows(0)].map((slot) => w.k.t.mmSlot.mm[slot]);
}

function stopped(): SchedulerWorld {
  const w = makeSchedulerWorld();
  w.write('enabled', 'never');
  return w;
}

describe('registration', () => {
  it('keeps the order of arrival, takes a reference, and happens once', () => {
    const w = stopped();
    const a = makeProcess(w, 0x10000, N).mm;
    const b = makeProcess(w, 0x10000, N).mm;
    for (const mm of [b, a, b]) w.run(() => khugepagedEnter(w.k, mm));
    expect(registered(w)).toEqual([b, a]);
    expect(w.m.mm.count[b]).toBe(2);
    expect(w.m.mm.flags[b] & MMF.VM_HUGEPAGE).not.toBe(0);
  });

  it('of a VMA needs an anon_vma, a whole block, and a setting that allows it', () => {
    const w = makeSchedulerWorld();
    const { mm, vma } = makeProcess(w, 0x10000, N);
    w.run(() => khugepagedEnterVma(w.k, vma));
    expect(registered(w), 'not touched yet').toEqual([]);
    fill(w, vma, 0x10000, 1);
    w.run(() => khugepagedEnterVma(w.k, vma));
    expect(registered(w), 'madvise, but not advised').toEqual([]);
    w.m.vma.flags[vma] |= VM.HUGEPAGE;
    w.run(() => khugepagedEnterVma(w.k, vma));
    expect(registered(w)).toEqual([mm]);
  });

  it('without a free slot does nothing, and in 6.13 leaves the mm marked for good (B17)', () => {
    for (const [generation, marked] of [
      [merged, false],
      [legacy613, true],
    ] as const) {
      const w = makeSchedulerWorld({ extraSizes: { ...traceSizes(16), ...khugepagedSizes(299), mmSlots: 1 } });
      const k = { ...w.k, generation };
      const [first, second] = [makeProcess(w, 0x10000, N).mm, makeProcess(w, 0x10000, N).mm];
      w.run(() => khugepagedEnter(k, first));
      w.run(() => khugepagedEnter(k, second));
      expect(registered(w)).toEqual([first]);
      expect((w.m.mm.flags[second] & MMF.VM_HUGEPAGE) !== 0).toBe(marked);
    }
  });
});

describe('exit', () => {
  it('frees the slot of an mm that is not being scanned', () => {
    const w = stopped();
    const { mm } = makeProcess(w, 0x10000, N);
    w.run(() => khugepagedEnter(w.k, mm));
    w.run(() => mmput(w.m, mm));
    expect(registered(w)).toEqual([]);
    expect(w.m.mm.pool.live).toBe(0);
  });

  it('of the mm being scanned waits for khugepaged to leave, which then frees the slot (B15)', () => {
    const w = stopped();
    const { mm, vma } = makeProcess(w, 0x10000, 4 * N);
    fill(w, vma, 0x10000, 4 * N);
    w.run(() => khugepagedEnter(w.k, mm));
    w.k.t.khugepaged.cursorSlot[0] = w.k.t.mmSlotIndex.slot[mm];
    const order: string[] = [];
    w.executor.spawn('scanner', function* () {
      yield* mmapReadLock(w.m, mm);
      yield sleep(1e6);
      order.push('left');
      yield* mmapReadUnlock(w.m, mm);
    });
    w.executor.spawn(
      'exit',
      function* () {
        yield* mmput(w.m, mm);
        order.push('gone');
      },
      { startNs: w.executor.current.nowNs + 10_000 },
    );
    w.executor.run();
    expect(order).toEqual(['left', 'gone']);
    expect(registered(w), 'the slot is khugepaged’s to free').toEqual([mm]);
    w.write('enabled', 'always');
    w.executor.run({ untilNs: w.executor.current.nowNs + 1e9 });
    expect(registered(w)).toEqual([]);
    expect(w.m.mm.pool.live).toBe(0);
  });
});

describe('an mm with THP disabled', () => {
  it('is charged one visit and left', () => {
    for (const profile of ['merged', 'v6.18'] as const) {
      const w = makeSchedulerWorld({ profile });
      w.write('enabled', 'never');
      const { mm } = makeProcess(w, 0x10000, N);
      w.run(() => khugepagedEnter(w.k, mm));
      w.m.mm.flags[mm] |= MMF.DISABLE_THP_COMPLETELY;
      w.k.control.progress = 0;
      w.run(() => oneVisit(w));
      expect(w.k.control.progress).toBe(1);
      // Merged leaves it for being disabled; before, because the visit ended before any VMA.
      expect(w.k.t.khugepaged.cursorSlot[0]).toBe(0);
    }
  });
});

function* oneVisit(w: SchedulerWorld): Procedure<void> {
  yield acquire(w.k.mmLock);
  setBudget(w.k, 4096, 1);
  yield* khugepagedScanMmSlot(w.k);
  yield release(w.k.mmLock);
}
