/** What variants are compared by: each metric is one number of a result, and how it is printed. */
import { formatCount, formatDuration, formatShare, formatSize, type ScenarioResult } from '@thplab/scenario';
import { UsageError } from '../../errors.js';
import { nearestName } from '../../input/nearest.js';
import { DAMON_METRICS } from './damon-metrics.js';
import { HINT_METRICS } from './hint-metrics.js';
import { TLB_METRICS } from './tlb-metrics.js';

export interface Metric {
  readonly name: string;
  readonly title: string;
  readonly doc: string;
  /** null: does not apply, such as the time to something that never happened. Texts are compared as they are. */
  readonly value: (result: ScenarioResult) => number | string | null;
  readonly format: (value: number) => string;
  /** The value is a text. */
  readonly isText?: true;
}

const sum = (result: ScenarioResult, of: (process: ScenarioResult['processes'][number]) => number): number =>
  result.processes.reduce((total, process) => total + of(process), 0);

const most = (result: ScenarioResult, of: (process: ScenarioResult['processes'][number]) => number): number =>
  result.processes.reduce((largest, process) => Math.max(largest, of(process)), 0);

const percent = (share: number): string => formatShare(share, 1);

/** All metrics that have a name of their own; counters are metrics by theirs. */
export const METRICS: readonly Metric[] = [
  {
    name: 'huge',
    title: 'huge',
    doc: 'share of resident memory that huge PMDs map',
    value: (result) => {
      const resident = sum(result, ({ coverage }) => coverage.resident);
      return resident === 0 ? 0 : sum(result, ({ coverage }) => coverage.resident * coverage.hugeOfResident) / resident;
    },
    format: percent,
  },
  { name: 'folios', title: 'folios', doc: 'large folios by size', value: folios, format: String, isText: true },
  {
    name: 'rss',
    title: 'RSS',
    doc: 'resident memory',
    value: (result) => sum(result, ({ rss }) => rss),
    format: formatSize,
  },
  {
    name: 'extra',
    title: 'extra',
    doc: 'resident memory that holds no data: the price of larger folios',
    value: (result) => sum(result, ({ extra }) => extra),
    format: formatSize,
  },
  {
    name: 'collapsed',
    title: 'collapses',
    doc: 'pages_collapsed: collapses by khugepaged, whatever their size',
    value: ({ khugepaged }) => khugepaged.pagesCollapsed,
    format: formatCount,
  },
  {
    name: 'windows',
    title: 'windows',
    doc: 'windows that became a folio, MADV_COLLAPSE included',
    value: (result) => attempts(result, (outcome) => outcome === 'succeeded'),
    format: formatCount,
  },
  {
    name: 'attempts',
    title: 'attempts',
    doc: 'windows that were chosen and tried, MADV_COLLAPSE included',
    value: (result) => attempts(result, () => true),
    format: formatCount,
  },
  {
    name: 'failed',
    title: 'failed',
    doc: 'attempts that came to nothing; a second table says why',
    value: (result) => attempts(result, (outcome) => outcome !== 'succeeded'),
    format: formatCount,
  },
  {
    name: 'copied',
    title: 'copied',
    doc: 'memory that collapses moved',
    value: ({ khugepaged, header }) => khugepaged.pagesCopied * header.pageSize,
    format: formatSize,
  },
  {
    name: 'cpu',
    title: 'khugepaged',
    doc: "khugepaged's processor time",
    value: ({ khugepaged }) => khugepaged.cpuNs,
    format: formatDuration,
  },
  {
    name: 'cpu-share',
    title: 'of a CPU',
    doc: "khugepaged's share of one processor",
    value: ({ khugepaged }) => khugepaged.cpuShare,
    format: (share) => formatShare(share, 3),
  },
  {
    name: 'cover',
    title: '90 % after',
    doc: 'time until 90 % of what can be collapsed was',
    value: ({ khugepaged }) => khugepaged.timeToCover.most,
    format: formatDuration,
  },
  {
    name: 'cover-all',
    title: '99 % after',
    doc: 'time until 99 % of what can be collapsed was',
    value: ({ khugepaged }) => khugepaged.timeToCover.nearlyAll,
    format: formatDuration,
  },
  {
    name: 'scans',
    title: 'full scans',
    doc: 'full_scans: times that khugepaged came to the end of its list',
    value: ({ khugepaged }) => khugepaged.fullScans,
    format: formatCount,
  },
  {
    name: 'hold',
    title: 'longest hold',
    doc: 'longest time that khugepaged kept mmap_lock for writing',
    value: (result) => most(result, ({ worstWriteHoldNs }) => worstWriteHoldNs),
    format: formatDuration,
  },
  {
    name: 'worst',
    title: 'worst stall',
    doc: 'longest fault or wait for mmap_lock that a thread saw',
    value: (result) => most(result, ({ faults, mmapLockWaits }) => Math.max(faults.maxNs, mmapLockWaits.maxNs)),
    format: formatDuration,
  },
  {
    name: 'p99',
    title: 'p99 fault',
    doc: 'the fault that 99 % are faster than, of the worst process',
    value: (result) => most(result, ({ faults }) => faults.p99Ns),
    format: formatDuration,
  },
  {
    name: 'cow',
    title: 'copied on write',
    doc: 'memory that writes to shared pages copied',
    value: ({ memory }) => memory.copiedOnWrite,
    format: formatSize,
  },
  {
    name: 'used',
    title: 'used',
    doc: 'memory in use at the end, whoever maps it or nobody',
    value: ({ memory }) => memory.total - memory.free,
    format: formatSize,
  },
  { name: 'free', title: 'free', doc: 'free memory', value: ({ memory }) => memory.free, format: formatSize },
  { name: 'end', title: 'ended', doc: 'when the run ended', value: ({ end }) => end.atNs, format: formatDuration },
  ...HINT_METRICS,
  ...TLB_METRICS,
  ...DAMON_METRICS,
];

/** What is shown unless told otherwise. */
export const DEFAULT_METRICS: readonly string[] = [
  'huge',
  'folios',
  'rss',
  'extra',
  'copied',
  'cpu',
  'cover',
  'hold',
  'worst',
];

/** What is shown of several kernels: also what they chose and tried. */
export const KERNEL_METRICS: readonly string[] = [
  'huge',
  'folios',
  'windows',
  'attempts',
  'failed',
  'extra',
  'copied',
  'cpu',
  'worst',
];

/** Metrics by name; others are counters of vmstat, or of sysfs by path. Errors: UsageError for what no counter is called. */
export function metricsNamed(names: readonly string[]): readonly Metric[] {
  return names.map((name) => METRICS.find((metric) => metric.name === name) ?? counterMetric(name));
}

function counterMetric(name: string): Metric {
  const isCounter = name.includes('/') || name.includes('_');
  if (!isCounter) {
    const known = METRICS.map((metric) => metric.name);
    const near = nearestName(name, known);
    const hint = near === null ? `one of ${known.join(', ')}, or a counter` : `did you mean ${near}?`;
    throw new UsageError(`there is no metric ${JSON.stringify(name)}; ${hint}`);
  }
  const value = ({ vmstat, sysfs }: ScenarioResult): number => vmstat[name] ?? sysfs[name] ?? 0;
  return { name, title: name, doc: 'counter', value, format: formatCount };
}

function attempts({ khugepaged }: ScenarioResult, counts: (outcome: string) => boolean): number {
  let total = 0;
  for (const results of Object.values(khugepaged.attempts)) {
    for (const [outcome, count] of Object.entries(results)) if (counts(outcome)) total += count;
  }
  return total;
}

function folios(result: ScenarioResult): string {
  const counts = new Map<string, number>();
  for (const { coverage } of result.processes) {
    for (const [size, count] of Object.entries(coverage.folios)) counts.set(size, (counts.get(size) ?? 0) + count);
  }
  return [...counts].map(([size, count]) => `${formatCount(count)} x ${size}`).join(', ') || 'none';
}

/** A metric's value as a cell. */
export function cellText(metric: Metric, value: number | string | null): string {
  if (value === null) return '-';
  return typeof value === 'string' ? value : metric.format(value);
}
