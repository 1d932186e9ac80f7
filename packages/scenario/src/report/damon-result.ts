/** What is told of each kdamond: what it saw in its last whole aggregation, and what its schemes did. */
import {
  type Damon,
  damonRegions,
  effectiveBytes,
  isRunning,
  maxNrAccesses,
  type RegionSnapshot,
  readAttributes,
  schemeStats,
} from '@thplab/damos-actions';
import type { Kdamond } from '../damon/kdamonds.js';
import type { World } from '../run/world.js';
import type { DamonResult, DamonTargetResult, DamosResult } from './result.js';

/** Results of all kdamonds, in the order of their numbers. */
export function damonResults(world: World, endNs: number): DamonResult[] {
  return world.kdamonds.all.map((kdamond) => damonResult(world, kdamond, endNs));
}

function damonResult(world: World, kdamond: Kdamond, endNs: number): DamonResult {
  const { damon, task } = kdamond;
  const cpuNs = task?.cpuNs ?? 0;
  const livedNs = Math.max(1, endNs - kdamond.startedNs);
  return {
    name: kdamond.name,
    operations: damon?.operations ?? kdamond.spec?.operations ?? 'vaddr',
    profile: world.kdamonds.profile.name,
    state: damon === undefined ? 'never started' : isRunning(damon) ? 'on' : 'off',
    cpuNs,
    cpuShare: cpuNs / livedNs,
    samples: damon?.t.damonContext.samplesTaken[damon.context] ?? 0,
    aggregations: kdamond.aggregations,
    intervals: damon === undefined ? null : intervalsOf(damon),
    targets: targetResults(kdamond),
    schemes: damon === undefined ? [] : damon.runningSchemes.map((_, i) => schemeResult(kdamond, damon, i)),
    warnings: damon?.warnings ?? [],
  };
}

function intervalsOf(damon: Damon): NonNullable<DamonResult['intervals']> {
  const { sampleIntervalUs, aggrIntervalUs, opsUpdateIntervalUs } = readAttributes(damon);
  return { sampleUs: sampleIntervalUs, aggrUs: aggrIntervalUs, opsUpdateUs: opsUpdateIntervalUs };
}

/** Regions of each target, as they are now or were when the kdamond ended. */
export function regionsOf({ damon, lastRegions }: Kdamond): readonly (readonly RegionSnapshot[])[] {
  if (lastRegions !== undefined) return lastRegions;
  return damon === undefined
    ? []
    : [...damon.targets.rows(damon.context)].map((_, index) => damonRegions(damon, index));
}

/** What a scheme is called in results: its name in the scenario, or its number. */
export function schemeName({ spec }: Kdamond, index: number): string {
  return spec?.schemes[index]?.name ?? String(index);
}

/** Bytes of a core unit. */
export function unitOf({ damon }: Kdamond): number {
  return damon === undefined ? 1 : readAttributes(damon).addrUnit;
}

/** Highest count of a region in one aggregation. */
export function mostAccesses({ damon }: Kdamond): number {
  return damon === undefined ? 1 : Math.max(1, maxNrAccesses(readAttributes(damon)));
}

function targetResults(kdamond: Kdamond): DamonTargetResult[] {
  const most = mostAccesses(kdamond);
  const unit = unitOf(kdamond);
  return regionsOf(kdamond).map((regions, index) => {
    const bytes = (of: (region: RegionSnapshot) => boolean): number =>
      unit * regions.reduce((sum, region) => sum + (of(region) ? region.end - region.start : 0), 0);
    return {
      process: kdamond.targets[index] ?? null,
      monitored: bytes(() => true),
      accessed: bytes(({ lastNrAccesses }) => lastNrAccesses > 0),
      hot: bytes(({ lastNrAccesses }) => lastNrAccesses * 2 >= most),
      regions: regions.map(({ start, end, lastNrAccesses, age }) => ({
        start: start * unit,
        end: end * unit,
        accesses: lastNrAccesses,
        age,
      })),
    };
  });
}

function schemeResult(kdamond: Kdamond, damon: Damon, index: number): DamosResult {
  const running = damon.runningSchemes[index];
  const { nrTried, szTried, nrApplied, szApplied, szOpsFilterPassed, qtExceeds, nrSnapshots } = schemeStats(
    damon,
    index,
  );
  const effective = effectiveBytes(damon, index);
  const limited = running !== undefined && Number.isFinite(effective) && effective > 0;
  return {
    name: schemeName(kdamond, index),
    action: running?.config.action ?? 'stat',
    nrTried,
    szTried,
    nrApplied,
    szApplied,
    szOpsFilterPassed,
    qtExceeds,
    nrSnapshots,
    effectiveBytes: limited ? effective : null,
    firstTriedNs: kdamond.firstTriedNs.get(index) ?? null,
    spentNs: running === undefined ? 0 : damon.t.damosScheme.totalChargedNs[running.row],
  };
}
