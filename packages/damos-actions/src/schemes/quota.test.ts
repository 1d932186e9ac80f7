// Quotas: charge windows, resume points, effective sizes, priorities (DAMON spec 3.5).

import { FOLIO } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { createDamon } from '../create.js';
import type { Damon } from '../damon.js';
import { type DamonProfile, damon71, damon618, damonMm } from '../profile.js';
import { bareContext, layout, setCounters } from '../testing/bare-context.js';
import { fillBase, makeDamonWorld, makeProcess } from '../testing/damon-world.js';
import { ranges } from '../testing/golden.js';
import { FAIL_CHARGE, QUOTA_SCENARIO } from '../testing/golden-schemes.js';
import { round, STAT } from '../testing/rounds.js';
import { adjustQuota, chargeFor, quotaIsFull } from './quota.js';
import { goalValue, quotaScore } from './quota-goal.js';
import { schemeAt, schemeStats } from './running.js';
import { ANY_PATTERN, type QuotaGoal } from './scheme.js';

describe('a quota', () => {
  const MIB = 2 ** 20;
  const profiles: DamonProfile[] = [damon618, damon71, damonMm];

  it.each(profiles)('is used up in address order, window by window ($name)', (profile) => {
    const { regions, regionBytes, quotaBytes, resetMs, roundMs, firstRound, windows } = QUOTA_SCENARIO;
    const parts = Array.from({ length: regions }, (_, i) => ({ start: i * regionBytes, end: (i + 1) * regionBytes }));
    const d = bareContext(parts, {
      profile,
      attributes: { minRegionSize: 4_096 },
      schemes: [{ ...STAT, quota: { bytes: quotaBytes, resetIntervalMs: resetMs } }],
    });
    setCounters(
      d,
      parts.map((_, i) => ({ nr: (i % 2) * 20 })),
    );
    d.t.damonContext.sizeLimit[d.context] = regionBytes;
    const { row } = schemeAt(d, 0);
    let now = 5_000;
    round(d, now);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried: firstRound.nrTried, szTried: firstRound.szTried, qtExceeds: 0 });
    const beyond = profile.resumeBeyondEnd ? 1 : 0;
    expect(d.t.damosScheme.resumeAddress[row]).toBe(firstRound.resume + beyond);
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
      expect(d.t.damosScheme.resumeAddress[row]).toBe(quotaBytes + 4 * 4_096 + 1);
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

  it('with a reset interval of 0 begins anew at each round', () => {
    const parts = ranges([
      [0, 3 * MIB],
      [3 * MIB, 4 * MIB],
    ]);
    const d = bareContext(parts, {
      attributes: { minRegionSize: 4_096 },
      schemes: [{ ...STAT, quota: { bytes: MIB, resetIntervalMs: 0 } }],
    });
    setCounters(d, [{ nr: 20 }, { nr: 0 }]);
    d.t.damonContext.sizeLimit[d.context] = 4 * MIB;
    for (let i = 1; i <= 2; i++) round(d, i * 100);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried: 2, szTried: 2 * MIB, qtExceeds: 1 });
  });

  it('smaller than the smallest region never has a region; older kernels count empty tries', () => {
    const tries = (profile: DamonProfile) => {
      const d = bareContext(ranges([[0, MIB]]), {
        profile,
        attributes: { minRegionSize: 4_096 },
        schemes: [{ ...STAT, quota: { bytes: 4_095, resetIntervalMs: 1_000 } }],
      });
      round(d, 100);
      expect(layout(d)).toEqual([[0, MIB]]);
      return schemeStats(d, 0);
    };
    expect(tries(damon618)).toMatchObject({ nrTried: 1, szTried: 0 });
    expect(tries(damonMm)).toMatchObject({ nrTried: 0, szTried: 0 });
  });

  it('of time is worth what the action managed so far, and 4 MiB per ms before that', () => {
    const d = bareContext(ranges([[0, 64 * MIB]]), {
      attributes: { minRegionSize: 4_096 },
      schemes: [{ ...STAT, quota: { ms: 10, resetIntervalMs: 1_000 } }],
    });
    const scheme = schemeAt(d, 0);
    const s = d.t.damosScheme;
    adjustQuota(d, scheme, 1e9);
    expect(s.effectiveSize[scheme.row]).toBe(40 * MIB);
    s.chargedSize[scheme.row] = 8 * MIB;
    s.totalChargedNs[scheme.row] = 4e6;
    adjustQuota(d, scheme, 2e9);
    expect(s.effectiveSize[scheme.row]).toBe(20 * MIB);
    s.totalChargedNs[scheme.row] = 1e18;
    adjustQuota(d, scheme, 3e9);
    expect(s.effectiveSize[scheme.row]).toBe(4_096);
  });

  it('takes the smaller of bytes and time', () => {
    const d = bareContext(ranges([[0, 64 * MIB]]), {
      schemes: [{ ...STAT, quota: { ms: 10, bytes: MIB, resetIntervalMs: 1_000 } }],
    });
    adjustQuota(d, schemeAt(d, 0), 1e9);
    expect(d.t.damosScheme.effectiveSize[schemeAt(d, 0).row]).toBe(MIB);
  });

  it('with the temporal tuner is all or nothing; nothing is full, where any field makes it a quota', () => {
    const goal = (currentValue: number) => [{ metric: 'user_input' as const, targetValue: 100, currentValue }];
    const esz = (currentValue: number, bytes: number) => {
      const quota = { goals: goal(currentValue), goalTuner: 'temporal' as const, bytes, resetIntervalMs: 1_000 };
      const d = bareContext(ranges([[0, MIB]]), { schemes: [{ ...STAT, quota }] });
      adjustQuota(d, schemeAt(d, 0), 1e9);
      return [d.t.damosScheme.effectiveSize[schemeAt(d, 0).row], quotaIsFull(d, schemeAt(d, 0))];
    };
    expect(esz(100, MIB)).toEqual([0, true]);
    expect(esz(99, MIB)).toEqual([MIB, false]);
    expect(esz(99, 0)).toEqual([Number.POSITIVE_INFINITY, false]);
  });

  it('prefers regions by score, and goes by address among those good enough', () => {
    const parts = ranges([
      [0, 8 * MIB],
      [8 * MIB, 16 * MIB],
      [16 * MIB, 24 * MIB],
    ]);
    const d = bareContext(parts, {
      attributes: { minRegionSize: 4_096 },
      schemes: [
        {
          action: 'lru_deprio',
          pattern: ANY_PATTERN,
          quota: { bytes: 12 * MIB, resetIntervalMs: 1_000, weights: { nrAccesses: 1 } },
        },
      ],
    });
    setCounters(d, [{ nr: 20 }, { nr: 10 }, { nr: 0 }]);
    round(d, 100);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried: 2, szTried: 12 * MIB });
    expect(d.t.damosScheme.minScore[schemeAt(d, 0).row]).toBe(50);
    expect(layout(d)).toContainEqual([16 * MIB, 20 * MIB]);
  });

  it('charges what failed at a rate of its own', () => {
    const { size, applied, num, denom, charged } = FAIL_CHARGE;
    const quota = { ...schemeAt(bareContext(ranges([[0, 1]]), { schemes: [STAT] }), 0).config.quota };
    expect(chargeFor(size, applied, { ...quota, failChargeNum: num, failChargeDenom: denom })).toBe(charged);
    expect(chargeFor(size, applied, quota)).toBe(size);
    expect(chargeFor(size, size + 1, { ...quota, failChargeNum: num, failChargeDenom: denom })).toBe(size);
  });
});

describe('a goal', () => {
  /** What the first goal of a scheme on physical memory reads. */
  function reads(d: Damon, goal: QuotaGoal): number {
    return goalValue(d, schemeAt(d, 0), goal);
  }

  it('of a node reads the share of its memory that is used or free; one that is not there is free', () => {
    const d = bareContext([], { schemes: [STAT] });
    const free = d.m.node.freePages[0] as number;
    const bp = (pages: number): number => Math.floor((pages * 10_000) / 1_024);
    expect(reads(d, { metric: 'node_mem_free_bp', targetValue: 1, nid: 0 })).toBe(bp(free));
    expect(reads(d, { metric: 'node_mem_used_bp', targetValue: 1, nid: 0 })).toBe(bp(1_024 - free));
    expect(reads(d, { metric: 'node_mem_free_bp', targetValue: 1, nid: 7 })).toBe(10_000);
    expect(reads(d, { metric: 'node_mem_used_bp', targetValue: 1, nid: 7 })).toBe(0);
  });

  it('of stall time reads what was added since the last look', () => {
    let stalled = 700;
    const d = bareContext([], { schemes: [STAT], someMemPsiUs: () => stalled });
    const goal: QuotaGoal = { metric: 'some_mem_psi_us', targetValue: 1 };
    const first = reads(d, goal);
    stalled = 1_000;
    expect([first, reads(d, goal), reads(d, goal)]).toEqual([700, 300, 0]);
  });

  it('of the LRU lists reads the share of pages on them', () => {
    const w = makeDamonWorld();
    const { vma } = makeProcess(w, 0x80000, 400);
    fillBase(w, vma, 0x80000, 400);
    const d = createDamon({ machine: w.m, operations: 'paddr', targets: [{}], schemes: [STAT] });
    expect(reads(d, { metric: 'inactive_mem_bp', targetValue: 1 })).toBe(10_000);
    const heads = [...w.m.frame.flags.entries()].filter(([, flags]) => (flags & FOLIO.LRU) !== 0);
    for (const [pfn] of heads.slice(0, 100)) w.m.frame.flags[pfn] |= FOLIO.ACTIVE;
    expect(reads(d, { metric: 'active_mem_bp', targetValue: 1 })).toBe(2_500);
    expect(reads(d, { metric: 'inactive_mem_bp', targetValue: 1 })).toBe(7_500);
  });

  it('of eligible memory reads what the pattern and the core filters let through', () => {
    const bytes = 1_024 * 4_096;
    const parts = [0, 1, 2, 3].map((i) => ({ start: (i * bytes) / 4, end: ((i + 1) * bytes) / 4 }));
    const pattern = { ...ANY_PATTERN, nrAccesses: { min: 1, max: 20 } };
    const coreFilters = [{ type: 'addr' as const, matching: true, allow: false, start: 0, end: bytes / 8 }];
    const d = bareContext(parts, {
      schemes: [{ action: 'stat', pattern, coreFilters }],
      attributes: { minRegionSize: 4_096 },
    });
    setCounters(d, [{ nr: 5 }, { nr: 0 }, { nr: 20 }, { nr: 0 }]);
    expect(reads(d, { metric: 'node_eligible_mem_bp', targetValue: 1, nid: 0 })).toBe(1_250 + 2_500);
  });

  it('is as good as the best of several; one with target 0 does not count', () => {
    const user = (currentValue: number, targetValue: number): QuotaGoal => ({
      metric: 'user_input',
      targetValue,
      currentValue,
    });
    const goals = [user(50, 100), user(3, 4), user(9, 0)];
    const d = bareContext([], { schemes: [{ ...STAT, quota: { goals } }] });
    expect(quotaScore(d, schemeAt(d, 0))).toBe(7_500n);
  });
});
