/** Judging expectations: each gives one row that says what was expected, what was found, and whether that is right. */
import type { Expectations } from '../format/index.js';
import type { ExpectationResult } from '../report/result.js';
import type { World } from '../run/world.js';
import { judgeCounter } from './counter.js';
import { judgeCoverage } from './coverage.js';
import { judgeMonitoring, judgeScheme } from './damon.js';
import { judgeHints } from './hints.js';
import { judgeMemory } from './memory.js';
import { judgeOutcomes } from './outcomes.js';
import { judgeStall, judgeTime } from './times.js';
import { judgeTlb } from './tlb.js';

/** Judges all of them at one time. */
export function judge(world: World, expectations: Expectations, atNs: number): ExpectationResult[] {
  const rows = [
    ...expectations.counters.map((one) => judgeCounter(world, one)),
    ...expectations.coverage.flatMap((one) => judgeCoverage(world, one)),
    ...expectations.memory.flatMap((one) => judgeMemory(world, one)),
    ...expectations.outcomes.flatMap((one) => judgeOutcomes(world, one)),
    ...expectations.stalls.flatMap((one) => judgeStall(world, one)),
    ...expectations.schemes.flatMap((one) => judgeScheme(world, one)),
    ...expectations.monitoring.flatMap((one) => judgeMonitoring(world, one)),
    ...expectations.tlb.flatMap((one) => judgeTlb(world, one)),
    ...(expectations.hints === null ? [] : judgeHints(world, expectations.hints)),
    ...(expectations.time === null ? [] : judgeTime(world, expectations.time, atNs)),
  ];
  return rows.map((row) => ({ ...row, atNs }));
}
