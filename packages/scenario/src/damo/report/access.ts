/** `report access`: each snapshot's regions, in damo's raw or detailed layout (DAMON spec 8.5). */
import { damoBytes, damoTime, fixedHalfEven } from '../number-text.js';
import { type DamonRecord, mostSamples, type RecordedSnapshot, samplesToHz } from '../record.js';
import { DAMO_WEIGHTS, temperature } from './temperature.js';

/** damo's raw form. */
export function rawAccess(record: DamonRecord): string {
  const base = record.snapshots[0]?.startNs ?? 0;
  const lines = [`base_time_absolute: ${damoTime(base)}`, 'data source: unknown', ''];
  for (const snapshot of record.snapshots) {
    const { startNs, endNs, regions } = snapshot;
    lines.push(
      labelled('monitoring_start:', startNs - base),
      labelled('monitoring_end:', endNs - base),
      labelled('monitoring_duration:', endNs - startNs),
      `target_id: ${record.target}`,
      `nr_regions: ${regions.length}`,
      '# start_addr     end_addr        length  nr_accesses   age',
      ...regions.map(({ start, end, samples, ageAggregations }) => {
        const size = damoBytes(end - start).padStart(12);
        return `${hex(start)}-${hex(end)} (${size}) ${`${samples}`.padStart(11)} ${`${ageAggregations}`.padStart(5)}`;
      }),
      '',
    );
  }
  return `${lines.join('\n')}\n`;
}

const LABEL_WIDTH = 37;

function labelled(label: string, ns: number): string {
  return `${label}${damoTime(ns).padStart(LABEL_WIDTH - label.length)}`;
}

function hex(address: number): string {
  return address.toString(16).padStart(12, '0');
}

const HEAT_COLUMNS = 80;

/** damo's detailed form: a line of heat, a line per region, sums. */
export function detailedAccess(record: DamonRecord): string {
  const base = record.snapshots[0]?.startNs ?? 0;
  const most = mostSamples(record);
  const { intervals } = record;
  const lines: string[] = [];
  for (const snapshot of record.snapshots) {
    const { startNs, endNs, regions } = snapshot;
    const times = `[${damoTime(startNs - base)}, ${damoTime(endNs - base)}) (${damoTime(endNs - startNs)})`;
    lines.push(`snapshot time: ${times}`, ...heatLine(snapshot, most));
    if (intervals !== null && most !== null) {
      const hz = fixedHalfEven(samplesToHz(most, intervals), 3);
      lines.push(
        `intervals: sample ${damoTime(intervals.sampleNs)} aggr ${damoTime(intervals.aggregationNs)} (max access hz ${hz})`,
      );
    }
    const width = `${Math.max(0, regions.length - 1)}`.length;
    regions.forEach(({ start, end, samples, ageNs, ageAggregations }, at) => {
      const rate =
        intervals === null ? `${samples} samples` : `${fixedHalfEven(samplesToHz(samples, intervals), 3)} hz`;
      const age = ageNs === null ? `${ageAggregations} aggr_intervals` : damoTime(ageNs);
      lines.push(
        `${`${at}`.padEnd(width)} addr ${damoBytes(start).padEnd(12)} size ${damoBytes(end - start).padEnd(12)} access ${rate} age ${age}`,
      );
    });
    if (intervals !== null) {
      const bytes = regions.reduce((sum, { start, end, samples }) => sum + (end - start) * samples, 0);
      lines.push(`memory bw estimate: ${damoBytes(bytes / (intervals.aggregationNs / 1e9))} per second`);
    }
    lines.push(`total size: ${damoBytes(regions.reduce((sum, { start, end }) => sum + end - start, 0))}`, '');
  }
  if (intervals !== null) {
    lines.push(
      `record DAMON intervals: sample ${damoTime(intervals.sampleNs)}, aggr ${damoTime(intervals.aggregationNs)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The target's bytes side by side, a digit of heat for each column: 0 coldest, 9 hottest. */
function heatLine({ regions }: RecordedSnapshot, most: number | null): string[] {
  const total = regions.reduce((sum, { start, end }) => sum + end - start, 0);
  if (total === 0) return [];
  const heats = regions.map((region) => temperature(region, most, DAMO_WEIGHTS));
  const min = Math.min(...heats);
  const max = Math.max(...heats);
  let line = '';
  let at = 0;
  let before = 0;
  for (let column = 0; column < HEAT_COLUMNS; column++) {
    const middle = ((column + 0.5) * total) / HEAT_COLUMNS;
    while (before + regions[at].end - regions[at].start <= middle) before += regions[at].end - regions[at++].start;
    line += heatDigit(heats[at], min, max);
  }
  const temperatures = `# min/max temperatures: ${Math.round(min).toLocaleString('en')}, ${Math.round(max).toLocaleString('en')}`;
  return [`heatmap: ${line}`, `${temperatures}, column size: ${damoBytes(total / HEAT_COLUMNS)}`];
}

/** A digit from 0 to 9 for a value between the least and the greatest (DAMON spec 8.5). */
export function heatDigit(value: number, min: number, max: number): string {
  return `${Math.min(9, Math.max(0, Math.floor((value - min) / ((max + 1 - min) / 9))))}`;
}
