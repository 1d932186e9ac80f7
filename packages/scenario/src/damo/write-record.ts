/** Records as damo reads them: the JSON inside of its compressed files (DAMON spec 8.4). */
import { damoTimeExact } from './number-text.js';
import type { DamonRecord, RecordedIntervals } from './record.js';

/**
 * The document. damo takes it as a zlib stream (its default), and refuses plain JSON where file(1) calls that "JSON text data":
 * compress it.
 */
export function writeDamoRecord(records: readonly DamonRecord[]): string {
  return JSON.stringify(records.map(storedRecord));
}

function storedRecord(record: DamonRecord): unknown {
  return {
    kdamond_idx: record.kdamond,
    context_idx: record.context,
    intervals: record.intervals === null ? null : storedIntervals(record.intervals),
    scheme_idx: record.scheme,
    target_id: record.target,
    scheme_filters: [],
    snapshots: record.snapshots.map(({ startNs, endNs, regions }) => ({
      start_time: `${startNs}`,
      end_time: `${endNs}`,
      total_bytes: `${regions.reduce((sum, { start, end }) => sum + end - start, 0)}`,
      regions: regions.map((region) => ({
        start: `${region.start}`,
        end: `${region.end}`,
        nr_accesses: { samples: region.samples, percent: region.percent },
        age: {
          usec: region.ageNs === null ? null : damoTimeExact(region.ageNs),
          aggr_intervals: `${region.ageAggregations}`,
        },
        probe_hits: [],
        sz_filter_passed: `${region.filterPassedBytes} B`,
      })),
    })),
  };
}

function storedIntervals({ sampleNs, aggregationNs, updateNs }: RecordedIntervals): unknown {
  return {
    sample_us: damoTimeExact(sampleNs),
    aggr_us: damoTimeExact(aggregationNs),
    ops_update_us: damoTimeExact(updateNs),
  };
}
