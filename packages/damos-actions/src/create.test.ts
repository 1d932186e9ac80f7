// A context: how it is made, started, changed, asked and ended.

import { mmput } from '@thplab/mm-model';
import { sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import {
  commitDamon,
  commitQuotaGoals,
  createDamon,
  damonRegions,
  destroyDamon,
  isRunning,
  startDamon,
  stopDamon,
} from './create.js';
import { DamonError } from './errors.js';
import { readAttributes } from './monitor/attributes.js';
import { damon618 } from './profile.js';
import { damonCall } from './requests.js';
import { effectiveBytes, schemeStats } from './schemes/running.js';
import { ANY_PATTERN, type SchemeInput } from './schemes/scheme.js';
import { damosWalk, type TriedRegion } from './schemes/walk.js';
import { BASE, range } from './testing/apply-once.js';
import {
  type DamonWorld,
  fillBase,
  HUGE_SIZE,
  keepTouching,
  makeDamonWorld,
  makeProcess,
  PAGE_SIZE,
} from './testing/damon-world.js';
import { COMMIT_TARGET_REGIONS, ranges } from './testing/golden.js';
import { LOOP_REST, MIN_REGION_SIZES } from './testing/golden-monitoring.js';
import { APPLY_INTERVAL, QUOTA_GOAL, QUOTA_HELD } from './testing/golden-selftests.js';
import { refusal, STAT } from './testing/rounds.js';

describe('a context', () => {
  function small(w: DamonWorld, schemes: readonly SchemeInput[] = [STAT]) {
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    const config = { operations: 'fvaddr' as const, targets: [{ mm, regions: [range(BASE, 512)] }], schemes };
    return { mm, config };
  }

  it('refuses fewer regions than three, physical memory twice, targets without a process, ranges out of order', () => {
    const { m } = makeDamonWorld();
    const made = (config: Partial<Parameters<typeof createDamon>[0]>): string =>
      refusal(() => createDamon({ machine: m, targets: [], ...config }));
    expect(made({ attributes: { minNrRegions: 2 } })).toBe('EINVAL');
    expect(made({ operations: 'paddr', targets: [{}, {}] })).toBe('EINVAL');
    expect(made({ targets: [{}] })).toBe('EINVAL');
    const regions = [range(8, 8), range(0, 8)];
    expect(made({ operations: 'paddr', targets: [{ regions }] })).toBe('EINVAL');
    expect(made({ operations: 'paddr', targets: [{ regions: regions.toReversed() }] })).toBe('taken');
  });

  it('is started once: EBUSY while it runs', () => {
    const w = makeDamonWorld();
    const d = w.start(small(w).config);
    expect(refusal(() => startDamon(d, () => {}))).toBe('EBUSY');
    expect(refusal(() => destroyDamon(d))).toBe('EBUSY');
    w.run(() => stopDamon(d));
    expect(refusal(() => startDamon(d, () => {}))).toBe('EINVAL');
  });

  it('keeps the counters of its schemes after the end, and gives all rows back', () => {
    const w = makeDamonWorld();
    const { mm, config } = small(w);
    const d = w.start(config);
    w.pass(0.5);
    w.run(() => stopDamon(d));
    expect(isRunning(d)).toBe(false);
    const { nrTried } = schemeStats(d, 0);
    expect(nrTried).toBeGreaterThan(0);
    w.pass(0.5);
    expect(schemeStats(d, 0).nrTried).toBe(nrTried);
    expect(w.m.mm.count[mm]).toBe(1);
    destroyDamon(d);
    const { damonContext, damonTarget, damonRegion, damosScheme } = d.t;
    expect([damonContext, damonTarget, damonRegion, damosScheme].map(({ pool }) => pool.live)).toEqual([0, 0, 0, 0]);
  });

  it('ends when the last process has gone, with its counters', () => {
    const w = makeDamonWorld();
    const { mm, config } = small(w);
    const d = w.start(config);
    w.pass(0.5);
    const { nrTried } = schemeStats(d, 0);
    w.run(() => mmput(w.m, mm));
    w.pass(0.1);
    expect([isRunning(d), schemeStats(d, 0).nrTried >= nrTried, w.m.mm.pool.isLive(mm)]).toEqual([false, true, false]);
  });

  it('changes while it runs: schemes by number, those left over go, counters of the others stay', () => {
    const w = makeDamonWorld();
    const d = w.start(small(w, [STAT, STAT, STAT]).config);
    w.pass(0.5);
    const { nrTried } = schemeStats(d, 0);
    expect(w.run(() => commitDamon(d, { schemes: [STAT] }))).toBe(0);
    expect(d.runningSchemes).toHaveLength(1);
    expect(schemeStats(d, 0).nrTried).toBeGreaterThanOrEqual(nrTried);
    expect(nrTried).toBeGreaterThan(0);
    expect(d.t.damosScheme.pool.live).toBe(1);
    w.run(() => commitDamon(d, { schemes: [STAT, STAT] }));
    expect(schemeStats(d, 1).nrTried).toBe(0);
    w.pass(0.5);
    expect(schemeStats(d, 1).nrTried).toBeGreaterThan(0);
  });

  it.each(COMMIT_TARGET_REGIONS)('$row: with $regions, committed $source: $result', ({ regions, source, result }) => {
    const w = makeDamonWorld();
    const { mm } = small(w);
    // A kernel that does not cut regions given by the user; and the first aggregation is not over.
    const attributes = { minRegionSize: 1, minNrRegions: 3 };
    const d = w.start({
      operations: 'fvaddr',
      targets: [{ mm, regions: ranges(regions) }],
      attributes,
      profile: damon618,
    });
    w.pass(0.001);
    expect(w.run(() => commitDamon(d, { targets: [{ mm, regions: ranges(source) }] }))).toBe(0);
    expect(damonRegions(d).map(({ start, end }) => [start, end])).toEqual(result);
  });

  it.each(MIN_REGION_SIZES)(
    '$row: a commit of $size is taken $taken; refused, it changes nothing',
    ({ size, taken }) => {
      const w = makeDamonWorld();
      const d = w.start(small(w).config);
      w.pass(0.1);
      const before = readAttributes(d);
      const commit = () => w.run(() => commitDamon(d, { attributes: { minRegionSize: size }, schemes: [] }));
      if (!taken) expect(commit).toThrow(DamonError);
      else commit();
      const [minRegionSize, schemes] = taken ? [size, 0] : [before.minRegionSize, 1];
      expect([readAttributes(d), d.runningSchemes.length]).toEqual([{ ...before, minRegionSize }, schemes]);
    },
  );

  it('turns down who asks after its end', () => {
    const w = makeDamonWorld();
    const d = w.start(small(w).config);
    w.run(() => stopDamon(d));
    expect(w.run(() => damonCall(d, () => {}))).toBe('ECANCELED');
    expect(w.run(() => damosWalk(d, () => {}))).toBe('ECANCELED');
  });

  it('with one scheme more often due tries as much more', () => {
    const { seconds, applyIntervalUs, ratio } = APPLY_INTERVAL;
    const w = makeDamonWorld();
    const d = w.start(small(w, [STAT, { ...STAT, applyIntervalUs }]).config);
    w.pass(seconds);
    expect(schemeStats(d, 1).nrTried / schemeStats(d, 0).nrTried).toBeGreaterThanOrEqual(ratio);
  });

  it('shows the regions that a scheme is applied to, one walk at a time', () => {
    const w = makeDamonWorld();
    const d = w.start(small(w).config);
    w.pass(0.35);
    const seen: TriedRegion[] = [];
    const outcomes: unknown[] = [];
    w.executor.spawn('second', function* () {
      yield sleep(1_000_000);
      outcomes.push(yield* damosWalk(d, () => {}));
    });
    expect(w.run(() => damosWalk(d, (region) => seen.push(region)))).toBe(0);
    expect(outcomes).toEqual(['EBUSY']);
    expect(seen.reduce((sum, r) => sum + r.end - r.start, 0)).toBe(HUGE_SIZE);
  });

  it('rests while free memory is above the high watermark; walks are given up', () => {
    const { watermarks, restedSeconds, samplesWhileResting, later, awakeSeconds, samplesAtLeast } = LOOP_REST;
    const w = makeDamonWorld();
    const d = w.start(small(w, [{ ...STAT, watermarks }]).config);
    const samples = () => d.t.damonContext.passedSamples[d.context];
    w.pass(restedSeconds);
    expect(samples()).toBe(samplesWhileResting);
    expect(w.run(() => damosWalk(d, () => {}))).toBe('ECANCELED');
    w.run(() => commitDamon(d, { schemes: [{ ...STAT, watermarks: { ...watermarks, ...later } }] }));
    w.pass(awakeSeconds);
    expect(samples()).toBeGreaterThan(samplesAtLeast);
  });

  it('feeds back what the user measures into the effective quota', () => {
    const { targetValue, values, secondsEach } = QUOTA_GOAL;
    const goal = (currentValue: number) => [{ metric: 'user_input' as const, targetValue, currentValue }];
    const w = makeDamonWorld();
    const quota = { goals: goal(targetValue), resetIntervalMs: 100 };
    const d = w.start(small(w, [{ ...STAT, quota }]).config);
    w.pass(secondsEach);
    for (const value of values) {
      const before = effectiveBytes(d, 0);
      w.run(() => commitQuotaGoals(d, 0, goal(value)));
      w.pass(secondsEach);
      const now = effectiveBytes(d, 0);
      if (value < targetValue) expect(now).toBeGreaterThan(before);
      else expect(now < before || now === 1).toBe(true);
    }
  });

  it('holds a quota in every window, and counts those that it used up', () => {
    const { bytes, windowMs, nrAccesses, leastAge, windows, exceededAtLeast } = QUOTA_HELD;
    const w = makeDamonWorld();
    const { mm, config } = small(w);
    keepTouching(w, mm, BASE, 512);
    const pattern = { ...ANY_PATTERN, nrAccesses, age: { min: leastAge, max: 2 ** 32 - 1 } };
    const scheme: SchemeInput = { action: 'stat', pattern, quota: { bytes, resetIntervalMs: windowMs } };
    const d = w.start({ ...config, schemes: [scheme] });
    // Half a round behind the windows, so that each look is at one more of them.
    w.pass(windowMs / 2_000);
    let before = 0;
    for (let window = 0; window < windows; window++) {
      w.pass(windowMs / 1_000);
      const { szTried } = schemeStats(d, 0);
      expect(szTried - before).toBeLessThanOrEqual(bytes);
      before = szTried;
    }
    expect(before).toBeGreaterThan(0);
    expect(schemeStats(d, 0).qtExceeds).toBeGreaterThanOrEqual(exceededAtLeast);
  });

  it('traces each region at the end of an aggregation, and before a scheme is applied', () => {
    const w = makeDamonWorld();
    w.start(small(w).config);
    w.pass(0.15);
    const events = [...w.tracer.reader().events()];
    const aggregated = events.filter(({ name }) => name === 'damon_aggregated');
    const applied = events.filter(({ name }) => name === 'damos_before_apply');
    expect(applied.length).toBe(aggregated.length);
    expect(aggregated[0]?.args).toMatchObject({ nr_regions: aggregated.length });
    expect(applied[0]?.args).toMatchObject({ ctx_idx: 0, scheme_idx: 0, target_idx: 0, start: BASE * PAGE_SIZE });
  });

  it('applies schemes to joined regions that are not cut yet, and traces them after that, with the age set back', () => {
    const w = makeDamonWorld();
    const { config } = small(w, [{ ...STAT, action: 'cold' }]);
    const d = w.start(config);
    const seen: TriedRegion[] = [];
    w.pass(0.25);
    expect(w.run(() => damosWalk(d, (region) => seen.push(region)))).toBe(0);
    const events = [...w.tracer.reader().events()];
    const traced = events.filter(({ name }) => name === 'damon_aggregated').slice(-seen.length);
    const applied = events.filter(({ name }) => name === 'damos_before_apply').slice(-seen.length);
    const ends = (list: typeof events): (number | undefined)[] => list.map(({ args }) => args.end);
    expect(ends(traced)).toEqual(seen.map(({ end }) => end));
    expect(ends(applied)).toEqual(ends(traced));
    expect(traced.every(({ args }) => args.age === 0)).toBe(true);
    // What is there now has been cut since.
    expect(damonRegions(d).length).toBeGreaterThan(seen.length);
  });
});
