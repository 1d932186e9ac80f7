// Filters of both layers (DAMON spec 3.7, 10 #8 to #10, 11.1).

import { describe, expect, it } from 'vitest';
import { damon618, damonMm } from '../profile.js';
import { applyOnce, BASE, range } from '../testing/apply-once.js';
import { bareContext, layout, onlyTarget } from '../testing/bare-context.js';
import { HUGE_SIZE, PAGE_SIZE } from '../testing/damon-world.js';
import { filters, mixedMemory } from '../testing/filter-world.js';
import { ranges } from '../testing/golden.js';
import {
  ADDR_FILTER,
  ADDR_FILTER_BOUNDS,
  ADDR_FILTER_ROUND,
  DEFAULT_REJECT,
  FILTER_CASES,
  OPS_FILTERS_BY_ACTION,
  PHYSICAL_FILTER_CASES,
  REFUSED_FILTERS,
  YOUNG_FILTER,
} from '../testing/golden-filters.js';
import { refusal, round, STAT } from '../testing/rounds.js';
import { coreFilterMatch } from './core-filters.js';
import { type CoreFilter, coreDefaultReject, defaultReject } from './filter.js';
import { schemeStats } from './running.js';

const ALL = [range(BASE, 1_024)];

describe('filters of stat', () => {
  it.each(FILTER_CASES)('$row: of $core and $ops try $tried bytes and let $passed pass', (row) => {
    const { w, mm } = mixedMemory();
    const stats = applyOnce(w, mm, ALL, { action: 'stat', ...filters(row) }, { minRegionSize: PAGE_SIZE });
    expect(stats).toMatchObject({ szTried: row.tried, szOpsFilterPassed: row.passed });
  });

  it.each(PHYSICAL_FILTER_CASES)('$row: of $ops on physical memory let $passed bytes pass', ({ ops, passed }) => {
    const { w } = mixedMemory();
    const stats = applyOnce(w, undefined, [range(0, 65_536)], { action: 'stat', ...filters({ ops }) });
    expect(stats.szOpsFilterPassed).toBe(passed);
  });

  it.each(['fvaddr', 'paddr'])('for young memory make it old on the way (%s)', (operations) => {
    const { w, mm } = mixedMemory();
    const [of, regions] = operations === 'paddr' ? [undefined, [range(0, 65_536)]] : [mm, ALL];
    const passed = () => applyOnce(w, of, regions, { action: 'stat', ...filters(YOUNG_FILTER) }).szOpsFilterPassed;
    expect(passed()).toBeLessThan(YOUNG_FILTER.firstPassesLess);
    // The file's pages are old from the start, and physical memory has them too.
    expect(passed()).toBe(YOUNG_FILTER.secondPasses + (operations === 'paddr' ? 16 * PAGE_SIZE : 0));
  });
});

describe('an ops filter that lets nothing pass', () => {
  it.each(OPS_FILTERS_BY_ACTION)('$row: $action applies $applied bytes', ({ action, applied, passed }) => {
    const { w, mm } = mixedMemory();
    const opsFilters = [{ type: 'anon' as const, matching: true, allow: false }];
    const stats = applyOnce(w, mm, ALL, { action, opsFilters, targetNid: 1 });
    expect(stats).toMatchObject({ szTried: 2 * HUGE_SIZE, szApplied: applied, szOpsFilterPassed: passed });
  });
});

describe('where no filter speaks', () => {
  it.each(DEFAULT_REJECT)('$row: core $core, ops $ops: reject $coreReject, $opsReject', (row) => {
    const layer = (allows: readonly boolean[]) => allows.map((allow) => ({ matching: true, allow }));
    expect(coreDefaultReject(layer(row.core), layer(row.ops))).toBe(row.coreReject);
    expect(defaultReject(layer(row.ops))).toBe(row.opsReject);
    // The same by filters for another target, and for memory that nobody maps.
    const { w, mm } = mixedMemory();
    const core = row.core.map((allow) => ({ type: 'target' as const, matching: true, allow, index: 1 }));
    const ops = row.ops.map((allow) => ({ type: 'unmapped' as const, matching: true, allow }));
    const stats = applyOnce(w, mm, ALL, { action: 'stat', ...filters({ core, ops }) });
    expect(stats.szTried).toBe(row.coreReject ? 0 : 2 * HUGE_SIZE);
    if (ops.length > 0) expect(stats.szOpsFilterPassed).toBe(row.opsReject ? 0 : 2 * HUGE_SIZE);
  });
});

describe('filters by address', () => {
  it.each(ADDR_FILTER.cases)('$row: $region matches $matched and becomes $parts', ({ region, matched, parts }) => {
    const d = bareContext(ranges([region]));
    const [start, end] = ADDR_FILTER.range;
    const filter: CoreFilter = { type: 'addr', matching: true, allow: false, start, end };
    expect(coreFilterMatch(d, onlyTarget(d), d.regions.first(onlyTarget(d)), filter)).toBe(matched);
    expect(layout(d)).toEqual(parts);
  });

  it.each(ADDR_FILTER_BOUNDS)('$row: $range in steps of $minSize matches $region: $matched', (row) => {
    const d = bareContext(ranges([row.region]));
    d.t.damonContext.minRegionSize[d.context] = row.minSize;
    const [start, end] = row.range;
    const filter: CoreFilter = { type: 'addr', matching: true, allow: true, start, end };
    expect(coreFilterMatch(d, onlyTarget(d), d.regions.first(onlyTarget(d)), filter)).toBe(row.matched);
    expect(layout(d)).toEqual([row.region]);
  });

  it.each([damon618, damonMm] as const)('try only what they let pass, whatever they cut ($name)', (profile) => {
    const { region, range: passing, nrTried, szTried, after } = ADDR_FILTER_ROUND;
    const [start, end] = passing;
    const coreFilters: CoreFilter[] = [{ type: 'addr', matching: true, allow: true, start, end }];
    const d = bareContext(ranges([region]), { profile, schemes: [{ ...STAT, coreFilters }] });
    d.t.damonContext.sizeLimit[d.context] = 1_000;
    round(d, 100);
    expect(schemeStats(d, 0)).toMatchObject({ nrTried, szTried });
    expect(layout(d)).toEqual(after[profile.name as keyof typeof after]);
  });
});

describe('filters that end before they start', () => {
  it.each(REFUSED_FILTERS)('$row: EINVAL', (row) => {
    const data = { core: 'core' in row ? [row.core] : [], ops: 'ops' in row ? [row.ops] : [] };
    expect(refusal(() => bareContext([], { schemes: [{ ...STAT, ...filters(data) }] }))).toBe('EINVAL');
  });
});
