/** `report heatmap`: time down, addresses across, heat as a digit (DAMON spec 8.5). */
import { damoBytes, damoTime, fixedHalfEven } from '../number-text.js';
import { type DamonRecord, mostSamples } from '../record.js';
import { heatDigit } from './access.js';

/** What part is drawn, and how finely. */
export interface HeatmapOptions {
  readonly timePixels: number;
  readonly addressPixels: number;
  /** [start, end) in nanoseconds and in bytes; the whole record and its hottest part unless told otherwise. */
  readonly timeRange?: readonly [number, number];
  readonly addressRange?: readonly [number, number];
}

/** Pixels by row (time) and column (address); NaN where the record has nothing. Heat: accesses per second. */
export interface Heatmap {
  readonly timeRange: readonly [number, number];
  readonly addressRange: readonly [number, number];
  readonly timePixels: number;
  readonly addressPixels: number;
  /** Row after row. */
  readonly heat: Float64Array;
  /** `hz`, or `samples` where the record does not say its intervals. */
  readonly unit: 'hz' | 'samples';
}

/**
 * Accesses per second of each pixel: those of the regions that lie in it, by the share of its time and bytes that they cover
 * (DAMON spec 8.5).
 */
export function heatmap(record: DamonRecord, options: HeatmapOptions): Heatmap {
  const { timePixels, addressPixels } = options;
  const timeRange = options.timeRange ?? wholeTime(record);
  const addressRange = options.addressRange ?? hottestPart(record);
  const sums = new Float64Array(timePixels * addressPixels);
  const seen = new Uint8Array(timePixels * addressPixels);
  const perSecond = record.intervals === null ? 1 : 1e9 / record.intervals.aggregationNs;
  let previousEnd = Number.NEGATIVE_INFINITY;
  for (const { startNs, endNs, regions } of record.snapshots) {
    for (const region of regions) {
      // A region has been so for its age, but what is before the snapshot before was told by that one.
      const from = Math.max(Math.min(startNs, endNs - (region.ageNs ?? 0)), previousEnd);
      eachOverlap([from, endNs], timeRange, timePixels, (row, time) => {
        eachOverlap([region.start, region.end], addressRange, addressPixels, (column, bytes) => {
          const pixel = row * addressPixels + column;
          sums[pixel] += region.samples * perSecond * time * bytes;
          seen[pixel] = 1;
        });
      });
    }
    previousEnd = endNs;
  }
  const area = ((timeRange[1] - timeRange[0]) / timePixels) * ((addressRange[1] - addressRange[0]) / addressPixels);
  const heat = sums.map((sum, pixel) => (seen[pixel] === 1 ? sum / area : Number.NaN));
  return {
    timeRange,
    addressRange,
    timePixels,
    addressPixels,
    heat,
    unit: record.intervals === null ? 'samples' : 'hz',
  };
}

/** Calls `visit` with each pixel that a span touches, and by how much. */
function eachOverlap(
  [start, end]: readonly [number, number],
  [low, high]: readonly [number, number],
  pixels: number,
  visit: (pixel: number, overlap: number) => void,
): void {
  const size = (high - low) / pixels;
  if (size <= 0) return;
  const from = Math.max(start, low);
  const to = Math.min(end, high);
  for (let pixel = Math.floor((from - low) / size); pixel < pixels && low + pixel * size < to; pixel++) {
    const overlap = Math.min(to, low + (pixel + 1) * size) - Math.max(from, low + pixel * size);
    if (overlap > 0) visit(pixel, overlap);
  }
}

function wholeTime(record: DamonRecord): [number, number] {
  const first = record.snapshots[0];
  const last = record.snapshots[record.snapshots.length - 1];
  if (first === undefined) return [0, 0];
  const oldest = Math.max(0, ...first.regions.map(({ ageNs }) => ageNs ?? 0));
  return [Math.max(0, Math.min(first.startNs, first.endNs - oldest)), last.endNs];
}

/** Gaps larger than this part the address space into areas. */
const GAP_SHARE = 0.1;

/** The area, between large gaps, with the most accesses; without any accesses, the largest. */
export function hottestPart(record: DamonRecord): [number, number] {
  const areas = areasOf(record);
  let best: [number, number] = [0, 0];
  let bestHeat = -1;
  for (const [start, end] of areas) {
    let heat = 0;
    for (const { regions } of record.snapshots) {
      for (const region of regions)
        if (region.start >= start && region.end <= end) heat += region.samples * (region.end - region.start);
    }
    if (heat > bestHeat || (heat === bestHeat && end - start > best[1] - best[0])) {
      best = [start, end];
      bestHeat = heat;
    }
  }
  return best;
}

/** Spans of addresses that any snapshot covers, joined where the gap between is small beside the whole. */
export function areasOf(record: DamonRecord): [number, number][] {
  const spans = record.snapshots.flatMap(({ regions }) =>
    regions.map(({ start, end }): [number, number] => [start, end]),
  );
  spans.sort((a, b) => a[0] - b[0]);
  const covered = joinSpans(spans, 0);
  const total = covered.reduce((sum, [start, end]) => sum + end - start, 0);
  return joinSpans(covered, total * GAP_SHARE);
}

function joinSpans(spans: readonly (readonly [number, number])[], gap: number): [number, number][] {
  const joined: [number, number][] = [];
  for (const [start, end] of spans) {
    const last = joined[joined.length - 1];
    if (last !== undefined && start <= last[1] + gap) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

/** The map as lines of digits, with its scale and axes below. */
export function heatmapText(map: Heatmap): string {
  const { timeRange, addressRange, timePixels, addressPixels, heat, unit } = map;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of heat) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const lines: string[] = [];
  for (let row = 0; row < timePixels; row++) {
    let line = '';
    for (let column = 0; column < addressPixels; column++) {
      const value = heat[row * addressPixels + column];
      line += Number.isNaN(value) ? ' ' : heatDigit(value, min, max);
    }
    lines.push(line);
  }
  const seen = max >= min;
  const scale = seen ? `${fixedHalfEven(min, 3)}-${fixedHalfEven(max, 3)} ${unit}` : 'nothing recorded';
  const [from, to] = addressRange;
  const bytes = to - from;
  const time = timeRange[1] - timeRange[0];
  lines.push(
    `# access_frequency: 0123456789 (${scale})`,
    `# x-axis: space [${from}, ${to}) (${damoBytes(bytes)})`,
    `# y-axis: time [${damoTime(timeRange[0])}, ${damoTime(timeRange[1])}) (${damoTime(time)})`,
    `# resolution: ${addressPixels}x${timePixels} (${damoBytes(bytes / addressPixels)} and ${damoTime(time / timePixels)} for each character)`,
  );
  return `${lines.join('\n')}\n`;
}

/** One line per pixel: time, address, heat, from the map's own origin unless absolute ones are asked for. */
export function heatmapRaw(map: Heatmap, absolute: { readonly time: boolean; readonly address: boolean }): string {
  const { timeRange, addressRange, timePixels, addressPixels, heat } = map;
  const timeOrigin = absolute.time ? timeRange[0] : 0;
  const addressOrigin = absolute.address ? addressRange[0] : 0;
  const timeStep = (timeRange[1] - timeRange[0]) / timePixels;
  const addressStep = (addressRange[1] - addressRange[0]) / addressPixels;
  const lines: string[] = [];
  for (let row = 0; row < timePixels; row++) {
    for (let column = 0; column < addressPixels; column++) {
      const at = `${Math.round(timeOrigin + row * timeStep)}\t${Math.round(addressOrigin + column * addressStep)}`;
      lines.push(`${at}\t${heat[row * addressPixels + column]}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** What can be drawn: indices, target, time, and the areas of addresses. */
export function heatmapGuide(record: DamonRecord): string {
  const [start, end] = wholeTime(record);
  const most = mostSamples(record);
  const lines = [
    `kdamond_idx: ${record.kdamond}`,
    `context_idx: ${record.context}`,
    `scheme_idx: ${record.scheme ?? 'none'}`,
    `target_id: ${record.target}`,
    `time: [${start}, ${end}) (${damoTime(end - start)})`,
    ...areasOf(record).map(
      ([from, to], at) => `region\t${`${at}`.padStart(2)}: [${from}, ${to}) (${damoBytes(to - from)})`,
    ),
    ...(most === null ? [] : [`samples: at most ${most} in an aggregation`]),
  ];
  return `${lines.join('\n')}\n`;
}
