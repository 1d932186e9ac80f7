import { Random } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import { ANALYTIC, CYCLIC_SWEEP, TLB_FIRST_LEVEL, TLB_REACH } from '../testing/golden-tlb.js';
import { characteristicTime, missRatio, noWalkChance, uniformWalkRate, walkProbability } from './reach.js';
import { KUNPENG_920, SKYLAKE, TLB_PRESETS, type TlbSpec, tlbCapacity, tlbReach } from './spec.js';

describe('the analytic form of a TLB', () => {
  it.each(ANALYTIC.rows)('$row: gives the golden values', ({ entries, seen, samples }) => {
    const { capacity, intervalSeconds, accessesPerSecond } = ANALYTIC;
    accessesPerSecond.forEach((perSecond, i) => {
      const rate = perSecond / entries;
      const time = characteristicTime([{ entries, rate, sweep: false }], capacity);
      const miss = missRatio(rate, false, time);
      // Both ways to the same walk rate: the spec's formula, and the characteristic time.
      expect(rate * miss).toBeCloseTo(uniformWalkRate(entries, capacity, perSecond), 6);
      const chance = 1 - Math.exp(-uniformWalkRate(entries, capacity, perSecond) * intervalSeconds);
      expect(chance.toFixed(3)).toBe(seen[i]?.toFixed(3));
      if (i === accessesPerSecond.length - 1) expect((ANALYTIC.samples * chance).toFixed(1)).toBe(samples.toFixed(1));
    });
  });

  it.each(['lru', 'random'] as const)('agrees with 1 - C/N for alike entries under %s', (replacement) => {
    const time = characteristicTime([{ entries: 5000, rate: 20, sweep: false }], 2048, replacement);
    expect(missRatio(20, false, time, replacement)).toBeCloseTo(1 - 2048 / 5000, 9);
  });

  it('a cyclic sweep under LRU misses never or always', () => {
    const { capacity, entries, misses } = CYCLIC_SWEEP;
    const miss = (count: number): number =>
      missRatio(1, true, characteristicTime([{ entries: count, rate: 1, sweep: true }], capacity), 'lru');
    expect(entries.map(miss)).toEqual(misses);
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
  it.each(TLB_REACH)('$row: $entries entries, $reachMiB MiB', ({ core, entries, pageKiB, reachMiB }) => {
    expect(tlbCapacity(TLB_PRESETS[core] as TlbSpec, pageKiB * 1_024)).toBe(entries);
    expect(tlbReach(TLB_PRESETS[core] as TlbSpec, pageKiB * 1_024)).toBe(reachMiB * 2 ** 20);
  });

  it.each(TLB_FIRST_LEVEL)('$row: $entries entries', ({ core, entries }) => {
    const [first] = TLB_PRESETS[core]?.levels ?? [];
    expect(first?.map((array) => array.entries)).toEqual([entries]);
  });

  it('of a page size that a TLB does not hold is nothing', () => {
    expect([tlbCapacity(KUNPENG_920, 2 ** 30), tlbReach(SKYLAKE, 16_384)]).toEqual([0, 0]);
  });
});
