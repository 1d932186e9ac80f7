/** What queues of collapse hints are compared by. */
import { coldShare, formatCount, formatDuration, formatShare, type HintsResult } from '@thplab/scenario';
import type { Metric } from './metrics.js';

const percent = (share: number): string => formatShare(share, 1);

/** A metric of the part of a result that tells of hints; null where it does not. */
function of(
  name: string,
  title: string,
  doc: string,
  value: (hints: HintsResult) => number | string | null,
  format: (value: number) => string,
): Metric {
  return { name, title, doc, value: ({ hints }) => (hints === null ? null : value(hints)), format };
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

export const HINT_METRICS: readonly Metric[] = [
  of('hot50', '50 % hot', 'time until 50 % of the hot bytes were huge', ({ hot }) => hot.half, formatDuration),
  of('hot90', '90 % hot', 'time until 90 % of the hot bytes were huge', ({ hot }) => hot.most, formatDuration),
  of('hot99', '99 % hot', 'time until 99 % of the hot bytes were huge', ({ hot }) => hot.nearlyAll, formatDuration),
  of('slowest', 'slowest', 'time until half of the hot bytes of every process were huge', slowest, formatDuration),
  of('cold', 'cold', 'share of the collapsed bytes that is cold', coldShare, percent),
  of('queued', 'queued', 'hints that were queued', ({ queued }) => queued, formatCount),
  of('refused', 'refused', 'hints that were not queued', ({ refusedBy }) => sum(refusedBy), formatCount),
  of('served', 'served', 'hints whose ranges were looked at', ({ served }) => served, formatCount),
  of('dropped', 'dropped', 'hints that were dropped unseen', ({ dropped }) => dropped, formatCount),
  of(
    'drop-reasons',
    'why dropped',
    'hints that were dropped, by reason',
    ({ droppedBy }) => byReason(droppedBy),
    String,
  ),
  of('waiting', 'waiting', 'hints that still wait at the end', ({ waiting }) => waiting, formatCount),
  of('wait', 'longest wait', 'longest time that a hint waited', ({ longestWait }) => longestWait.ns, formatDuration),
  of('starved', 'starved', 'processes none of whose hints was served', ({ starved }) => starved.length, formatCount),
  of(
    'inversions',
    'inversions',
    'less urgent hints, and visits of the round, while an urgent hint waited',
    ({ inversions }) => inversions.byHints + inversions.byRound,
    formatCount,
  ),
  of('contended', 'contended', 'times that a drain found mmap_lock held', ({ contended }) => contended, formatCount),
  of(
    'cpu-useful',
    'per useful',
    "khugepaged's processor time for each hot range that it built something in",
    ({ timePerUseful }) => timePerUseful,
    formatDuration,
  ),
  {
    name: 'walks',
    title: 'TLB walks',
    doc: 'page table walks after a miss of the TLB',
    value: (result) =>
      result.processes.every(({ tlb }) => tlb === null)
        ? null
        : result.processes.reduce((total, { tlb }) => total + (tlb?.walks ?? 0), 0),
    format: (walks) => formatCount(Math.round(walks)),
  },
];

/** What is shown with --hints unless told otherwise. */
export const DEFAULT_HINT_METRICS: readonly string[] = [
  'hot50',
  'hot90',
  'hot99',
  'slowest',
  'cold',
  'queued',
  'served',
  'dropped',
  'wait',
  'starved',
  'inversions',
  'cpu',
  'cpu-useful',
];

function slowest({ hotProcesses }: HintsResult): number | null {
  if (hotProcesses.length === 0 || hotProcesses.some(({ half }) => half === null)) return null;
  return Math.max(...hotProcesses.map(({ half }) => half ?? 0));
}

function byReason(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([reason, count]) => `${formatCount(count)} ${reason}`);
  return parts.join(', ') || 'none';
}
