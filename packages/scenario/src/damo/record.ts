/** What DAMON saw over time, as damo records it (DAMON spec 8.4), in plain units: bytes, nanoseconds, counts. */

/** One region of one snapshot. */
export interface RecordedRegion {
  readonly start: number;
  readonly end: number;
  /** Samples of the last aggregation in which it was accessed. */
  readonly samples: number;
  /** The same as a share of all samples; null where the record does not say how many there were. */
  readonly percent: number | null;
  /** For how long it has been so; null where the record gives aggregations only and no intervals. */
  readonly ageNs: number | null;
  readonly ageAggregations: number;
  readonly filterPassedBytes: number;
}

/** All regions of a target at one time. */
export interface RecordedSnapshot {
  readonly startNs: number;
  readonly endNs: number;
  readonly regions: readonly RecordedRegion[];
}

/** Intervals in nanoseconds. */
export interface RecordedIntervals {
  readonly sampleNs: number;
  readonly aggregationNs: number;
  readonly updateNs: number;
}

/** One target (or one scheme's regions of it). */
export interface DamonRecord {
  readonly kdamond: number;
  readonly context: number;
  /** Null where the record is not about a scheme's regions. */
  readonly scheme: number | null;
  readonly target: number;
  /** Null for texts of perf script, which do not say. */
  readonly intervals: RecordedIntervals | null;
  readonly snapshots: readonly RecordedSnapshot[];
}

/** Most that a region of this record can have: samples of an aggregation, null if not known. */
export function mostSamples(record: DamonRecord): number | null {
  const { intervals } = record;
  return intervals === null ? null : Math.max(1, Math.round(intervals.aggregationNs / intervals.sampleNs));
}

/** Accesses per second that a number of samples stands for: samples per aggregation interval. */
export function samplesToHz(samples: number, intervals: RecordedIntervals): number {
  return samples / (intervals.aggregationNs / 1e9);
}
