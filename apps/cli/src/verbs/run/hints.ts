/** What became of collapse hints and of hot memory. */
import { coldShare, formatCount, formatDuration, formatShare, formatSize, type HintsResult } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';
import { byResult } from './khugepaged.js';

export function hintLines(result: HintsResult | null, colors: Palette): string {
  if (result === null) return '';
  const { policy, hot, queued, served, dropped, waiting, results, refusedBy, droppedBy } = result;
  const cold = coldShare(result);
  const rows = [
    ['hot memory', hotText(hot)],
    ...(cold === null ? [] : [['built', builtText(result, cold)]]),
    ...(policy === 'none' ? [] : [['hints', `${formatCount(queued)} queued, ${formatCount(waiting)} still wait`]]),
    ...(Object.keys(refusedBy).length > 0 ? [['refused', byResult(refusedBy, colors)]] : []),
    ...(served > 0 ? [['served', byResult(results, colors)]] : []),
    ...(dropped > 0 ? [['dropped', byResult(droppedBy, colors)]] : []),
    ...(policy === 'none' ? [] : drainRows(result)),
  ];
  return `${colors.faint(`collapse hints: ${policy}`)}\n${table([{ title: '' }, { title: '' }], rows, colors)}`;
}

function hotText({ bytes, huge, half, most, nearlyAll }: HintsResult['hot']): string {
  if (bytes === 0) return 'none: nothing is declared hot, and nothing is accessed';
  const times = Object.entries({ '50 %': half, '90 %': most, '99 %': nearlyAll });
  const reached = times.flatMap(([share, ns]) => (ns === null ? [] : [`${share} after ${formatDuration(ns)}`]));
  const when = reached.length === 0 ? '' : `: ${reached.join(', ')}`;
  return `${formatSize(bytes)}, ${formatShare(huge, 1)} huge${when}`;
}

function builtText({ builtHot, builtCold, timePerUseful }: HintsResult, cold: number): string {
  const time = timePerUseful === null ? '' : `; ${formatDuration(timePerUseful)} of khugepaged for each hot range`;
  return `${formatSize(builtHot)} hot, ${formatSize(builtCold)} cold (${formatShare(cold, 1)})${time}`;
}

function drainRows(result: HintsResult): string[][] {
  const { drains, failures, contended, longestWait, starved, inversions } = result;
  const { byHints, byRound } = inversions;
  return [
    [
      'drains',
      `${formatCount(drains)} with hints, ${formatCount(failures)} failures, mmap_lock contended ${formatCount(contended)} times`,
    ],
    ...(longestWait.process === null
      ? []
      : [['longest wait', `${formatDuration(longestWait.ns)}, of ${longestWait.process}`]]),
    ...(starved.length > 0 ? [['starved', starvedText(starved)]] : []),
    ...(byHints + byRound > 0
      ? [
          [
            'inversions',
            `${formatCount(byHints)} less urgent hints and ${formatCount(byRound)} visits of the round while an urgent hint waited`,
          ],
        ]
      : []),
  ];
}

/** Names that fit on a line. */
const MOST_NAMES = 8;

function starvedText(starved: readonly string[]): string {
  const more = starved.length > MOST_NAMES ? `, and ${formatCount(starved.length - MOST_NAMES)} more` : '';
  return `${starved.slice(0, MOST_NAMES).join(', ')}${more}`;
}
