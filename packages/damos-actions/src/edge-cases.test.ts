// The list of edge cases (DAMON spec 10), but for quotas, filters, collapse and split, which have it in their own tests.

import { describe, expect, it } from 'vitest';
import type { Damon } from './damon.js';
import { snapshotRegions } from './monitor/regions.js';
import { damon618 } from './profile.js';
import { schemeStats } from './schemes/running.js';
import { ANY_PATTERN, ZERO_PATTERN } from './schemes/scheme.js';
import { BASE, range } from './testing/apply-once.js';
import { bareContext, setCounters } from './testing/bare-context.js';
import { fillHuge, keepTouching, makeDamonWorld, makeProcess } from './testing/damon-world.js';
import { playSysfsCase } from './testing/desk.js';
import { ranges } from './testing/golden.js';
import { INSIDE_A_HUGE_PAGE, SECOND_SCHEME, SYSFS_CASES } from './testing/golden-edge-cases.js';
import { round } from './testing/rounds.js';

describe('by the files of sysfs', () => {
  it.each(SYSFS_CASES)('$row: $says', playSysfsCase);
});

describe('two schemes on one region', () => {
  it.each(SECOND_SCHEME)('$row: behind $action the second tries $tried', ({ action, age, least, tried }) => {
    const old = { ...ANY_PATTERN, age: { min: least, max: 100 } };
    const schemes = [
      { action, pattern: ANY_PATTERN },
      { action: 'stat' as const, pattern: old },
    ];
    const d = bareContext(ranges([[0, 100]]), { schemes });
    setCounters(d, [{ age }]);
    round(d, 100);
    expect([schemeStats(d, 0).nrTried, schemeStats(d, 1).nrTried]).toEqual([1, tried]);
  });
});

describe('the pattern of zeroes', () => {
  it('fits no region, however old or hot (10 #1)', () => {
    const d = bareContext(
      ranges([
        [0, 100],
        [100, 200],
      ]),
      { schemes: [{ action: 'stat', pattern: ZERO_PATTERN }] },
    );
    setCounters(d, [{}, { nr: 20, age: 5 }]);
    round(d, 100);
    expect(schemeStats(d, 0).nrTried).toBe(0);
  });
});

describe('regions inside a huge page', () => {
  it('read one accessed bit, so they look alike and join (10 #14)', () => {
    const { parts, partPages, usedPage, minNrRegions, samples, merged, reportedBytes } = INSIDE_A_HUGE_PAGE;
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillHuge(w, vma, BASE, 1);
    keepTouching(w, mm, BASE + usedPage, 1);
    const seen: { regions: number; bytes: number; samples: number[] }[] = [];
    w.start({
      operations: 'fvaddr',
      targets: [{ mm, regions: Array.from({ length: parts }, (_, i) => range(BASE + i * partPages, partPages)) }],
      attributes: { minNrRegions, maxNrRegions: 10 },
      profile: damon618,
      observer: { aggregated: (d) => seen.push(summary(d)) },
    });
    w.pass(0.999);
    expect(seen[0]).toEqual({ regions: merged, bytes: reportedBytes, samples: [samples] });
    for (const one of seen) expect(one).toMatchObject({ bytes: reportedBytes, samples: [samples] });
  });

  function summary(d: Damon): { regions: number; bytes: number; samples: number[] } {
    const regions = snapshotRegions(d, d.targets.first(d.context));
    const hot = regions.filter(({ nrAccesses }) => nrAccesses > 0);
    return {
      regions: regions.length,
      bytes: hot.reduce((sum, { start, end }) => sum + end - start, 0),
      samples: [...new Set(regions.map(({ nrAccesses }) => nrAccesses))],
    };
  }
});
