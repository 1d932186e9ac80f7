// Quotas: charge windows, resume points, effective sizes, priorities, goals (DAMON spec 3.5; 10 #5 and #6).

import { FOLIO } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { createDamon } from '../create.js';
import type { Damon } from '../damon.js';
import { type DamonProfile, damon71, damon618, damonMm } from '../profile.js';
import { bareContext, layout, setCounters } from '../testing/bare-context.js';
import { fillBase, makeDamonWorld, makeProcess } from '../testing/damon-world.js';
import {
  EFFECTIVE_QUOTAS,
  ELIGIBLE_GOAL,
  FAIL_CHARGE,
  GOAL_SCORES,
  LRU_GOALS,
  NODE_GOALS,
  PRIORITY,
  PRIORITY_AND_FILTER,
  PRIORITY_ROUND,
  PSI_GOAL,
  QUOTA_BELOW_REGION,
  QUOTA_FULL,
  QUOTA_SCENARIO,
  QUOTA_SET,
  QUOTA_WINDOWS,
} from '../testing/golden-quota.js';
import { profileNamed, round, STAT } from '../testing/rounds.js';
import { adjustQuota, chargeFor, quotaIsFull, regionScore } from './quota.js';
import { goalValue, quotaScore } from './quota-goal.js';
import { effectiveBytes, schemeAt, schemeStats } from './running.js';
import { ANY_PATTERN, type Quota, type QuotaGoal, type SchemeInput } from './scheme.js';
import { minScoreFor } from './score.js';

const MIB = 2 ** 20;
const PAGES = { minRegionSize: 4_096 };

/** A context with one scheme, smallest regions of a page. */
function withScheme(bytes: readonly number[], scheme: SchemeInput, profile: DamonProfile = damonMm): Damon {
  let end = 0;
  const parts = bytes.map((size) => {
    end += size;
    return { start: end - size, end };
  });
  const d = bareContext(parts, { profile, attributes: PAGES, schemes: [scheme] });
  d.t.damonContext.sizeLimit[d.context] = end;
  return d;
}

describe('the effective quota', () => {
  it.each(EFFECTIVE_QUOTAS)('$row', ({ quota: { hasGoal = false, ...quota }, steps, traced }) => {
    const goals = (currentValue: number): QuotaGoal[] =>
      hasGoal ? [{ metric: 'user_input', targetValue: 10_000, currentValue }] : [];
    const given = (current = 0): Partial<Quota> => ({ ...quota, goals: goals(current), resetIntervalMs: 1_000 });
    const d = withScheme([64 * MIB], { ...STAT, quota: given() });
    const told: number[] = [];
    const emit = (name: string, args: object): void => {
      if (name === 'damos_esz') told.push((args as { esz: number }).esz);
    };
    Object.assign(d, { tracer: { ...d.tracer, emit } });
    const scheme = schemeAt(d, 0);
    const s = d.t.damosScheme;
    for (const { atMs, charged, totalNs, current, esz } of steps) {
      scheme.config = { ...scheme.config, quota: { ...scheme.config.quota, goals: goals(current ?? 0) } };
      if (charged !== undefined) s.chargedSize[scheme.row] = charged;
      if (totalNs !== undefined) s.totalChargedNs[scheme.row] = totalNs;
      adjustQuota(d, scheme, atMs * 1e6);
      expect([atMs, effectiveBytes(d, 0)]).toEqual([atMs, esz]);
    }
    expect(told).toEqual(traced);
  });

  it.each(QUOTA_FULL)('$row: $charged of $esz is full in $profile: $full', ({ profile, esz, charged, full }) => {
    const d = withScheme([MIB], { ...STAT, quota: { bytes: esz, resetIntervalMs: 1_000 } }, profileNamed(profile));
    adjustQuota(d, schemeAt(d, 0), 1e9);
    d.t.damosScheme.chargedSize[schemeAt(d, 0).row] = charged;
    expect(quotaIsFull(d, schemeAt(d, 0))).toBe(full);
  });

  it.each(QUOTA_SET)('$row: of a goal that is met, $profile tries $tried bytes', ({ profile, tried }) => {
    const goals: QuotaGoal[] = [{ metric: 'user_input', targetValue: 100, currentValue: 100 }];
    const quota = { goals, goalTuner: 'temporal' as const, bytes: MIB, resetIntervalMs: 1_000 };
    const d = withScheme([MIB], { ...STAT, quota }, profileNamed(profile));
    round(d, 100);
    expect([effectiveBytes(d, 0), schemeStats(d, 0).szTried]).toEqual([0, tried]);
  });

  it.each(QUOTA_BELOW_REGION)('$row: $bytes bytes in $profile never have a region', (row) => {
    const quota = { bytes: row.bytes, resetIntervalMs: 1_000 };
    const d = withScheme([MIB], { ...STAT, quota }, profileNamed(row.profile));
    round(d, 100);
    expect(layout(d)).toEqual([[0, MIB]]);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried: row.nrTried, szTried: row.szTried });
  });

  it.each(FAIL_CHARGE)('$row: $charged for $applied of $size', ({ size, applied, num, denom, charged }) => {
    const { quota } = schemeAt(withScheme([MIB], STAT), 0).config;
    expect(chargeFor(size, applied, { ...quota, failChargeNum: num, failChargeDenom: denom })).toBe(charged);
  });
});

describe('charge windows', () => {
  it.each(QUOTA_WINDOWS)('$row: reset every $resetMs ms', ({ resetMs, rounds }) => {
    const d = withScheme([3 * MIB, MIB], { ...STAT, quota: { bytes: MIB, resetIntervalMs: resetMs } });
    setCounters(d, [{ nr: 20 }, { nr: 0 }]);
    for (const { atMs, ...expected } of rounds) {
      round(d, atMs);
      expect({ atMs, ...schemeStats(d, 0) }).toMatchObject({ atMs, ...expected });
    }
  });

  it.each([damon618, damon71, damonMm])('are used up in address order, one after the other ($name)', (profile) => {
    const { regions, regionBytes, quotaBytes, resetMs, roundMs, firstRound, beyondEnd, windows } = QUOTA_SCENARIO;
    const parts = new Array<number>(regions).fill(regionBytes);
    const d = withScheme(parts, { ...STAT, quota: { bytes: quotaBytes, resetIntervalMs: resetMs } }, profile);
    setCounters(
      d,
      parts.map((_, i) => ({ nr: (i % 2) * 20 })),
    );
    d.t.damonContext.sizeLimit[d.context] = regionBytes;
    const { row } = schemeAt(d, 0);
    let now = 5_000;
    round(d, now);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried: firstRound.nrTried, szTried: firstRound.szTried, qtExceeds: 0 });
    expect(d.t.damosScheme.resumeAddress[row]).toBe(profile.resumeBeyondEnd ? beyondEnd.first : firstRound.resume);
    for (const [window, tried] of windows.entries()) {
      if (window > 0) {
        round(d, now);
        expect(schemeStats(d, 0).qtExceeds).toBe(window);
      }
      for (let i = 1; i < resetMs / roundMs; i++) round(d, now + i * roundMs);
      expect(schemeStats(d, 0).szTried).toBe(tried);
      now += resetMs;
    }
    round(d, now);
    if (profile.resumeBeyondEnd) {
      // One byte beyond the end costs a page at each resumption: the fourth window has started over already.
      expect(d.t.damosScheme.resumeAddress[row]).toBe(beyondEnd.last);
      expect(schemeStats(d, 0).szTried).toBe(windows[3] + quotaBytes);
      return;
    }
    // The resume point is in the last region: the first round only clears it, the next starts at address 0.
    expect(schemeStats(d, 0).szTried).toBe(windows[3]);
    expect(d.t.damosScheme.resumeTarget[row]).toBe(0);
    round(d, now + roundMs);
    expect(schemeStats(d, 0).szTried).toBe(windows[3] + quotaBytes);
    expect(d.t.damosScheme.resumeAddress[row]).toBe(firstRound.resume);
  });
});

describe('priorities', () => {
  it('end at the score where the sizes add up to the quota', () => {
    const histogram = new Array<number>(100).fill(0);
    for (const { score, bytes } of PRIORITY.sizes) histogram[score] = bytes;
    expect(minScoreFor(histogram, PRIORITY.effectiveSize)).toBe(PRIORITY.minScore);
    expect(minScoreFor(histogram, Number.POSITIVE_INFINITY)).toBe(0);
  });

  /** A round of lru_deprio on the regions of the example. */
  function priorityRound(quotaBytes: number, profile: DamonProfile, more: Partial<SchemeInput> = {}): Damon {
    const { regions, weights } = PRIORITY_ROUND;
    const quota = { bytes: quotaBytes, resetIntervalMs: 1_000, weights };
    const sizes = regions.map(({ bytes }) => bytes);
    const d = withScheme(sizes, { action: 'lru_deprio', pattern: ANY_PATTERN, quota, ...more }, profile);
    setCounters(d, regions);
    const target = d.targets.first(d.context);
    const scores = [...d.regions.rows(target)].map((region) => regionScore(d, region, schemeAt(d, 0)));
    expect(scores).toEqual(regions.map(({ score }) => score));
    round(d, 100);
    return d;
  }

  it('choose regions, and those good enough are served by address', () => {
    const { quotaBytes, minScore, nrTried, szTried, triedRange } = PRIORITY_ROUND;
    const d = priorityRound(quotaBytes, damon71);
    expect(d.t.damosScheme.minScore[schemeAt(d, 0).row]).toBe(minScore);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried, szTried });
    expect(layout(d)).toContainEqual(triedRange);
  });

  it.each(PRIORITY_AND_FILTER)('$row: from $minScore on', ({ profile, quotaBytes, minScore, tried }) => {
    const start = 24 * MIB;
    const coreFilters = [{ type: 'addr' as const, matching: true, allow: false, start, end: start + 4 * MIB }];
    const d = priorityRound(quotaBytes, profileNamed(profile), { coreFilters });
    expect(d.t.damosScheme.minScore[schemeAt(d, 0).row]).toBe(minScore);
    expect(schemeStats(d, 0).szTried).toBe(tried);
  });
});

describe('a goal', () => {
  /** What the first goal of a scheme on physical memory reads. */
  function reads(d: Damon, goal: QuotaGoal): number {
    return goalValue(d, schemeAt(d, 0), goal);
  }

  it.each(NODE_GOALS)('$row: of node $nid with $freePages free pages is $reads', ({ metric, nid, ...row }) => {
    const d = bareContext([], { schemes: [STAT] });
    d.m.node.freePages[0] = row.freePages;
    expect(reads(d, { metric, targetValue: 1, nid })).toBe(row.reads);
  });

  it('of stall time reads what was added since the last look', () => {
    let stalled = 0;
    const d = bareContext([], { schemes: [STAT], someMemPsiUs: () => stalled });
    const seen = PSI_GOAL.totals.map((total) => {
      stalled = total;
      return reads(d, { metric: 'some_mem_psi_us', targetValue: 1 });
    });
    expect(seen).toEqual(PSI_GOAL.reads);
  });

  it.each(LRU_GOALS)('$row: with $active of $pages pages active is $reads', (row) => {
    const w = makeDamonWorld();
    const { vma } = makeProcess(w, 0x80000, row.pages);
    fillBase(w, vma, 0x80000, row.pages);
    const d = createDamon({ machine: w.m, operations: 'paddr', targets: [{}], schemes: [STAT] });
    const heads = [...w.m.frame.flags.entries()].filter(([, flags]) => (flags & FOLIO.LRU) !== 0);
    for (const [pfn] of heads.slice(0, row.active)) w.m.frame.flags[pfn] |= FOLIO.ACTIVE;
    expect(reads(d, { metric: row.metric, targetValue: 1 })).toBe(row.reads);
  });

  it('of eligible memory reads what the pattern and the core filters let through', () => {
    const { nodePages, nrs, least, rejectedPages } = ELIGIBLE_GOAL;
    const quarter = (nodePages * 4_096) / nrs.length;
    const pattern = { ...ANY_PATTERN, nrAccesses: { min: least, max: 20 } };
    const coreFilters = [{ type: 'addr' as const, matching: true, allow: false, start: 0, end: rejectedPages * 4_096 }];
    const d = withScheme(new Array<number>(nrs.length).fill(quarter), { action: 'stat', pattern, coreFilters });
    setCounters(
      d,
      nrs.map((nr) => ({ nr })),
    );
    expect(reads(d, { metric: 'node_eligible_mem_bp', targetValue: 1, nid: 0 })).toBe(ELIGIBLE_GOAL.reads);
  });

  it.each(GOAL_SCORES)('$row: $goals give $score', ({ goals, score }) => {
    const made = goals.map(([currentValue, targetValue]) => ({
      metric: 'user_input' as const,
      targetValue,
      currentValue,
    }));
    const d = bareContext([], { schemes: [{ ...STAT, quota: { goals: made } }] });
    expect(quotaScore(d, schemeAt(d, 0))).toBe(score);
  });
});
