/** Quirks H7, H10 to H13, H15 and H16 (khugepaged spec 17.4): hints and the loop around them. */
import { findTable, folioOrder, injectAllocationFailure, ptePfn, type Vpn } from '@thplab/mm-model';
import { SCAN } from '@thplab/mthp-collapse';
import { acquire, LockdepError, release } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import {
  addHint,
  first,
  type HintedProcess,
  type HintWorld,
  makeHinted,
  makeHintWorld,
  N,
} from '../testing/hint-world.js';
import { khugepagedThread } from '../thread.js';

const S = 1e9;

function startThread(w: HintWorld): void {
  w.executor.spawn('khugepaged', () => khugepagedThread(w.k), { nice: 19 });
}

function hintAt(w: HintWorld, process: HintedProcess, range: number, seconds: number): void {
  w.executor.spawn('producer', () => addHint(w, process, range), { startNs: seconds * S });
}

/** Seconds at which hints were served. */
function servedAt(w: HintWorld, until: number): number[] {
  const times: number[] = [];
  for (let second = 0; second <= until; second += 0.5) {
    const before = w.served.length;
    w.executor.run({ untilNs: second * S });
    for (const _ of w.served.slice(before)) times.push(second);
  }
  return times;
}

describe('H7: the wake-up of an added hint', () => {
  function hintedAtTwo(policy: string): HintWorld {
    const w = makeHintWorld(policy);
    const a = makeHinted(w, 1, { full: [0] });
    startThread(w);
    w.executor.run({ untilNs: 0.5 * S });
    expect(w.k.t.khugepaged.fullScans[0]).toBe(1);
    hintAt(w, a, 1, 2);
    return w;
  }

  it('does not end the scan sleep, whose condition does not ask for hints', () => {
    expect(servedAt(hintedAtTwo('as-posted'), 12)).toEqual([10.5]);
  });

  it('is cured by prompt', () => {
    expect(servedAt(hintedAtTwo('prompt'), 12)).toEqual([2.5]);
  });

  it('does end the sleep after a failed allocation, which any wake-up does', () => {
    const w = makeHintWorld();
    w.write('khugepaged/defrag', '0');
    injectAllocationFailure(w.m, { order: 9, nth: 1, count: 1 });
    const a = makeHinted(w, 2, { full: [0, 1] });
    startThread(w);
    w.executor.run({ untilNs: 3 * S });
    expect(w.k.t.khugepaged.pagesCollapsed[0], 'it sleeps a minute for memory').toBe(0);
    hintAt(w, a, 1, 4);
    expect(servedAt(w, 5)).toEqual([4.5]);
  });
});

describe('the scan sleep', () => {
  it('is left out while hints wait with scanSleep=skipped, pass after pass, and comes back with the last one', () => {
    const w = makeHintWorld('as-posted:scanSleep=skipped');
    w.write('khugepaged/pages_to_scan', String(N));
    const a = makeHinted(w, 5, { full: first(5) });
    for (const range of first(5)) w.hint(a, range);
    startThread(w);
    w.executor.run({ untilNs: 0.5 * S });
    expect(w.served).toHaveLength(5);
    const passes = w.k.t.khugepaged.passes[0];
    w.executor.run({ untilNs: 9 * S });
    expect(w.k.t.khugepaged.passes[0]).toBe(passes);
  });
});

describe('H10: the progress of hints', () => {
  function progressTold(policy: string): readonly (readonly number[])[] {
    const w = makeHintWorld(policy);
    const [a, b] = [makeHinted(w, 1), makeHinted(w, 1, { full: [0] })];
    w.hint(b, 0);
    w.visit();
    return [...w.tracer.reader().events()]
      .filter(({ name }) => name === 'mm_khugepaged_scan')
      .map(({ args }) => [Number(args.mm) - a.mm, Number(args.progress)]);
  }

  it('is told as that of the address space whose turn it is in the round; tracesAsRound=false cures it', () => {
    const [[mm, progress]] = progressTold('as-posted') as [[number, number]];
    const [[same, own]] = progressTold('as-posted:tracesAsRound=false') as [[number, number]];
    expect([mm, same], 'a, which has no hint').toEqual([0, 0]);
    expect(progress - own).toBe(1 + N);
  });
});

describe('H11: the result of the last hint', () => {
  /** A hint fails to get memory; the round then looks at an address space where it attempts nothing. */
  function resultOf(policy: string, order: 'round-attempts' | 'round-is-idle'): number {
    const w = makeHintWorld(policy);
    w.write('khugepaged/defrag', '0');
    const idle = makeHinted(w, 0);
    const a = makeHinted(w, 1, { full: [0] });
    if (order === 'round-is-idle') {
      // The VMAs of the first address space are all behind its cursor.
      w.k.t.khugepaged.cursorSlot[0] = w.k.t.mmSlotIndex.slot[idle.mm];
      w.k.t.khugepaged.roundAt[0] = w.k.t.khugepaged.cursorSlot[0];
      w.k.t.khugepaged.cursorPage[0] = 2 ** 30;
    }
    injectAllocationFailure(w.m, { order: 9, nth: 1, count: 1 });
    w.hint(a, 0);
    return w.visit();
  }

  it('survives a round that attempts nothing, and makes khugepaged sleep for memory', () => {
    expect(resultOf('as-posted', 'round-is-idle')).toBe(SCAN.ALLOC_HUGE_PAGE_FAIL);
  });

  it('is overwritten by a round that attempts something', () => {
    expect(resultOf('as-posted', 'round-attempts')).not.toBe(SCAN.ALLOC_HUGE_PAGE_FAIL);
  });

  it('is cured by resultSurvives=false', () => {
    expect(resultOf('as-posted:resultSurvives=false', 'round-is-idle')).toBe(SCAN.FAIL);
  });
});

describe('H12: what a hint builds', () => {
  it('is what the settings allow in the VMA: several small folios, where only those are enabled', () => {
    const w = makeHintWorld();
    w.write('hugepages-64kB/enabled', 'always');
    w.write('hugepages-2048kB/enabled', 'never');
    const a = makeHinted(w, 1, { full: [0] });
    expect(w.hint(a, 0, { maxOrder: 4 }), 'larger than 64K is not to be had').toBe('mapped_large_enough');
    expect(w.hint(a, 0, { maxOrder: 3 })).toBe('queued');
    w.visit();
    const table = findTable(w.m, a.mm, a.start as Vpn);
    const orders = first(N).map((slot) => folioOrder(w.m, ptePfn(w.m, table as never, slot)));
    expect(new Set(orders)).toEqual(new Set([4]));
  });
});

describe('H13: the allocation of a hint', () => {
  /** What the rules of locking say to a hint that is added under a spinlock. */
  function addUnderSpinlock(policy: string): unknown {
    const w = makeHintWorld(policy);
    const a = makeHinted(w, 1);
    w.executor.spawn('producer', function* () {
      const lock = w.m.locks.pteLock.ref(1);
      yield acquire(lock);
      yield* addHint(w, a, 0);
      yield release(lock);
    });
    return w.executor.run().failure?.error;
  }

  it('comes before the trylock and may sleep, so that a hint cannot be added under a spinlock', () => {
    expect(addUnderSpinlock('as-posted')).toBeInstanceOf(LockdepError);
  });

  it('is cured by allocation=atomic', () => {
    expect(addUnderSpinlock('as-posted:allocation=atomic')).toBeUndefined();
  });
});

describe('H15: a hint that comes late', () => {
  it('waits for the next pass once the list was gone through, although budget is left', () => {
    const w = makeHintWorld();
    const a = makeHinted(w, 2, { full: [0] });
    startThread(w);
    w.executor.run({ untilNs: 0.001 * S });
    hintAt(w, a, 1, 0.002);
    w.executor.run({ untilNs: 0.003 * S });
    expect(w.k.t.khugepaged.fullScans[0]).toBe(1);
    expect(servedAt(w, 12)).toEqual([10.5]);
  });

  it('is cured by prompt', () => {
    const w = makeHintWorld('prompt');
    const a = makeHinted(w, 2, { full: [0] });
    startThread(w);
    w.executor.run({ untilNs: 0.001 * S });
    hintAt(w, a, 1, 0.002);
    expect(servedAt(w, 12)).toEqual([0.5]);
  });
});

describe('H16: the search for the next address space', () => {
  /** Time of a drain that finds nothing, with so many address spaces registered. */
  function searchNs(policy: string, mms: number): number {
    const w = makeHintWorld(policy);
    for (const _ of first(mms)) makeHinted(w, 0);
    // One visit with an address space at the cursor that has nothing left: only the search differs.
    w.visit();
    const before = w.executor.current.nowNs;
    w.visit();
    return w.executor.current.nowNs - before;
  }

  it('walks all of them under khugepaged_mm_lock, although there are no hints', () => {
    expect(searchNs('as-posted', 101) - searchNs('as-posted', 1)).toBe(2 * 100 * 8);
  });

  it('is cured by linked=whileWaiting', () => {
    expect(searchNs('as-posted:linked=whileWaiting', 101)).toBe(searchNs('as-posted:linked=whileWaiting', 1));
  });
});
