/**
 * The catalogue: every case of a known bug, searched on the faulty kernel, where it must be found, and on the merged one,
 * where nothing may be.
 */
import type { CheckCase } from './format/check-case.js';
import { type CheckReport, runCheck } from './run-check.js';

/** How thoroughly the catalogue is run. */
export interface CatalogueOptions {
  /** Schedules of the merged kernel after which a case counts as sampled; default: as many as the case says. */
  readonly mostSchedules?: number;
  /** A clock in ms, for `faultyMs` and `mergedMs`; default: none, and both are 0. */
  readonly nowMs?: () => number;
}

/** One case of the catalogue. */
export interface CatalogueEntry {
  readonly faulty: CheckReport;
  readonly merged: CheckReport;
  /** How long each search took; shrinking of what was found included. */
  readonly faultyMs: number;
  readonly mergedMs: number;
  /** What is not as it must be; empty if all is well. */
  readonly problems: readonly string[];
}

/** Runs one case both ways. */
export function runCatalogueCase(check: CheckCase, options: CatalogueOptions = {}): CatalogueEntry {
  const { bug } = check;
  const nowMs = options.nowMs ?? (() => 0);
  const startMs = nowMs();
  const bounded = {
    maxSchedules: Math.min(check.search.maxSchedules, options.mostSchedules ?? Number.POSITIVE_INFINITY),
  };
  const merged = runCheck(check, { fixed: true, search: bounded });
  const mergedMs = nowMs() - startMs;
  const isMerged = check.machine.kernel === 'merged' && Object.keys(check.machine.variant).length === 0;
  const knownToFail = bug !== null && bug.finds !== null;
  const faulty = isMerged ? merged : runCheck(check, knownToFail ? {} : { search: bounded });
  const faultyMs = isMerged ? mergedMs : nowMs() - startMs - mergedMs;
  const problems: string[] = [];
  if (merged.failure !== undefined) problems.push(`the merged kernel fails: ${merged.failure.message}`);
  if (options.mostSchedules === undefined && merged.verdict === 'limit') problems.push('the merged kernel: no verdict');
  if (bug === null || bug.finds === null) {
    if (!isMerged && faulty.failure !== undefined)
      problems.push(`it fails, but no bug is known: ${faulty.failure.message}`);
  } else if (faulty.failure === undefined) problems.push(`the bug is not found: ${bug.finds}`);
  else if (!faulty.failure.message.includes(bug.finds)) {
    problems.push(`another bug is found: ${faulty.failure.message}`);
  }
  return { faulty, merged, faultyMs, mergedMs, problems };
}

/** What a search that found nothing can vouch for, in a few words. */
export function coverageText({ verdict, coverage, schedules }: CheckReport): string {
  if (verdict === 'limit') return `no verdict after ${schedules}`;
  switch (coverage.kind) {
    case 'exhaustive':
      return `exhaustive, ${schedules}`;
    case 'preemption-bounded':
      return `up to ${coverage.bound} pre-emption${coverage.bound === 1 ? '' : 's'}, ${schedules}`;
    case 'sampled':
      return `sampled, ${coverage.schedules}`;
  }
}
