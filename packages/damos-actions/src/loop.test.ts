// The order of one turn of the kdamond's loop (DAMON spec 1.2).

import { type MmId, munmap } from '@thplab/mm-model';
import { sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { commitDamon, damonRegions } from './create.js';
import type { Damon, DamonObserver } from './damon.js';
import { damonMm } from './profile.js';
import { damonCall } from './requests.js';
import { BASE, range } from './testing/apply-once.js';
import {
  addVma,
  type DamonWorld,
  fillBase,
  keepTouching,
  makeDamonWorld,
  makeProcess,
  PAGE_SIZE,
  page,
  touch,
} from './testing/damon-world.js';
import { LOOP_ORDER, LOOP_SAMPLES, MERGE_THRESHOLD } from './testing/golden-monitoring.js';
import { STAT } from './testing/rounds.js';

const FAR = [2 * BASE, 4 * BASE] as const;

/** A process with three VMAs, the first in use. */
function threeVmas(w: DamonWorld): MmId {
  const { mm, vma } = makeProcess(w, BASE, 512);
  fillBase(w, vma, BASE, 512);
  for (const at of FAR) addVma(w, mm, at, 512);
  keepTouching(w, mm, BASE, 512);
  return mm;
}

interface Facts {
  readonly samples: number;
  readonly regions: number;
  readonly counted: boolean;
  readonly end: number;
}

function factsOf(d: Damon): Facts {
  const regions = damonRegions(d);
  return {
    samples: d.t.damonContext.passedSamples[d.context],
    regions: regions.length,
    counted: regions.some(({ nrAccesses }) => nrAccesses > 0),
    end: regions.at(-1)?.end ?? 0,
  };
}

/** Runs the first aggregation and a little more; what happened in its order, and facts at each moment and afterwards. */
function firstAggregation(aggrIntervalUs: number): { readonly log: string[]; readonly facts: Facts[] } {
  const w = makeDamonWorld();
  const mm = threeVmas(w);
  const log: string[] = [];
  const facts: Facts[] = [];
  const note = (label: string): void => {
    if (log.at(-1) !== label) log.push(label);
  };
  const moment = (label: string) => (d: Damon) => {
    note(label);
    facts.push(factsOf(d));
  };
  const observer: DamonObserver = { sampled: moment('sampled'), aggregated: moment('aggregated') };
  const tracer = { ...w.tracer, wants: () => true, emit: note, enabled: true, event: () => {} };
  const intervalsGoal = { accessBp: 400, aggrs: 1, minSampleUs: 1_000, maxSampleUs: 10_000_000 };
  const attributes = { opsUpdateIntervalUs: 100_000, intervalsGoal };
  const d = w.start({ targets: [{ mm }], profile: damonMm, schemes: [STAT], attributes, observer, tracer });
  w.executor.spawn('asks late', function* () {
    yield sleep(97_000_000);
    yield* damonCall(d, () => note('request'));
  });
  w.executor.spawn('commits late', function* () {
    yield sleep(97_000_000);
    yield* commitDamon(d, { attributes: { aggrIntervalUs } });
  });
  w.executor.spawn('unmaps', function* () {
    yield sleep(50_000_000);
    yield* munmap(w.m, mm, page(FAR[1] + 256), 256);
  });
  w.pass(0.1005);
  return { log, facts: [...facts, factsOf(d)] };
}

describe('a turn of the loop', () => {
  it.each(LOOP_ORDER)('$row: in which everything is due, with a request to $request', ({ aggrIntervalUs, labels }) => {
    expect(firstAggregation(aggrIntervalUs).log).toEqual(labels);
  });

  it('shows schemes and traces joined regions with their counts, and then cuts them; the layout changes last', () => {
    const [{ aggregation, aggrIntervalUs }] = LOOP_ORDER;
    const { facts } = firstAggregation(aggrIntervalUs);
    const before = facts.find(({ samples }) => samples === aggregation - 1) as Facts;
    const [merged, aggregated, after] = facts.filter(({ samples }) => samples === aggregation) as [Facts, Facts, Facts];
    expect(merged.regions).toBeLessThanOrEqual(before.regions);
    expect([merged.counted, aggregated.counted, after.counted]).toEqual([true, true, false]);
    expect(after.regions).toBeGreaterThan(aggregated.regions);
    expect([aggregated.end, after.end]).toEqual([range(FAR[1], 512).end, range(FAR[1], 256).end]);
  });

  it('makes old, sleeps, looks and counts', () => {
    const { sampleUs, usedAtMs, seen } = LOOP_SAMPLES;
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 1);
    fillBase(w, vma, BASE, 1);
    const regions = [range(BASE, 1)];
    const attributes = { sampleIntervalUs: sampleUs, minNrRegions: 3 };
    const d = w.start({ operations: 'fvaddr', targets: [{ mm, regions }], attributes });
    w.executor.spawn('user', function* () {
      let before = 0;
      for (const ms of usedAtMs) {
        yield sleep((ms - before) * 1e6);
        before = ms;
        touch(w.m, mm, BASE);
      }
    });
    let before = 0;
    for (const { atMs, ...expected } of seen) {
      w.pass((atMs - before) / 1_000);
      before = atMs;
      const samples = d.t.damonContext.passedSamples[d.context];
      expect({ atMs, samples, nr: damonRegions(d)[0]?.nrAccesses }).toEqual({ atMs, ...expected });
    }
  });

  it.each(MERGE_THRESHOLD)('$row: joins by a tenth of the highest count: $nrs', ({ usedUntilMs, nrs, sizes }) => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 64);
    fillBase(w, vma, BASE, 64);
    keepTouching(w, mm, BASE, 1);
    w.executor.spawn('user for a time', function* () {
      for (let ms = 0; ms <= usedUntilMs; ms++) {
        touch(w.m, mm, BASE + 1);
        yield sleep(1_000_000);
      }
    });
    const merged: { nr: number; pages: number }[] = [];
    const observer: DamonObserver = {
      sampled(d) {
        if (d.t.damonContext.passedSamples[d.context] !== 20) return;
        const near = damonRegions(d).filter(({ start }) => start < range(BASE + 2, 1).start);
        for (const { start, end, nrAccesses } of near)
          merged.push({ nr: nrAccesses, pages: (end - start) / PAGE_SIZE });
      },
    };
    // The rest makes regions of two pages small enough to be joined.
    const regions = [range(BASE, 1), range(BASE + 1, 1), range(BASE + 32, 32)];
    w.start({ operations: 'fvaddr', targets: [{ mm, regions }], attributes: { minNrRegions: 3 }, observer });
    w.pass(0.101);
    expect(merged).toEqual(nrs.map((nr, i) => ({ nr, pages: sizes[i] })));
  });
});
