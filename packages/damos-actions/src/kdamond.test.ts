// The kdamond on a machine: what it sees of memory in use, and how it is started, changed and ended.

import { MADV, type MmId, madvise, mmput, munmap } from '@thplab/mm-model';
import { sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { commitDamon, damonRegions, isRunning } from './create.js';
import type { Damon } from './damon.js';
import { readAttributes } from './monitor/attributes.js';
import { countRegions } from './monitor/regions.js';
import { damon71, damon618, damonMm } from './profile.js';
import { schemeStats } from './schemes/running.js';
import { BASE, range } from './testing/apply-once.js';
import {
  addVma,
  type DamonWorld,
  fillBase,
  fillHuge,
  keepTouching,
  makeDamonWorld,
  makeProcess,
  PAGE_SIZE,
  page,
} from './testing/damon-world.js';
import { INITIAL_SPLIT, LAYOUT_RULES, LOOP_UPDATE, TUNING_RUN } from './testing/golden-monitoring.js';
import { NR_REGIONS } from './testing/golden-selftests.js';
import { STAT } from './testing/rounds.js';

/** Bytes of regions that were accessed in the last aggregation. */
function accessedBytes(d: Damon): number {
  return damonRegions(d).reduce((sum, r) => sum + (r.lastNrAccesses > 0 ? r.end - r.start : 0), 0);
}

/** A process of 8192 base pages, of which the first 1024 are in use. */
function hotAndCold(w: DamonWorld): MmId {
  const { mm, vma } = makeProcess(w, BASE, 8_192);
  fillBase(w, vma, BASE, 8_192);
  keepTouching(w, mm, BASE, 1_024);
  return mm;
}

describe('monitoring', () => {
  it.each(['kernel', 'batch'] as const)('finds what is in use, with locks as %s', (locking) => {
    const w = makeDamonWorld();
    const mm = hotAndCold(w);
    const d = w.start({ operations: 'fvaddr', targets: [{ mm, regions: [range(BASE, 8_192)] }], locking });
    w.pass(3);
    const hot = damonRegions(d).filter(({ lastNrAccesses }) => lastNrAccesses === 20);
    const inside = hot.reduce((sum, r) => sum + Math.max(0, Math.min(r.end, (BASE + 1_024) * PAGE_SIZE) - r.start), 0);
    expect(inside).toBeGreaterThan(0.9 * 1_024 * PAGE_SIZE);
    expect(accessedBytes(d)).toBeLessThan(1.2 * 1_024 * PAGE_SIZE);
    expect(damonRegions(d).at(-1)).toMatchObject({ lastNrAccesses: 0, end: (BASE + 8_192) * PAGE_SIZE });
  });

  it('is the same again with the same seed, and other with another', () => {
    const seen = (seed: number) => {
      const w = makeDamonWorld();
      const mm = hotAndCold(w);
      const d = w.start({ operations: 'fvaddr', targets: [{ mm, regions: [range(BASE, 8_192)] }], seed });
      w.pass(1);
      return damonRegions(d);
    };
    expect(seen(1)).toEqual(seen(1));
    expect(seen(1)).not.toEqual(seen(2));
  });

  it('leaves its own mark where it clears accessed bits: others still see the page as used', () => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    w.start({ operations: 'fvaddr', targets: [{ mm, regions: [range(BASE, 512)] }], schemes: [STAT] });
    w.pass(0.2);
    const young = [...w.m.frame.flags].filter((flags) => (flags & 0x100) !== 0).length;
    expect(young).toBeGreaterThan(0);
  });

  it('keeps the number of regions within the limits, also after they change', () => {
    for (const { real, min, max, later } of NR_REGIONS) {
      const w = makeDamonWorld();
      const { mm, vma } = makeProcess(w, BASE, real * 256);
      fillBase(w, vma, BASE, real * 256);
      for (let i = 0; i < real; i += 2) keepTouching(w, mm, BASE + i * 256, 256);
      const d = w.start({
        operations: 'fvaddr',
        targets: [{ mm, regions: [range(BASE, real * 256)] }],
        attributes: { minNrRegions: min, maxNrRegions: max },
        profile: damon71,
      });
      for (let i = 0; i < 10; i++) {
        w.pass(0.1);
        expect(countRegions(d)).toBeGreaterThanOrEqual(min);
        expect(countRegions(d)).toBeLessThanOrEqual(max);
      }
      w.run(() => commitDamon(d, { attributes: { minNrRegions: later.min, maxNrRegions: later.max } }));
      w.pass(0.3);
      expect(countRegions(d)).toBeGreaterThanOrEqual(later.min);
      expect(countRegions(d)).toBeLessThanOrEqual(later.max);
    }
  });

  it('of physical memory finds what is in use through any process that maps it', () => {
    for (const locking of ['kernel', 'batch'] as const) {
      const w = makeDamonWorld();
      const { mm, vma } = makeProcess(w, BASE, 2_048);
      fillBase(w, vma, BASE, 1_024);
      fillHuge(w, vma, BASE + 1_024, 2);
      keepTouching(w, mm, BASE, 2_048);
      const d = w.start({ operations: 'paddr', targets: [{}], locking, attributes: { minNrRegions: 100 } });
      w.pass(2);
      expect(accessedBytes(d)).toBeGreaterThan(0.5 * 2_048 * PAGE_SIZE);
      expect(accessedBytes(d)).toBeLessThan(2 * 2_048 * PAGE_SIZE);
      expect(damonRegions(d).at(-1)?.end).toBe(65_536 * PAGE_SIZE);
    }
  });

  it('tunes the intervals: nothing is in use, so they grow to their bound', () => {
    const { goal, before, after, traced } = TUNING_RUN;
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    const attributes = { intervalsGoal: goal };
    const d = w.start({ operations: 'fvaddr', targets: [{ mm, regions: [range(BASE, 512)] }], attributes });
    w.pass(before.seconds);
    expect(readAttributes(d).sampleIntervalUs).toBe(before.sampleUs);
    w.pass(after.seconds);
    expect(readAttributes(d)).toMatchObject({ sampleIntervalUs: after.sampleUs, aggrIntervalUs: after.aggrUs });
    const tuned = [...w.tracer.reader().events()].filter(({ name }) => name === 'damon_monitor_intervals_tune');
    const seen = tuned.map(({ args }) => (args as { sample_us: number }).sample_us);
    expect(seen.slice(0, traced.length)).toEqual(traced);
  });
});

describe('the layout', () => {
  const THREE = [BASE, 2 * BASE, 4 * BASE];

  function threeVmas(w: DamonWorld): MmId {
    const { mm } = makeProcess(w, BASE, 512);
    for (const at of THREE.slice(1)) addVma(w, mm, at, 512);
    return mm;
  }

  it('of a process is the three ranges between its two largest holes', () => {
    const w = makeDamonWorld();
    const mm = threeVmas(w);
    const d = w.start({ targets: [{ mm }], profile: damonMm });
    w.pass(0.01);
    const regions = damonRegions(d);
    for (const at of THREE) {
      const { start, end } = range(at, 512);
      const inside = regions.filter((r) => r.start >= start && r.end <= end);
      expect(inside.reduce((sum, r) => sum + r.end - r.start, 0)).toBe(end - start);
    }
  });

  it('in older kernels is split evenly once', () => {
    const { minNrRegions, regions, pagesOfEach } = INITIAL_SPLIT;
    const w = makeDamonWorld();
    const mm = threeVmas(w);
    const d = w.start({ targets: [{ mm }], profile: damon618, attributes: { minNrRegions } });
    w.pass(0.004);
    const pages = damonRegions(d).map(({ start, end }) => (end - start) / PAGE_SIZE);
    expect(pages).toEqual(new Array(regions).fill(pagesOfEach));
  });

  it('without two holes is none: the kdamond runs on without regions', () => {
    const w = makeDamonWorld();
    const { mm } = makeProcess(w, BASE, 512);
    const d = w.start({ targets: [{ mm }], schemes: [STAT] });
    w.pass(1);
    expect([isRunning(d), damonRegions(d), schemeStats(d, 0).nrTried]).toEqual([true, [], 0]);
  });

  it.each(LAYOUT_RULES)('$row', ({ operations, updated }) => {
    const { updateUs, atMs, follows } = LOOP_UPDATE;
    const w = makeDamonWorld();
    const mm = threeVmas(w);
    const regions = [range(BASE, 16)];
    const d = w.start({ operations, targets: [{ mm, regions }], attributes: { opsUpdateIntervalUs: updateUs } });
    const ends = () => [damonRegions(d)[0]?.start, damonRegions(d).at(-1)?.end];
    const given = [range(BASE, 16).start, range(BASE, 16).end];
    w.run(() => munmap(w.m, mm, page(4 * BASE + 256), 256));
    let passed = 0;
    for (const [i, ms] of atMs.entries()) {
      w.pass((ms - passed) / 1_000);
      passed = ms;
      const layout = updated && follows[i] ? [range(BASE, 16).start, range(4 * BASE, 256).end] : given;
      expect([ms, ...ends()]).toEqual([ms, ...layout]);
    }
  });
});

describe('beside the process', () => {
  it('monitoring with the locks of the kernel lets the process map, advise and exit', () => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 2_048);
    fillBase(w, vma, BASE, 1_024);
    for (const at of [2 * BASE, 4 * BASE]) addVma(w, mm, at, 512);
    const d = w.start({ targets: [{ mm }], locking: 'kernel', attributes: { opsUpdateIntervalUs: 100_000 } });
    w.executor.spawn('mapper', function* () {
      for (let i = 0; i < 50; i++) {
        yield* madvise(w.m, mm, page(BASE + i * 16), 16, i % 2 === 0 ? MADV.DONTNEED : MADV.HUGEPAGE);
        yield sleep(3_000_000);
      }
      yield* mmput(w.m, mm);
    });
    w.pass(1);
    expect(isRunning(d)).toBe(false);
  });
});
