/** Quirks H1 to H5 and H8 of the queue as posted (khugepaged spec 17.4): what a drain counts, and who pays. */
import { MMF, mmapWriteLock, mmapWriteUnlock } from '@thplab/mm-model';
import { sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { first, type HintedProcess, type HintWorld, makeHinted, makeHintWorld, N } from '../testing/hint-world.js';

/** Somebody keeps mmap_lock for writing from now on, for a second. */
function holdForWriting(w: HintWorld, { mm }: HintedProcess): void {
  w.executor.spawn('writer', function* () {
    yield* mmapWriteLock(w.m, mm);
    yield sleep(1e9);
    yield* mmapWriteUnlock(w.m, mm);
  });
  w.executor.run({ untilNs: w.executor.current.nowNs + 1e5 });
}

function servedBy(w: HintWorld, { mm }: HintedProcess): number {
  return w.served.filter((line) => line.startsWith(`${mm}.`)).length;
}

describe('H1: the failure budget', () => {
  /** Two processes whose ranges have no table, so that every hint fails: six of high priority, eight of low. */
  function failing(policy: string): { w: HintWorld; a: HintedProcess; b: HintedProcess } {
    const w = makeHintWorld(policy);
    const [a, b] = [makeHinted(w, 8), makeHinted(w, 8)];
    for (const range of first(6)) w.hint(a, range, { priority: 0 });
    for (const range of first(8)) w.hint(b, range, { priority: 1 });
    return { w, a, b };
  }

  it('is ten for all address spaces and both priorities together', () => {
    const { w, a, b } = failing('as-posted');
    w.visit();
    expect(w.failures).toEqual([10]);
    expect([servedBy(w, a), servedBy(w, b)]).toEqual([6, 4]);
  });

  it('is full again at the next call, so that one pass can fail many times ten', () => {
    const { w, a, b } = failing('as-posted');
    w.pass();
    expect(w.failures).toEqual([10, 4]);
    expect([servedBy(w, a), servedBy(w, b)]).toEqual([6, 8]);
  });

  it('is a number that can be changed', () => {
    const { w } = failing('as-posted:failureBudget=3');
    w.visit();
    expect(w.failures).toEqual([3]);
  });

  it.each(['as-posted:budgetFor=priority', 'split-budget'])('is cured by %s: b has an account of its own', (policy) => {
    const { w, a, b } = failing(policy);
    w.visit();
    expect([servedBy(w, a), servedBy(w, b)]).toEqual([6, 8]);
  });

  it('with budgetPer=pass is not filled again before the next pass', () => {
    const { w } = failing('as-posted:budgetPer=pass');
    w.pass();
    expect(w.failures).toEqual([10]);
    w.pass();
    expect(w.failures).toEqual([10, 4]);
  });
});

describe('H2: ranges that are huge already', () => {
  function stale(policy: string): HintWorld {
    const w = makeHintWorld(policy);
    const a = makeHinted(w, 11, { huge: first(10), full: [10] });
    for (const range of first(11)) w.hint(a, range);
    return w;
  }

  it('count as failures: ten of them end the drain before the hint that would have helped', () => {
    const w = stale('as-posted');
    w.visit();
    expect(w.served.map((line) => line.split(' ')[1])).toEqual(Array.from({ length: 10 }, () => 'pmd_mapped'));
    expect(w.failures).toEqual([10]);
  });

  it('are cured by lenient: they cost their visit, and no more', () => {
    const w = stale('lenient');
    w.visit();
    expect(w.served.at(-1)).toMatch(/\.10 succeed$/);
    expect(w.failures).toEqual([0]);
  });
});

describe('H3: a contended mmap_lock', () => {
  function contended(policy: string): { w: HintWorld; took: number } {
    const w = makeHintWorld(policy);
    const [a, b, c] = [1, 2, 3].map(() => makeHinted(w, 1, { full: [0] })) as [
      HintedProcess,
      HintedProcess,
      HintedProcess,
    ];
    for (const process of [a, b]) w.hint(process, 0, { priority: 0 });
    w.hint(c, 0, { priority: 1 });
    holdForWriting(w, a);
    const before = w.executor.current.nowNs;
    w.visit(1);
    return { w, took: w.executor.current.nowNs - before };
  }

  it('burns the whole budget within microseconds, and everybody behind waits; the hint stays', () => {
    const { w, took } = contended('as-posted');
    expect(w.contended).toBe(10);
    expect(w.failures).toEqual([10]);
    expect(w.served).toEqual([]);
    expect(took).toBeLessThan(5_000);
    expect(w.k.t.hint.pool.live).toBe(3);
  });

  it('is cured by requeue: the others are served, and the hint waits', () => {
    const w = makeHintWorld('requeue');
    const processes = [1, 2, 3].map(() => makeHinted(w, 1, { full: [0] }));
    for (const process of processes) w.hint(process, 0);
    holdForWriting(w, processes[0] as HintedProcess);
    w.visit();
    expect(w.contended).toBe(1);
    expect(w.served.map((line) => line.split(' ')[1])).toEqual(['succeed', 'succeed']);
    expect(w.k.t.hint.pool.live).toBe(1);
  });
});

describe('H4: the order of address spaces', () => {
  it('is that of registration, and the first is drained to its end before the second', () => {
    const w = makeHintWorld();
    const [a, b] = [makeHinted(w, 6, { full: first(6) }), makeHinted(w, 6, { full: first(6) })];
    for (const range of first(6)) for (const process of [b, a]) w.hint(process, range);
    w.visit(5 * N);
    expect([servedBy(w, a), servedBy(w, b)]).toEqual([5, 0]);
  });

  it('lets high priority starve low, and hints the round', () => {
    const w = makeHintWorld();
    const [a, b] = [makeHinted(w, 40, { full: first(40) }), makeHinted(w, 1, { full: [0] })];
    w.hint(b, 0, { priority: 1 });
    for (const pass of first(5)) {
      for (const range of first(4)) w.hint(a, 4 * pass + range);
      w.visit(4 * N);
    }
    expect([servedBy(w, a), servedBy(w, b)]).toEqual([20, 0]);
    expect(w.visits, 'the round came to nobody').toEqual([]);
  });

  it('is cured by fair: eight of one, then the other, and the round has its share', () => {
    const w = makeHintWorld('fair');
    const [a, b] = [makeHinted(w, 20, { full: first(20) }), makeHinted(w, 20, { full: first(20) })];
    for (const process of [a, b]) for (const range of first(20)) w.hint(process, range);
    w.write('khugepaged/pages_to_scan', String(40 * N));
    w.visit(40 * N);
    expect(w.served.map((line) => line.split('.')[0]).join('')).toBe(
      `${`${a.mm}`.repeat(8)}${`${b.mm}`.repeat(8)}${`${a.mm}`.repeat(4)}`,
    );
    expect(w.visits).toHaveLength(1);
  });
});

describe('H5: what a hint costs', () => {
  it('is one, and what the scan charges: 512 for a full table, one where there is none', () => {
    const w = makeHintWorld();
    const a = makeHinted(w, 2, { full: [0] });
    const costs = [0, 1].map((range) => {
      w.hint(a, range);
      w.visit(1);
      return w.k.control.progress;
    });
    expect(costs).toEqual([1 + N, 1 + 1]);
  });

  it('is one for a hint that is dropped', () => {
    const w = makeHintWorld();
    const a = makeHinted(w, 1);
    w.hint(a, 0, { vma: makeHinted(w, 1).vma });
    w.visit(1);
    expect(w.k.control.progress).toBe(1);
    expect(w.dropped).toEqual([`${a.mm}.0 vma_changed`]);
  });
});

describe('H8: an address space with THP disabled', () => {
  function disabled(policy: string): { w: HintWorld; a: HintedProcess } {
    const w = makeHintWorld(policy);
    const a = makeHinted(w, 5, { full: first(5) });
    for (const range of first(5)) w.hint(a, range);
    w.m.mm.flags[a.mm] |= MMF.DISABLE_THP_COMPLETELY;
    return { w, a };
  }

  it('gives up its hints one by one, each at the price of a visit and without a failure', () => {
    const { w, a } = disabled('as-posted');
    w.visit(3);
    expect(w.dropped).toEqual([0, 1, 2].map((range) => `${a.mm}.${range} exit_or_disable`));
    expect(w.k.control.progress).toBe(3);
    expect(w.failures).toEqual([0]);
  });

  it('is cured by disabledMm=allAtOnce', () => {
    const { w } = disabled('as-posted:disabledMm=allAtOnce');
    w.visit(3);
    expect(w.dropped).toHaveLength(5);
    expect(w.k.t.hint.pool.live).toBe(0);
  });
});
