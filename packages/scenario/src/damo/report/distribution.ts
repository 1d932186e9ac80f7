/** `report wss` and `report nr_regions`: how much was in use, and in how many pieces, as percentiles (DAMON spec 8.5). */
import { damoBytes } from '../number-text.js';
import type { DamonRecord, RecordedRegion, RecordedSnapshot } from '../record.js';

/** What counts as in use, and what is left out. */
export interface DistributionOptions {
  /** Regions with fewer samples or bytes do not count (damo: 1 and 1). */
  readonly leastSamples: number;
  readonly leastBytes: number;
  /** Snapshots at the beginning that are left out, while regions settle (damo: 20, and it fails on shorter records). */
  readonly skip: number;
  /** Snapshots are put together to this time, by the most samples of what they share; 0: each by itself. */
  readonly workTimeNs: number;
  readonly percentiles: readonly number[];
}

/** damo's defaults. */
export const DAMO_DISTRIBUTION: DistributionOptions = {
  leastSamples: 1,
  leastBytes: 1,
  skip: 20,
  workTimeNs: 0,
  percentiles: [0, 25, 50, 75, 100],
};

/** Values of all snapshots, ascending, with what was left out. */
export interface Distribution {
  readonly values: readonly number[];
  readonly average: number;
  /** Snapshots left out at the beginning; fewer than asked for where the record is short. */
  readonly skipped: number;
}

/** Bytes in use, by snapshot. */
export function workingSetSizes(record: DamonRecord, options: DistributionOptions): Distribution {
  return distribution(record, options, (regions) =>
    regions
      .filter(({ start, end, samples }) => samples >= options.leastSamples && end - start >= options.leastBytes)
      .reduce((sum, { start, end }) => sum + end - start, 0),
  );
}

/** Regions, by snapshot. */
export function regionCounts(record: DamonRecord, options: DistributionOptions): Distribution {
  return distribution(record, { ...options, workTimeNs: 0 }, (regions) => regions.length);
}

function distribution(
  record: DamonRecord,
  options: DistributionOptions,
  measure: (regions: readonly RecordedRegion[]) => number,
): Distribution {
  const { snapshots } = record;
  // A short record is better shown whole than not at all.
  const skipped = snapshots.length > options.skip ? options.skip : 0;
  const values = putTogether(snapshots.slice(skipped), options.workTimeNs)
    .map(measure)
    .sort((a, b) => a - b);
  const average = values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
  return { values, average, skipped };
}

/** Regions of several snapshots in a row as if of one: each address has the most samples that it had in any. */
function putTogether(snapshots: readonly RecordedSnapshot[], workTimeNs: number): (readonly RecordedRegion[])[] {
  if (workTimeNs <= 0) return snapshots.map(({ regions }) => regions);
  const groups: (readonly RecordedRegion[])[] = [];
  let start = 0;
  snapshots.forEach((snapshot, at) => {
    if (snapshot.endNs - snapshots[start].startNs < workTimeNs && at < snapshots.length - 1) return;
    groups.push(
      snapshots.slice(start, at + 1).reduce<readonly RecordedRegion[]>((sum, { regions }) => most(sum, regions), []),
    );
    start = at + 1;
  });
  return groups;
}

function most(a: readonly RecordedRegion[], b: readonly RecordedRegion[]): RecordedRegion[] {
  const edges = [...new Set([...a, ...b].flatMap(({ start, end }) => [start, end]))].sort((x, y) => x - y);
  const regions: RecordedRegion[] = [];
  let inA = 0;
  let inB = 0;
  for (let at = 0; at + 1 < edges.length; at++) {
    while (inA < a.length && a[inA].end <= edges[at]) inA++;
    while (inB < b.length && b[inB].end <= edges[at]) inB++;
    const found = [a[inA], b[inB]].filter((one) => one !== undefined && one.start <= edges[at] && edges[at] < one.end);
    if (found.length === 0) continue;
    const hottest = found.reduce((x, y) => (y.samples > x.samples ? y : x));
    regions.push({ ...hottest, start: edges[at], end: edges[at + 1] });
  }
  return regions;
}

/** Value at a percentile of ascending values: 0 is the least, 100 the greatest. */
export function atPercentile(values: readonly number[], percentile: number): number {
  if (values.length === 0) return 0;
  return values[Math.min(values.length - 1, Math.floor((percentile * values.length) / 100))];
}

const STARS = 59;

/** Percentiles of working set sizes, with bars. */
export function wssText(
  record: DamonRecord,
  { values, average }: Distribution,
  percentiles: readonly number[],
): string {
  const greatest = values[values.length - 1] ?? 0;
  const lines = [`# target_id\t${record.target}`, '# <percentile> <wss>', `# avr:\t${damoBytes(average)}`];
  for (const percentile of percentiles) {
    const value = atPercentile(values, percentile);
    const stars = greatest === 0 ? 0 : Math.round((value * STARS) / greatest);
    lines.push(`${`${percentile}`.padStart(3)} ${damoBytes(value).padStart(15)} |${'*'.repeat(stars).padEnd(STARS)}|`);
  }
  return `${lines.join('\n')}\n`;
}

/** Percentiles of the number of regions. */
export function regionCountsText(
  record: DamonRecord,
  { values, average }: Distribution,
  percentiles: readonly number[],
): string {
  const lines = ['# <percentile> <# regions>', `# target_id\t${record.target}`, `# avr:\t${average.toFixed(0)}`];
  for (const percentile of percentiles) lines.push(`${percentile}\t${atPercentile(values, percentile)}`);
  return `${lines.join('\n')}\n`;
}
