/**
 * A record of DAMON as accesses (DAMON spec 8.6): each snapshot's time is cut into as many slices as an aggregation has
 * samples; in slice i every page of each region with more than i samples is touched once. A region with n samples is so
 * swept n times, one sweep a slice, from the snapshot's beginning.
 */

/** What is replayed: times in ns, addresses in bytes. */
export interface AccessRecord {
  readonly sampleNs: number;
  readonly aggregationNs: number;
  readonly snapshots: readonly {
    readonly startNs: number;
    readonly endNs: number;
    readonly regions: readonly { readonly start: number; readonly end: number; readonly samples: number }[];
  }[];
}

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
export function replayParts(record: AccessRecord): ReplayPart[] {
  const slices = Math.max(1, Math.floor(record.aggregationNs / Math.max(1, record.sampleNs)));
  const beginNs = record.snapshots[0]?.startNs ?? 0;
  return record.snapshots.flatMap(({ startNs, endNs, regions }) => {
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
