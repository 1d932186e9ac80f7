/** Expectations about schemes and monitoring. */
import { ANY_SCHEME, type Context } from './context.js';
import { nearest } from './did-you-mean.js';
import type { DraftMonitoringExpect, DraftSchemeExpect } from './draft-damon.js';
import { formatKey, type KeyPath } from './problems.js';
import type { MonitoringExpectation, SchemeExpectation } from './scenario-damon.js';

/** By name of the scheme. */
export function normaliseSchemeExpectations(
  context: Context,
  draft: Readonly<Record<string, DraftSchemeExpect>>,
  path: KeyPath,
): SchemeExpectation[] {
  return Object.entries(draft).map(([scheme, one]) => {
    const at = [...path, scheme];
    checkKnown(context, scheme, context.schemes, 'scheme', at, 'key');
    if (Object.values(one).every((bound) => bound === undefined)) {
      context.report(at, 'this expects nothing', 'expected tried, applied, sizeApplied, ...', 'key');
    }
    return {
      key: formatKey(at),
      scheme,
      tried: one.tried ?? null,
      sizeTried: one.sizeTried ?? null,
      applied: one.applied ?? null,
      sizeApplied: one.sizeApplied ?? null,
      sizePassed: one.sizePassed ?? null,
      quotaExceeds: one.quotaExceeds ?? null,
      snapshots: one.snapshots ?? null,
    };
  });
}

/** Names of processes are the caller's to check. */
export function normaliseMonitoringExpectation(
  context: Context,
  one: DraftMonitoringExpect,
  at: KeyPath,
): MonitoringExpectation {
  const { kdamond = null, process = null, vma = null, above = null, hot = null, regions = null } = one;
  if (kdamond !== null) checkKnown(context, kdamond, context.kdamonds, 'kdamond', [...at, 'kdamond'], 'value');
  return { key: formatKey(at), kdamond, process, vma, above, hot, regions, monitored: one.monitored ?? null };
}

function checkKnown(
  context: Context,
  name: string,
  known: ReadonlySet<string>,
  what: string,
  at: KeyPath,
  which: 'key' | 'value',
): void {
  // Those that are set up by writes to files have numbers only.
  if (known.has(name) || context.schemes.has(ANY_SCHEME) || /^kdamond-\d{1,6}$/.test(name) || /\.\d{1,6}$/.test(name))
    return;
  const hint = (): string => {
    const near = nearest(name, [...known]);
    if (near !== null) return `did you mean "${near}"?`;
    return known.size === 0 ? 'see the key damon' : `the file defines ${[...known].slice(0, 12).join(', ')}`;
  };
  context.report(at, `there is no ${what} ${JSON.stringify(name)}`, hint, which);
}
