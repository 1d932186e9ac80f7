/** Schemes from configuration to rows, and back as statistics. */
import type { Damon, RunningScheme } from '../damon.js';
import { DamonError } from '../errors.js';
import { setNextApply } from './apply.js';
import { completeScheme, type Scheme, type SchemeInput, validateScheme } from './scheme.js';
import { effectiveTargetOrder } from './target-order.js';

/** Counters of a scheme (DAMON spec 3.9). */
export interface SchemeStats {
  readonly nrTried: number;
  readonly szTried: number;
  readonly nrApplied: number;
  readonly szApplied: number;
  readonly szOpsFilterPassed: number;
  readonly qtExceeds: number;
  readonly nrSnapshots: number;
}

/** What a scheme needs to know of its context before it is made. */
type SchemeHome = Pick<Damon, 'm' | 'profile' | 'collapse' | 'warnings'>;

/** Completes and checks schemes. Errors: DamonError EINVAL for what the kernel of the profile does not have or take. */
export function prepareSchemes(d: SchemeHome, inputs: readonly SchemeInput[]): Scheme[] {
  return inputs.map((input) => prepareScheme(d, input));
}

function prepareScheme(d: SchemeHome, input: SchemeInput): Scheme {
  const { profile } = d;
  const scheme = completeScheme(input);
  validateScheme(scheme);
  const refuse = (what: string): never => {
    throw new DamonError('EINVAL', `${profile.name} has no ${what}`);
  };
  if (!profile.actions.includes(scheme.action)) refuse(`action ${scheme.action}: ${profile.actions.join(', ')}`);
  if (scheme.quota.goalTuner === 'temporal' && !profile.temporalTuner) refuse('temporal tuner');
  if (scheme.quota.failChargeDenom !== 0 && !profile.failCharge) refuse('fail_charge');
  if (scheme.maxNrSnapshots !== 0 && !profile.snapshots) refuse('max_nr_snapshots');
  for (const { type, allow } of [...scheme.coreFilters, ...scheme.opsFilters]) {
    if (!profile.filters.types.includes(type)) refuse(`filter type ${type}`);
    if (allow && !profile.filters.allow) refuse('filters that allow');
  }
  for (const { metric } of scheme.quota.goals)
    if (!profile.goalMetrics.includes(metric)) refuse(`goal metric ${metric}`);
  const { order, warning } = effectiveTargetOrder(scheme.action, scheme.targetOrder, d.m.pmdOrder, profile);
  if (warning !== undefined) d.warnings.push(warning);
  if (scheme.action === 'collapse' && order !== 0 && d.collapse === undefined) {
    throw new DamonError('EINVAL', 'collapse with a target_order needs the collapse context: give createDamon one');
  }
  return { ...scheme, targetOrder: order };
}

/** Adds a scheme at the end of the list. Errors: TableFullError for 'damosScheme'. */
export function addScheme(d: Damon, config: Scheme): void {
  const row = d.t.damosScheme.pool.alloc();
  d.schemes.pushBack(d.context, row);
  d.t.damosScheme.activated[row] = 1;
  const scheme: RunningScheme = { row, config };
  d.runningSchemes.push(scheme);
  setNextApply(d, scheme);
}

/** Takes the last scheme away. */
export function removeLastScheme(d: Damon): void {
  const scheme = d.runningSchemes.pop();
  if (scheme === undefined) return;
  d.schemes.remove(d.context, scheme.row);
  d.t.damosScheme.pool.free(scheme.row);
}

/**
 * Puts new configurations on the schemes by number (`damon_commit_schemes`): counters and charge windows of those that stay
 * are kept, further ones are made, those left over go.
 */
export function commitSchemes(d: Damon, configs: readonly Scheme[]): void {
  while (d.runningSchemes.length > configs.length) removeLastScheme(d);
  for (const [index, config] of configs.entries()) {
    const scheme = d.runningSchemes[index];
    if (scheme === undefined) addScheme(d, config);
    else scheme.config = config;
  }
}

/** Counters of a scheme as they are now. Errors: RangeError for a number that no scheme has. */
export function schemeStats(d: Damon, index: number): SchemeStats {
  const s = d.t.damosScheme;
  const { row } = schemeAt(d, index);
  return {
    nrTried: s.nrTried[row],
    szTried: s.szTried[row],
    nrApplied: s.nrApplied[row],
    szApplied: s.szApplied[row],
    szOpsFilterPassed: s.szOpsFilterPassed[row],
    qtExceeds: s.qtExceeds[row],
    nrSnapshots: s.nrSnapshots[row],
  };
}

/** The effective quota of a scheme, bytes; Infinity: none (`effective_bytes`). */
export function effectiveBytes(d: Damon, index: number): number {
  return d.t.damosScheme.effectiveSize[schemeAt(d, index).row];
}

/** A scheme by number. Errors: RangeError. */
export function schemeAt(d: Damon, index: number): RunningScheme {
  const scheme = d.runningSchemes[index];
  if (scheme === undefined) throw new RangeError(`there is no scheme ${index}: ${d.runningSchemes.length} run`);
  return scheme;
}
