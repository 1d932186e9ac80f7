/**
 * Records out of trace lines: `damon_aggregated` (and `damos_before_apply`) as perf script, perf trace and trace-cmd print them
 * (DAMON spec 7, 8.4). Intervals are not in them.
 */
import type { DamonRecord, RecordedRegion, RecordedSnapshot } from './record.js';
import { DamoRecordError } from './record-error.js';

const EVENT =
  /(?:damon:)?(damon_aggregated|damon_aggregated_v2|damon_region_aggregated|damos_before_apply)(?:: ?|\()(.*?)\)?$/;
const PAYLOAD = /(?:target_id|target_idx)=(\d+) nr_regions=(\d+) (\d+)-(\d+): (-?\d+)(?: (-?\d+))?/;
/** `82877.315633:` of perf script and trace-cmd, `123.456` (milliseconds) at the beginning of a line of perf trace. */
const SECONDS = /(?:^|\s)(\d+)\.(\d{1,9}):\s/;
const MILLISECONDS = /^\s*(\d+\.\d+) /;

interface Open {
  timeNs: number;
  left: number;
  regions: RecordedRegion[];
}

/** Reads the lines. @throws DamoRecordError */
export function readTracedRecord(text: string): DamonRecord[] {
  const snapshots = new Map<number, { timeNs: number; regions: RecordedRegion[] }[]>();
  const open = new Map<number, Open>();
  let lastNs = 0;
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const event = EVENT.exec(line);
    if (event === null) throw new DamoRecordError(index + 1, 1, notALine(line));
    const payload = PAYLOAD.exec(event[2]);
    if (payload === null) {
      throw new DamoRecordError(
        index + 1,
        event.index + 1,
        `the event's text is not "target_id=N nr_regions=N START-END: ACCESSES AGE"`,
      );
    }
    const timeNs = timeOf(line, index + 1);
    if (timeNs < lastNs) throw new DamoRecordError(index + 1, 1, 'the time is before that of the line above');
    lastNs = timeNs;
    const [target, regions, start, end, samples, age] = payload.slice(1).map((part) => Number(part ?? 0));
    if (end < start) throw new DamoRecordError(index + 1, 1, `the region's end ${end} is before its start ${start}`);
    const one = open.get(target) ?? { timeNs, left: Math.max(1, regions), regions: [] };
    one.regions.push({ start, end, samples, percent: null, ageNs: null, ageAggregations: age, filterPassedBytes: 0 });
    if (--one.left > 0) {
      open.set(target, one);
      return;
    }
    open.delete(target);
    const done = snapshots.get(target) ?? [];
    done.push({ timeNs: one.timeNs, regions: one.regions });
    snapshots.set(target, done);
  });
  if (snapshots.size === 0)
    throw new DamoRecordError(1, 1, "no snapshot; expected damo's record in JSON, or lines of damon_aggregated");
  return [...snapshots].map(([target, ends]) => ({
    kdamond: 0,
    context: 0,
    scheme: null,
    target,
    intervals: null,
    snapshots: withStarts(ends),
  }));
}

/** A snapshot begins where the one before ends; the first one is as long as the mean of the others. */
function withStarts(
  ends: readonly { readonly timeNs: number; readonly regions: RecordedRegion[] }[],
): RecordedSnapshot[] {
  const first = ends[0].timeNs;
  const last = ends[ends.length - 1].timeNs;
  const mean = ends.length > 1 ? (last - first) / (ends.length - 1) : 0;
  return ends.map(({ timeNs, regions }, at) => ({
    startNs: at === 0 ? Math.max(0, first - mean) : ends[at - 1].timeNs,
    endNs: timeNs,
    regions,
  }));
}

function timeOf(line: string, number: number): number {
  const seconds = SECONDS.exec(line);
  if (seconds !== null) return Number(seconds[1]) * 1e9 + Number(seconds[2].padEnd(9, '0'));
  const milliseconds = MILLISECONDS.exec(line);
  if (milliseconds !== null) return Math.round(Number(milliseconds[1]) * 1e6);
  throw new DamoRecordError(number, 1, 'the line has no time');
}

function notALine(line: string): string {
  const shown = line.trim().length > 60 ? `${line.trim().slice(0, 60)}…` : line.trim();
  return `"${shown}" is no event of DAMON; expected damo's record in JSON, or lines of damon_aggregated`;
}
