/** Metrics of address translation; they do not apply where no TLB is modelled. */
import { formatCount, formatDuration, formatShare, formatSize, type ScenarioResult } from '@thplab/scenario';
import type { Metric } from './metrics.js';

type Own = NonNullable<ScenarioResult['processes'][number]['tlb']>;

function sum(result: ScenarioResult, of: (own: Own) => number): number | null {
  const own = result.processes.flatMap(({ tlb }) => (tlb === null ? [] : [tlb]));
  return own.length === 0 ? null : own.reduce((total, one) => total + of(one), 0);
}

export const TLB_METRICS: readonly Metric[] = [
  {
    name: 'tlb-hits',
    title: 'TLB hits',
    doc: 'share of the accesses that needed no page walk',
    value: (result) => {
      const accesses = sum(result, (own) => own.accesses);
      return accesses === null || accesses === 0 ? accesses : 1 - (sum(result, (own) => own.walks) ?? 0) / accesses;
    },
    format: (share) => formatShare(share, 3),
  },
  {
    name: 'walks',
    title: 'page walks',
    doc: 'accesses whose translation no TLB had',
    value: (result) => sum(result, ({ walks }) => walks),
    format: formatCount,
  },
  {
    name: 'tlb-cycles',
    title: 'TLB cycles',
    doc: 'cycles lost to translation, more than if every access had hit the first level',
    value: (result) => sum(result, ({ cycles }) => cycles),
    format: formatCount,
  },
  {
    name: 'tlb-lost',
    title: 'TLB time',
    doc: 'the same as time',
    value: (result) => sum(result, ({ lostNs }) => lostNs),
    format: formatDuration,
  },
  {
    name: 'tlb-entries',
    title: 'TLB entries',
    doc: 'entries that the memory in use needs as it is mapped at the end',
    value: (result) => sum(result, ({ entries }) => entries),
    format: formatCount,
  },
  {
    name: 'tlb-reach',
    title: 'TLB reach',
    doc: 'bytes that the last level covers with that mixture of pages; the smallest of the processes',
    value: (result) => {
      const own = result.processes.flatMap(({ tlb }) => (tlb === null ? [] : [tlb.reach]));
      return own.length === 0 ? null : Math.min(...own);
    },
    format: formatSize,
  },
];
