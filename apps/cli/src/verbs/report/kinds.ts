/** One record under one kind of report, as text or as data. */
import type { DamonRecord, DistributionOptions, Heatmap } from '@thplab/scenario';
import { UsageError } from '../../errors.js';
import type { ReportKind, ReportOptions } from '../report.js';

const TIME_PIXELS = 40;
const ADDRESS_PIXELS = 80;

export async function reportText(kind: ReportKind, record: DamonRecord, options: ReportOptions): Promise<string> {
  const damo = await import('@thplab/scenario');
  switch (kind) {
    case 'access':
      return options.raw ? damo.rawAccess(record) : damo.detailedAccess(record);
    case 'heatmap': {
      if (options.guide) return damo.heatmapGuide(record);
      const map = await mapOf(record, options);
      if (!options.raw) return damo.heatmapText(map);
      return damo.heatmapRaw(map, { time: options.absTime === true, address: options.absAddr === true });
    }
    case 'wss': {
      const found = damo.workingSetSizes(record, await distributionOf(options));
      return damo.wssText(record, found, damo.DAMO_DISTRIBUTION.percentiles);
    }
    case 'nr_regions': {
      const found = damo.regionCounts(record, await distributionOf(options));
      return damo.regionCountsText(record, found, damo.DAMO_DISTRIBUTION.percentiles);
    }
  }
}

export async function reportDocument(kind: ReportKind, record: DamonRecord, options: ReportOptions): Promise<unknown> {
  const damo = await import('@thplab/scenario');
  const { target, kdamond, context, scheme } = record;
  const head = { target, kdamond, context, scheme };
  if (kind === 'access') return { ...head, intervals: record.intervals, snapshots: record.snapshots };
  if (kind === 'heatmap') {
    const { heat, ...map } = await mapOf(record, options);
    return { ...head, ...map, heat: [...heat].map((value) => (Number.isNaN(value) ? null : value)) };
  }
  const wanted = await distributionOf(options);
  const found = kind === 'wss' ? damo.workingSetSizes(record, wanted) : damo.regionCounts(record, wanted);
  const percentiles = wanted.percentiles.map((at) => ({ percentile: at, value: damo.atPercentile(found.values, at) }));
  return { ...head, average: found.average, skipped: found.skipped, snapshots: found.values.length, percentiles };
}

async function mapOf(record: DamonRecord, options: ReportOptions): Promise<Heatmap> {
  const { heatmap, parseDamoBytes, parseDamoTime } = await import('@thplab/scenario');
  const [timePixels, addressPixels] = options.resol ?? [TIME_PIXELS, ADDRESS_PIXELS];
  const timeRange = rangeOf('--time-range', options.timeRange, (text) => parseDamoTime(text, 1));
  const addressRange = rangeOf('--address-range', options.addressRange, parseDamoBytes);
  return heatmap(record, {
    timePixels,
    addressPixels,
    ...(timeRange === undefined ? {} : { timeRange }),
    ...(addressRange === undefined ? {} : { addressRange }),
  });
}

function rangeOf(
  option: string,
  text: string | undefined,
  parse: (text: string) => number | null,
): [number, number] | undefined {
  if (text === undefined) return undefined;
  const ends = text.split('-').map(parse);
  const [start, end] = ends;
  if (ends.length === 2 && start !== null && end !== null && start < end) return [start, end];
  throw new UsageError(`${option} ${text}: two values with a "-" between, the second the greater`);
}

async function distributionOf(options: ReportOptions): Promise<DistributionOptions> {
  const { DAMO_DISTRIBUTION, parseDamoBytes, parseDamoTime } = await import('@thplab/scenario');
  const workTimeNs = options.workTime === undefined ? 0 : parseDamoTime(options.workTime, 1e3);
  const leastBytes = options.szThres === undefined ? 1 : parseDamoBytes(options.szThres);
  if (workTimeNs === null) throw new UsageError(`--work-time ${options.workTime}: a time such as "1 s"`);
  if (leastBytes === null) throw new UsageError(`--sz-thres ${options.szThres}: a size such as 2M`);
  return { ...DAMO_DISTRIBUTION, skip: options.skip, leastSamples: options.accThres, leastBytes, workTimeNs };
}
