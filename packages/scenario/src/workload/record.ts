/**
 * A record of DAMON as accesses (DAMON spec 8.6): each snapshot's time is cut into as many slices as an aggregation has
 * samples; in slice i every page of each region with more than i samples is touched once. A region with n samples is so
 * swept n times, one sweep a slice, from the snapshot's beginning.
 */
import { type DamonRecord, mostSamples } from '../damo/record.js';

/** One region of one snapshot: sweeps of its pages, `sweeps` of them, each `sweepNs` long, from `atNs` on. */
export interface ReplayPart {
  readonly start: number;
  readonly end: number;
  /** Since the beginning of the record. */
  readonly atNs: number;
  readonly sweeps: number;
  readonly sweepNs: number;
}

/** The parts of a record, in the order of their time. Regions without samples have none. */
export function replayParts(record: DamonRecord): ReplayPart[] {
  const { snapshots } = record;
  const most = snapshots.reduce(
    (largest, { regions }) => regions.reduce((sum, { samples }) => Math.max(sum, samples), largest),
    1,
  );
  // Texts of perf script do not say how many samples an aggregation had: at least as many as were counted.
  const slices = mostSamples(record) ?? most;
  const beginNs = snapshots[0]?.startNs ?? 0;
  return snapshots.flatMap(({ startNs, endNs, regions }) => {
    const sweepNs = (endNs - startNs) / slices;
    return regions
      .filter(({ start, end, samples }) => samples > 0 && end > start && sweepNs > 0)
      .map(({ start, end, samples }) => ({
        start,
        end,
        atNs: startNs - beginNs,
        sweeps: Math.min(samples, slices),
        sweepNs,
      }));
  });
}
