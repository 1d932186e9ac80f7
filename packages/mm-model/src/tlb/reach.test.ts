import { Random } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import { characteristicTime, missRatio, noWalkChance, uniformWalkRate, walkProbability } from './reach.js';
import { KUNPENG_920, NEOVERSE, SKYLAKE, tlbCapacity, tlbReach, ZEN_4 } from './spec.js';

/** DAMON spec 2.1, golden values of the analytic form: C = 2048, dt = 5 ms. */
const GOLDEN = [
  { set: '16 MiB in THP', entries: 8, seen: [0, 0, 0], samples: 0 },
  { set: '256 MiB in THP', entries: 128, seen: [0, 0, 0], samples: 0 },
  { set: '4 GiB in THP', entries: 2048, seen: [0, 0, 0], samples: 0 },
  { set: '4.49 GiB in THP', entries: 2300, seen: [0.024, 0.212, 0.908], samples: 18.2 },
  { set: '8 GiB in THP', entries: 4096, seen: [0.059, 0.457, 0.998], samples: 20.0 },
  { set: '16 GiB in THP', entries: 8192, seen: [0.045, 0.367, 0.99], samples: 19.8 },
  { set: '256 MiB in 16K mTHP', entries: 16_384, seen: [0.026, 0.234, 0.931], samples: 18.6 },
  { set: '512 MiB in 4K', entries: 131_072, seen: [0.004, 0.037, 0.313], samples: 6.3 },
] as const;
/** DAMON spec 2.1: reach is entries times page size. */
const REACH = [
  { spec: KUNPENG_920, entries: 2_048, pageKiB: 4, reachMiB: 8 },
  { spec: KUNPENG_920, entries: 2_048, pageKiB: 16, reachMiB: 32 },
  { spec: KUNPENG_920, entries: 2_048, pageKiB: 64, reachMiB: 128 },
  { spec: KUNPENG_920, entries: 2_048, pageKiB: 2_048, reachMiB: 4_096 },
  { spec: NEOVERSE, entries: 2_048, pageKiB: 4, reachMiB: 8 },
  { spec: NEOVERSE, entries: 2_048, pageKiB: 2_048, reachMiB: 4_096 },
  { spec: SKYLAKE, entries: 1_536, pageKiB: 4, reachMiB: 6 },
  { spec: SKYLAKE, entries: 1_536, pageKiB: 2_048, reachMiB: 3_072 },
  { spec: ZEN_4, entries: 3_072, pageKiB: 4, reachMiB: 12 },
  { spec: ZEN_4, entries: 3_072, pageKiB: 2_048, reachMiB: 6_144 },
] as const;
const RATES = [1e5, 1e6, 1e7] as const;

describe('the analytic form of a TLB', () => {
  it.each(GOLDEN)('gives the golden values for $set', ({ entries, seen, samples }) => {
    RATES.forEach((perSecond, i) => {
      const rate = perSecond / entries;
      const time = characteristicTime([{ entries, rate, sweep: false }], 2048);
      const miss = missRatio(rate, false, time);
      // Both ways to the same walk rate: the spec's formula, and the characteristic time.
      expect(rate * miss).toBeCloseTo(uniformWalkRate(entries, 2048, perSecond), 6);
      const chance = 1 - Math.exp(-uniformWalkRate(entries, 2048, perSecond) * 0.005);
      expect(chance.toFixed(3)).toBe(seen[i].toFixed(3));
      if (i === 2) expect((20 * chance).toFixed(1)).toBe(samples.toFixed(1));
    });
  });

  it.each(['lru', 'random'] as const)('agrees with 1 - C/N for alike entries under %s', (replacement) => {
    const time = characteristicTime([{ entries: 5000, rate: 20, sweep: false }], 2048, replacement);
    expect(missRatio(20, false, time, replacement)).toBeCloseTo(1 - 2048 / 5000, 9);
  });

  it('a cyclic sweep under LRU misses never or always', () => {
    const miss = (entries: number): number =>
      missRatio(1, true, characteristicTime([{ entries, rate: 1, sweep: true }], 2048), 'lru');
    expect([2047, 2048, 2049, 100_000].map(miss)).toEqual([0, 0, 1, 1]);
  });

  it('hot entries stay while cold ones come and go', () => {
    const classes = [
      { entries: 1000, rate: 1000, sweep: false },
      { entries: 100_000, rate: 1, sweep: false },
    ];
    const time = characteristicTime(classes, 2048);
    expect(missRatio(1000, false, time)).toBeLessThan(0.01);
    expect(missRatio(1, false, time)).toBeGreaterThan(0.98);
  });

  it('the first use after a flush walks, however small the working set', () => {
    const rate = 1000;
    const fits = Number.POSITIVE_INFINITY;
    expect(walkProbability(rate, fits, 1, 0.005)).toBeCloseTo(1 - Math.exp(-5), 9);
    // Flushed long before the last look: it has come back since, and hits.
    expect(walkProbability(rate, fits, 0.005, 1)).toBeLessThan(1e-9);
    expect(walkProbability(0, fits, 1, 0.5)).toBe(0);
  });

  it('the chance of a walk is the rate of walks while that is rare, and more than if they were independent', () => {
    const [rate, time] = [200, 0.0035];
    const walks = rate * Math.exp(-rate * time);
    expect(noWalkChance(rate, time, 1e-5)).toBeCloseTo(1 - walks * 1e-5, 9);
    for (const seconds of [0.005, 0.02, 0.05]) {
      expect(noWalkChance(rate, time, seconds)).toBeLessThan(Math.exp(-walks * seconds));
    }
  });

  it.each([
    { rate: 200, time: 0.0035, replacement: 'lru' },
    { rate: 2000, time: 0.0002, replacement: 'lru' },
    { rate: 300, time: 0.01, replacement: 'lru' },
    { rate: 200, time: 0.0035, replacement: 'random' },
    { rate: 300, time: 1 / 300, replacement: 'random' },
  ] as const)('is what uses at random give: $rate a second, T $time, $replacement', ({ rate, time, replacement }) => {
    const random = new Random(3);
    const exponential = (mean: number): number => -Math.log(1 - random.fraction()) * mean;
    for (const seconds of [0.002, 0.01, 0.04]) {
      let none = 0;
      const runs = 20_000;
      for (let run = 0; run < runs; run++) {
        // Long enough before time 0 for the beginning not to matter.
        let at = -0.05 - exponential(1 / rate);
        let there = exponential(time);
        let walked = false;
        while (at <= seconds) {
          const gap = exponential(1 / rate);
          at += gap;
          const misses = replacement === 'lru' ? gap > time : gap > there;
          there = misses ? exponential(time) : there - gap;
          if (misses && at > 0 && at <= seconds) walked = true;
        }
        if (!walked) none++;
      }
      expect(Math.abs(none / runs - noWalkChance(rate, time, seconds, replacement))).toBeLessThan(0.015);
    }
  });
});

describe('reach', () => {
  it.each(REACH)(
    'of $spec.name with pages of $pageKiB KiB is $reachMiB MiB',
    ({ spec, entries, pageKiB, reachMiB }) => {
      expect(tlbCapacity(spec, pageKiB * 1_024)).toBe(entries);
      expect(tlbReach(spec, pageKiB * 1_024)).toBe(reachMiB * 2 ** 20);
    },
  );

  it('of a page size that a TLB does not hold is nothing', () => {
    expect([tlbCapacity(KUNPENG_920, 2 ** 30), tlbReach(SKYLAKE, 16_384)]).toEqual([0, 0]);
  });
});
