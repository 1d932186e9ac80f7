// The rules of schemes that need no kdamond: scores, feedback, filters, rounds, watermarks.

import { describe, expect, it } from 'vitest';
import { feedLoopNextInput } from '../feedback.js';
import { snapshotRegions } from '../monitor/regions.js';
import { type DamonProfile, damon71, damon618, damonMm, damonRfcV2 } from '../profile.js';
import { bareContext, onlyTarget, setCounters } from '../testing/bare-context.js';
import { ranges } from '../testing/golden.js';
import { MATCHING } from '../testing/golden-monitoring.js';
import {
  ACTION_SCORES,
  AGE_SCORES,
  FEEDBACK,
  FEEDBACK_ORDER,
  NO_WEIGHTS,
  RAMP,
  SCORES,
  WATERMARKS,
} from '../testing/golden-schemes.js';
import { refusal, round, STAT } from '../testing/rounds.js';
import { adjustQuota } from './quota.js';
import { schemeAt, schemeStats } from './running.js';
import { ANY_PATTERN, type SchemeInput } from './scheme.js';
import { ageSubscore, coldScore, frequencySubscore, hotScore, schemeScore } from './score.js';
import { freeMemRate, watermarksActivate } from './watermarks.js';

const INTERVALS = { sampleIntervalUs: 100_000 / SCORES.samples, aggrIntervalUs: 100_000 };

describe('the feedback loop', () => {
  it.each(FEEDBACK)('$row', ({ last, score, next }) => {
    expect(feedLoopNextInput(last, score)).toBe(next);
  });

  it.each(FEEDBACK_ORDER)('$row: $is $than', ({ last, score, is, than }) => {
    const other = than === 'last' ? last : feedLoopNextInput(last, than);
    const next = feedLoopNextInput(last, score);
    expect(is === 'above' ? next > other : next < other).toBe(true);
  });

  it.each(RAMP)('$row: takes $windows windows from nothing to $bytes bytes', ({ bytes, windows }) => {
    const goal = { metric: 'user_input' as const, targetValue: 10_000, currentValue: 0 };
    const d = bareContext(ranges([[0, 10]]), { schemes: [{ ...STAT, quota: { goals: [goal], resetIntervalMs: 1 } }] });
    const scheme = schemeAt(d, 0);
    let seen = 0;
    for (let window = 1; seen === 0; window++) {
      adjustQuota(d, scheme, window * 1e6);
      if ((d.t.damosScheme.effectiveSize[scheme.row] as number) >= bytes) seen = window;
    }
    expect(seen).toBe(windows);
  });
});

describe('scores', () => {
  it.each(SCORES.rows)('$row: of $nr/20 samples at age $age', (row) => {
    const heat = { nrAccesses: row.nr, age: row.age };
    const weights = (nrAccesses: number, age: number) => ({ size: 7, nrAccesses, age });
    const frequency = frequencySubscore(row.nr, INTERVALS);
    expect(frequency).toBe(row.frequency);
    expect(ageSubscore(row.age, frequency, INTERVALS)).toBe(row.ageScore);
    expect(hotScore(heat, INTERVALS, weights(1, 1))).toBe(row.hot11);
    expect(coldScore(heat, INTERVALS, weights(1, 1))).toBe(row.cold11);
    expect(hotScore(heat, INTERVALS, weights(0, 1))).toBe(row.hot01);
    expect(hotScore(heat, INTERVALS, weights(1, 0))).toBe(row.hot10);
    const { hot, cold } = NO_WEIGHTS;
    expect(hotScore(heat, INTERVALS, weights(0, 0))).toBe(hot);
    expect(coldScore(heat, INTERVALS, weights(0, 0))).toBe(cold);
  });

  it.each(AGE_SCORES)('$row: age $age scores $score', ({ age, frequency, score }) => {
    expect(ageSubscore(age, frequency, INTERVALS)).toBe(score);
  });

  it.each(ACTION_SCORES)('$row: $action of $operations goes by $score', ({ operations, action, score }) => {
    const heat = { nrAccesses: SCORES.samples, age: 0 };
    expect(schemeScore(operations, action, heat, INTERVALS, { size: 1, nrAccesses: 1, age: 1 })).toBe(score);
  });
});

describe('a round', () => {
  it('counts an action that the operations do not have as tried, and sets the age back', () => {
    const d = bareContext(ranges([[0, 100]]), { schemes: [{ action: 'collapse', pattern: ANY_PATTERN }] });
    setCounters(d, [{ age: 5 }]);
    round(d, 100);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried: 1, szTried: 100, nrApplied: 0, szApplied: 0 });
    expect(snapshotRegions(d, onlyTarget(d))).toMatchObject([{ age: 0 }]);
  });

  it('is the last one after max_nr_snapshots walks', () => {
    const d = bareContext(ranges([[0, 100]]), { schemes: [{ ...STAT, maxNrSnapshots: 2 }] });
    for (let i = 1; i <= 5; i++) round(d, i * 100);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried: 2, nrSnapshots: 2 });
  });

  it.each(MATCHING)('$row: $bp matches $wanted: $tried', ({ nr, bp, wanted, tried }) => {
    const pattern = { ...ANY_PATTERN, nrAccesses: { min: wanted, max: wanted } };
    const d = bareContext(ranges([[0, 100]]), { schemes: [{ action: 'stat', pattern }] });
    setCounters(d, [{ nr, bp }]);
    round(d, 100);
    expect(schemeStats(d, 0).nrTried).toBe(tried);
  });
});

describe('watermarks', () => {
  it.each(WATERMARKS.cases)('$row: active $active at $value permille: $after', ({ active, value, after }) => {
    const marks = { metric: 'free_mem_rate' as const, intervalUs: 1, ...WATERMARKS.marks };
    expect(watermarksActivate(active, value, marks)).toBe(after);
  });

  it('go by the permille of free memory', () => {
    const d = bareContext([]);
    const rate = freeMemRate(d.m);
    expect(rate).toBe(Math.floor((d.m.node.freePages[0] * 1_000) / 1_024));
    expect(rate).toBeGreaterThan(990);
  });
});

describe('a profile', () => {
  it('refuses what its kernel does not have', () => {
    const made = (scheme: SchemeInput, profile: DamonProfile): string =>
      refusal(() => bareContext([], { schemes: [scheme], profile }));
    expect(made({ ...STAT, action: 'collapse' }, damon71)).toBe('EINVAL');
    expect(made({ ...STAT, action: 'collapse' }, damonMm)).toBe('taken');
    expect(made({ ...STAT, action: 'split' }, damonMm)).toBe('EINVAL');
    expect(made({ ...STAT, action: 'split' }, damonRfcV2)).toBe('taken');
    expect(made({ ...STAT, maxNrSnapshots: 1 }, damon618)).toBe('EINVAL');
    expect(made({ ...STAT, quota: { goalTuner: 'temporal' } }, damon618)).toBe('EINVAL');
    expect(made({ ...STAT, quota: { failChargeNum: 1, failChargeDenom: 2 } }, damon71)).toBe('EINVAL');
    const goals = [{ metric: 'active_mem_bp' as const, targetValue: 1 }];
    expect(made({ ...STAT, quota: { goals } }, damon618)).toBe('EINVAL');
    expect(made({ ...STAT, quota: { goals } }, damon71)).toBe('taken');
  });
});
