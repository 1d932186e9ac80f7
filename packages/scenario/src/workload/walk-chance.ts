/** The chance that a stream has walked to an entry since somebody looked, through beginnings, ends and flushes. */
import { type Machine, walkProbability } from '@thplab/mm-model';
import type { LiveStreams } from './live-streams.js';
import type { TlbPressure } from './pressure.js';
import { activeBefore, type Stream, usesOfEntry, type Window, windowAt } from './stream.js';

const NS = 1e9;
/** A page that has been used so often, on average, has been used. */
const USED = 3;
/** Among more streams of a process nobody looks for those that used a page before. */
const MOST_OTHERS = 64;

/** See the head of the file. */
export class WalkChance {
  readonly #m: Machine;
  readonly #streams: LiveStreams;
  readonly #pressure: TlbPressure;

  constructor(m: Machine, streams: LiveStreams, pressure: TlbPressure) {
    this.#m = m;
    this.#streams = streams;
    this.#pressure = pressure;
  }

  /** Chance that a stream has walked to the entry of its pages [from, to) between `sinceNs` and now. */
  of(stream: Stream, from: number, to: number, sinceNs: number, flushNs: number, huge: boolean): number {
    const { nowNs } = this.#m.current;
    const window = windowAt(stream, nowNs);
    if (window === undefined) return 0;
    const share = stream.pattern.share(from, to);
    if (share === 0) return 0;
    const rate = usesOfEntry(stream, stream.perSecond * share);
    const now = this.#in(stream, window, from, to, rate, huge, sinceNs, flushNs);
    if (window.turn === 0 || sinceNs >= window.start) return now;
    // Looked at last before this window began: the one before counts too, and with it all earlier ones, near enough.
    const every = stream.active.every ?? 0;
    const before = { start: window.start - every, end: window.end - every, turn: window.turn - 1 };
    return 1 - (1 - now) * (1 - this.#in(stream, before, from, to, rate, huge, sinceNs, flushNs));
  }

  #in(
    stream: Stream,
    window: Window,
    from: number,
    to: number,
    rate: number,
    huge: boolean,
    sinceNs: number,
    flushNs: number,
  ): number {
    const endNs = Math.min(this.#m.current.nowNs, window.end);
    const lookNs = Math.max(sinceNs, window.start);
    if (lookNs >= endNs) return 0;
    const miss = this.#pressure.miss(stream, rate, huge);
    const outNs = this.#outSince(stream, window, from, miss, flushNs > endNs ? 0 : flushNs);
    const { sweep } = stream.pattern;
    if (sweep === null) {
      const time = this.#pressure.stay(stream, huge);
      return walkProbability(rate, time, (endNs - lookNs) / NS, (endNs - outNs) / NS, this.#pressure.policy);
    }
    const visit = { first: sweep.positionAt(from), end: sweep.positionAt(to), of: sweep.positions };
    if (outNs !== Number.NEGATIVE_INFINITY) {
      const back = timeOfVisit(stream, window, visit, outNs, true);
      if (back > lookNs && back <= endNs) return 1;
    }
    const next = timeOfVisit(stream, window, visit, lookNs, false);
    if (next > endNs) return 0;
    const visits = 1 + Math.floor(((endNs - next) / NS) * rate);
    return 1 - (1 - miss) ** visits;
  }

  /**
   * Since when the entry of a page waits for its next use to come back to the TLB, -Infinity if it does not: since it was
   * flushed; or since the window began, unless somebody used it before, and everything fits, so that it stayed.
   */
  #outSince(stream: Stream, window: Window, page: number, miss: number, flushNs: number): number {
    if (flushNs >= window.start) return flushNs;
    if (miss > 0) return window.start;
    const all = this.#streams.in(stream.process.mm) ?? [];
    const others = all.length > MOST_OTHERS ? [stream] : all;
    const at = stream.start + page;
    const used = others.some((one) => {
      if (at < one.start || at >= one.start + one.pages) return false;
      const uses = one.perSecond * one.pattern.share(at - one.start, at - one.start + 1);
      return ((activeBefore(one, window.start) - activeBefore(one, flushNs)) / NS) * uses > USED;
    });
    return used ? Number.NEGATIVE_INFINITY : window.start;
  }
}

/** When a sweep comes to positions [first, end) for the first time after `afterNs`; `within`: one on its way counts. */
function timeOfVisit(
  stream: Stream,
  window: Window,
  visit: { readonly first: number; readonly end: number; readonly of: number },
  afterNs: number,
  onItsWay: boolean,
): number {
  const perNs = stream.perSecond / NS;
  const at = Math.max(0, afterNs - window.start) * perNs;
  const round = Math.floor(at / visit.of);
  const place = at - round * visit.of;
  const begin = afterNs <= window.start ? -1 : place;
  if (begin < visit.first) return window.start + (round * visit.of + visit.first) / perNs;
  if (onItsWay && begin < visit.end - 1) return window.start + (round * visit.of + Math.floor(begin) + 1) / perNs;
  return window.start + ((round + 1) * visit.of + visit.first) / perNs;
}
