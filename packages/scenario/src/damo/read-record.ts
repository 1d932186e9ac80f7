/** Reading damo's records: JSON (what is inside of its compressed files), or lines of perf script (DAMON spec 8.4). */
import * as z from 'zod';
import { formatKey, type KeyPath } from '../format/problems.js';
import { placeInJson, placeOf } from './json-place.js';
import { parseDamoBytes, parseDamoCount, parseDamoTime } from './number-text.js';
import { readTracedRecord } from './read-traced.js';
import type { DamonRecord, RecordedIntervals, RecordedRegion, RecordedSnapshot } from './record.js';
import { DamoRecordError } from './record-error.js';

const text = z.union([z.string(), z.number()]);

const region = z.looseObject({
  start: text,
  end: text,
  nr_accesses: z.looseObject({ samples: text, percent: text.nullish() }),
  age: z.looseObject({ usec: text.nullish(), aggr_intervals: text.nullish() }),
  sz_filter_passed: text.nullish(),
});
const snapshot = z.looseObject({ start_time: text, end_time: text, regions: z.array(region) });
const record = z.looseObject({
  kdamond_idx: text.nullish(),
  context_idx: text.nullish(),
  scheme_idx: text.nullish(),
  target_id: text.nullish(),
  intervals: z.looseObject({ sample_us: text, aggr_us: text, ops_update_us: text.nullish() }).nullish(),
  snapshots: z.array(snapshot),
});
const document = z.array(record);
type StoredRecord = z.infer<typeof record>;
type StoredRegion = z.infer<typeof region>;

/**
 * Records of a text: JSON, or lines of perf script.
 * @throws DamoRecordError with the place of what is wrong.
 */
export function readDamoRecord(source: string): DamonRecord[] {
  if (!/^\s*[[{]/.test(source)) return readTracedRecord(source);
  const parsed = document.safeParse(parseJson(source));
  if (parsed.success) return parsed.data.map((stored, at) => new RecordReader(source, at).record(stored));
  const [issue] = parsed.error.issues;
  throw wrong(source, issue.path as KeyPath, issue.message);
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message);
    const { line, column } = placeOf(source, position === null ? source.length : Number(position[1]));
    throw new DamoRecordError(line, column, `no JSON: ${message.replace(/ in JSON.*| \(line.*/, '')}`);
  }
}

function wrong(source: string, path: KeyPath, what: string): DamoRecordError {
  const { line, column } = placeInJson(source, path);
  return new DamoRecordError(line, column, `${path.length === 0 ? 'the record' : formatKey(path)}: ${what}`);
}

/** Turns texts into numbers, and knows where they stand. */
class RecordReader {
  readonly #source: string;
  readonly #at: number;

  constructor(source: string, at: number) {
    this.#source = source;
    this.#at = at;
  }

  record(stored: StoredRecord): DamonRecord {
    const intervals = stored.intervals == null ? null : this.#intervals(stored.intervals);
    const count = (value: string | number | null | undefined, key: string): number =>
      value == null ? 0 : this.#need(parseDamoCount(value), [key], value, 'a whole number');
    let before = Number.NEGATIVE_INFINITY;
    const snapshots = stored.snapshots.map((one, index): RecordedSnapshot => {
      const path = ['snapshots', index];
      const startNs = this.#need(parseDamoTime(one.start_time, 1), [...path, 'start_time'], one.start_time, 'a time');
      const endNs = this.#need(parseDamoTime(one.end_time, 1), [...path, 'end_time'], one.end_time, 'a time');
      if (endNs < startNs || endNs < before) {
        throw this.#wrong(
          [...path, 'end_time'],
          `${one.end_time} is before ${endNs < startNs ? 'its start' : 'the end of the snapshot before'}`,
        );
      }
      before = endNs;
      return { startNs, endNs, regions: this.#regions(one.regions, path, intervals) };
    });
    return {
      kdamond: count(stored.kdamond_idx, 'kdamond_idx'),
      context: count(stored.context_idx, 'context_idx'),
      scheme: stored.scheme_idx == null ? null : count(stored.scheme_idx, 'scheme_idx'),
      target: count(stored.target_id, 'target_id'),
      intervals,
      snapshots,
    };
  }

  #intervals(stored: NonNullable<StoredRecord['intervals']>): RecordedIntervals {
    const time = (key: 'sample_us' | 'aggr_us'): number => {
      const ns = this.#need(parseDamoTime(stored[key], 1e3), ['intervals', key], stored[key], 'a time such as "5 ms"');
      if (ns <= 0) throw this.#wrong(['intervals', key], 'an interval must be longer than 0');
      return ns;
    };
    const update = stored.ops_update_us ?? 0;
    return {
      sampleNs: time('sample_us'),
      aggregationNs: time('aggr_us'),
      updateNs: this.#need(parseDamoTime(update, 1e3), ['intervals', 'ops_update_us'], update, 'a time'),
    };
  }

  #regions(stored: readonly StoredRegion[], path: KeyPath, intervals: RecordedIntervals | null): RecordedRegion[] {
    return stored.map((one, index) => {
      const at = [...path, 'regions', index];
      const size = (key: 'start' | 'end'): number =>
        this.#need(parseDamoBytes(one[key]), [...at, key], one[key], 'an address in bytes');
      const [start, end] = [size('start'), size('end')];
      if (end < start) throw this.#wrong([...at, 'end'], `the end ${one.end} is before the start ${one.start}`);
      const samples = parseDamoCount(one.nr_accesses.samples);
      const aggregations = one.age.aggr_intervals == null ? 0 : parseDamoCount(one.age.aggr_intervals);
      const ageAggregations = this.#need(
        aggregations,
        [...at, 'age', 'aggr_intervals'],
        one.age.aggr_intervals,
        'a number',
      );
      const stored = one.age.usec == null ? null : parseDamoTime(one.age.usec, 1e3);
      if (one.age.usec != null) this.#need(stored, [...at, 'age', 'usec'], one.age.usec, 'a time');
      const percent =
        one.nr_accesses.percent == null ? null : parseDamoCount(`${one.nr_accesses.percent}`.replace(/ *%$/, ''));
      const passed = one.sz_filter_passed == null ? 0 : parseDamoBytes(one.sz_filter_passed);
      return {
        start,
        end,
        samples: this.#need(samples, [...at, 'nr_accesses', 'samples'], one.nr_accesses.samples, 'a number'),
        percent,
        ageNs: stored ?? (intervals === null ? null : ageAggregations * intervals.aggregationNs),
        ageAggregations,
        filterPassedBytes: this.#need(passed, [...at, 'sz_filter_passed'], one.sz_filter_passed, 'a size'),
      };
    });
  }

  #need(value: number | null, path: KeyPath, found: unknown, expected: string): number {
    if (value !== null && Number.isFinite(value) && (value >= 0 || value === -1)) return value;
    throw this.#wrong(path, `${JSON.stringify(found)} is not ${expected}`);
  }

  #wrong(path: KeyPath, what: string): DamoRecordError {
    return wrong(this.#source, [this.#at, ...path], what);
  }
}
