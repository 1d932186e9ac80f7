/** Judging expectations: each gives one row that says what was expected, what was found, and whether that is right. */

import { Histogram } from '@thplab/sync';
import { SYSFS_ROOT } from '@thplab/sysfs-schema';
import type { Bound, CounterExpectation, Expectations, StallExpectation, TimeExpectation } from '../format/index.js';
import { formatBound, formatCount, formatDuration, formatShare } from '../format/index.js';
import { counterText, counterValue, hasCounter } from '../report/counters.js';
import type { ExpectationResult } from '../report/result.js';
import type { World } from '../run/world.js';
import { judgeCoverage } from './coverage.js';
import { judgeMemory } from './memory.js';
import { judgeOutcomes } from './outcomes.js';

/** Judges all of them at one time. */
export function judge(world: World, expectations: Expectations, atNs: number): ExpectationResult[] {
  const rows = [
    ...expectations.counters.map((one) => judgeCounter(world, one)),
    ...expectations.coverage.flatMap((one) => judgeCoverage(world, one)),
    ...expectations.memory.flatMap((one) => judgeMemory(world, one)),
    ...expectations.outcomes.flatMap((one) => judgeOutcomes(world, one)),
    ...expectations.stalls.flatMap((one) => judgeStall(world, one)),
    ...(expectations.time === null ? [] : judgeTime(world, expectations.time, atNs)),
  ];
  return rows.map((row) => ({ ...row, atNs }));
}

/** A judged expectation; the time is added by `judge`. */
export type Judged = Omit<ExpectationResult, 'atNs'>;

/** True if a value lies in the interval. */
export function within(value: number, bound: Bound): boolean {
  return (bound.min === null || value >= bound.min) && (bound.max === null || value <= bound.max);
}

/** The row for a number. */
export function judgeNumber(
  key: string,
  what: string,
  bound: Bound,
  actual: number,
  format: (value: number) => string,
): Judged {
  return { key, what, expected: formatBound(bound, format), actual: format(actual), ok: within(actual, bound) };
}

/** A counter's value; `before`: its change since then. */
export function judgeCounter(world: World, one: CounterExpectation, before = 0): Judged {
  const name = one.name.startsWith(`${SYSFS_ROOT}/`) ? one.name.slice(SYSFS_ROOT.length + 1) : one.name;
  if (!hasCounter(world, one)) {
    const expected = typeof one.value === 'string' ? one.value : formatBound(one.value, formatCount);
    return {
      key: one.key,
      what: name,
      expected,
      actual: `kernel ${world.collapse.profile} has no such file`,
      ok: false,
    };
  }
  if (typeof one.value !== 'string') {
    return judgeNumber(one.key, name, one.value, counterValue(world, one) - before, formatCount);
  }
  const actual = counterText(world, one);
  return { key: one.key, what: name, expected: one.value, actual, ok: actual === one.value };
}

function judgeStall(world: World, one: StallExpectation): Judged[] {
  const times = new Histogram();
  for (const process of one.process === null ? world.processes.all : world.processes.everNamed(one.process)) {
    times.merge(process.faultNs);
  }
  const who = one.process ?? 'all processes';
  const row = (what: string, bound: Bound | null, actual: number): Judged[] =>
    bound === null ? [] : [judgeNumber(one.key, `${who}: ${what} fault`, bound, actual, formatDuration)];
  return [
    ...row('worst', one.worst, times.max),
    ...row('p99', one.p99, times.quantile(0.99)),
    ...row('median', one.median, times.quantile(0.5)),
  ];
}

function judgeTime(world: World, one: TimeExpectation, atNs: number): Judged[] {
  const { cpuNs } = world.threads;
  const row = (what: string, bound: Bound | null, actual: number, format: (value: number) => string): Judged[] =>
    bound === null ? [] : [judgeNumber(one.key, what, bound, actual, format)];
  return [
    ...row('end of the run', one.end, atNs, formatDuration),
    ...row("khugepaged's processor time", one.khugepagedCpu, cpuNs, formatDuration),
    ...row("khugepaged's share of a processor", one.khugepagedShare, atNs === 0 ? 0 : cpuNs / atNs, (share) =>
      formatShare(share),
    ),
  ];
}
