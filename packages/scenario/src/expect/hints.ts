/** Expectations about collapse hints and hot memory. */
import {
  type Bound,
  formatBound,
  formatCount,
  formatDuration,
  formatShare,
  type HintsExpectation,
} from '../format/index.js';
import { coldShare, type HintsResult, hintsResult } from '../hints/result.js';
import type { World } from '../run/world.js';
import { type Judged, judgeNumber, within } from './judged.js';

/** One row per quantity that is expected. */
export function judgeHints(world: World, one: HintsExpectation): Judged[] {
  const result = hintsResult(world);
  if (result === null) {
    const actual = 'the scenario has no key "hints"';
    return [{ key: one.key, what: 'collapse hints', expected: 'to be told of', actual, ok: false }];
  }
  const row = (what: string, bound: Bound | null, actual: number, format: (value: number) => string): Judged[] =>
    bound === null ? [] : [judgeNumber(one.key, what, bound, actual, format)];
  const { hot } = result;
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  return [
    ...judgeTime(one.key, '50 % of the hot bytes huge', one.hot50, hot.half),
    ...judgeTime(one.key, '90 % of the hot bytes huge', one.hot90, hot.most),
    ...judgeTime(one.key, '99 % of the hot bytes huge', one.hot99, hot.nearlyAll),
    ...row('hot bytes that are huge', one.hotHuge, hot.huge, (share) => formatShare(share)),
    ...row('collapsed bytes that are cold', one.cold, coldShare(result) ?? 0, (share) => formatShare(share)),
    ...row('hints queued', one.queued, result.queued, formatCount),
    ...row('hints refused', one.refused, sum(result.refusedBy), formatCount),
    ...row('hints served', one.served, result.served, formatCount),
    ...row('hints that succeeded', one.succeeded, result.succeeded, formatCount),
    ...row('hints dropped', one.dropped, result.dropped, formatCount),
    ...row('hints that wait', one.waiting, result.waiting, formatCount),
    ...row('contended mmap_locks', one.contended, result.contended, formatCount),
    ...row('longest wait of a hint', one.longestWait, result.longestWait.ns, formatDuration),
    ...row('starved processes', one.starved, result.starved.length, formatCount),
    ...row('inversions', one.inversions, result.inversions.byHints + result.inversions.byRound, formatCount),
    ...Object.entries(one.reasons).map(([reason, bound]) =>
      judgeNumber(`${one.key}.reasons.${reason}`, `hints: ${reason}`, bound, reasonCount(result, reason), formatCount),
    ),
  ];
}

/** A time that never came is later than any. */
function judgeTime(key: string, what: string, bound: Bound | null, atNs: number | null): Judged[] {
  if (bound === null) return [];
  if (atNs !== null) return [judgeNumber(key, what, bound, atNs, formatDuration)];
  const ok = within(Number.POSITIVE_INFINITY, bound);
  return [{ key, what, expected: formatBound(bound, formatDuration), actual: 'never', ok }];
}

function reasonCount({ refusedBy, droppedBy, results }: HintsResult, reason: string): number {
  return (refusedBy[reason] ?? 0) + (droppedBy[reason] ?? 0) + (results[reason] ?? 0);
}
