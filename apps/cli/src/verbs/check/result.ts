/** The outcome of a check as data: what the text and the JSON document show. */
import type { CheckCase, CheckReport, VariantValue } from '@thplab/scenario';

export const FORMAT = 'thplab/check-result@1';

export interface CheckResult {
  readonly name: string;
  readonly kernel: string;
  /** The switches that make the kernel faulty; empty for the kernel as it is. */
  readonly variant: Readonly<Record<string, VariantValue>>;
  readonly actors: readonly string[];
  readonly search: CheckReport['search'];
  readonly verdict: CheckReport['verdict'];
  readonly coverage: CheckReport['coverage'];
  /** Set if sleeps and timeouts were let end early only so often: the coverage holds up to that. */
  readonly earlyWakes: number | null;
  readonly schedules: number;
  /** Schedules given up because they could only repeat what was seen. */
  readonly dropped: number;
  readonly steps: number;
  readonly wallMs: number;
  readonly schedulesPerSecond: number;
  /** Ctrl-C ended the search. */
  readonly interrupted: boolean;
  readonly failure: NonNullable<CheckReport['failure']> | null;
  readonly replay: string | null;
}

export function resultOf(
  parsed: CheckCase,
  report: CheckReport,
  wallMs: number,
  replay: string | null,
  interrupted: boolean,
): CheckResult {
  const tried = report.schedules + report.dropped;
  return {
    name: report.name,
    kernel: report.fixed ? 'merged' : parsed.machine.kernel,
    variant: report.fixed ? {} : parsed.machine.variant,
    actors: report.actors,
    search: report.search,
    verdict: report.verdict,
    coverage: report.coverage,
    earlyWakes: report.earlyWakes ?? null,
    schedules: report.schedules,
    dropped: report.dropped,
    steps: report.steps,
    wallMs: Math.round(wallMs),
    schedulesPerSecond: wallMs > 0 ? Math.round((tried * 1000) / wallMs) : 0,
    interrupted,
    failure: report.failure ?? null,
    replay,
  };
}
