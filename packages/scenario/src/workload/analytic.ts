/**
 * Accesses that nobody carries out (DAMON spec 2.1): the accessed bit of a page is drawn when somebody looks at it, from how
 * often its TLB entry is used and how often such a use walks. What it costs does not depend on the number of accesses or
 * pages, only on the looks; so terabytes and billions of accesses are as cheap as the monitoring of them.
 *
 * How often a use walks follows from what all streams of a processor need in its TLB (`characteristicTime`). That changes
 * when a block is mapped otherwise or a stream begins or ends; both are noticed, and it is worked out again when needed.
 */
import { asBrand, getBit, type Random, setBit, setBits, type Tables } from '@thplab/arena';
import {
  type AccessClass,
  characteristicTime,
  contiguousOrder,
  findPmd,
  findTable,
  type Machine,
  type MmId,
  missRatio,
  NO_PMD,
  noWalkChance,
  PMD,
  PMD_DIRTY,
  PMD_WRITE,
  PMD_YOUNG,
  type PmdRef,
  pmdTable,
  pmdType,
  pteBit,
  slotOf,
  type Tlb,
  type TlbArray,
  type TlbCounts,
  type TlbReplacement,
  type Vpn,
  walkProbability,
} from '@thplab/mm-model';
import { type AccessBlocks, BLOCK } from './blocks.js';
import type { PageGroup } from './patterns.js';
import { activeBefore, isActive, nextChange, type Stream, type Window, windowAt } from './stream.js';
import { type AccessTables, BUCKETS, STATE } from './tables.js';

/** The same miss ratios serve for this long, unless a stream begins or ends, ns. */
const SOLVED_FOR_NS = 5e6;
const NS = 1e9;
/** Flushes of more pages count for the whole block. */
const FEW_PAGES = 8;
/** Unit of times kept page by page, ns: 32 bits hold half a day. */
const TICK_NS = 10_000;
/** A flush is forgotten when its entry has been used so often since, on average. */
const FORGOTTEN = 40;
/** A page that has been used so often, on average, has been used. */
const USED = 3;
/** Among more streams of a process nobody looks for those that used a page before. */
const MOST_OTHERS = 64;

/** How long unused entries stay, on one processor: by level, for huge and for small entries, in seconds. */
interface Solution {
  readonly first: { readonly huge: number; readonly base: number };
  readonly last: { readonly huge: number; readonly base: number };
}

/** See the head of the file. */
export class AnalyticAccesses {
  readonly #m: Machine;
  readonly #t: Tables<AccessTables>;
  readonly #tlb: Tlb;
  readonly #blocks: AccessBlocks;
  readonly #random: Random;
  readonly #firstPolicy: TlbReplacement;
  readonly #lastPolicy: TlbReplacement;
  readonly #streams: readonly Stream[];
  readonly #byMm = new Map<number, Stream[]>();
  readonly #solutions = new Map<number, Solution>();
  #solvedNs = Number.NEGATIVE_INFINITY;
  #unsolved = true;
  /** Number of the present solution. */
  #solution = 1;
  /** Next time at which a stream begins or ends. */
  #changeNs = 0;

  constructor(tlb: Tlb, t: Tables<AccessTables>, blocks: AccessBlocks, streams: readonly Stream[], random: Random) {
    this.#m = tlb.m;
    this.#t = t;
    this.#tlb = tlb;
    this.#blocks = blocks;
    this.#random = random;
    const [levels] = tlb.arrays;
    this.#firstPolicy = levels[0][0].random ? 'random' : 'lru';
    this.#lastPolicy = levels[levels.length - 1][0].random ? 'random' : 'lru';
    this.#streams = streams;
    for (const stream of streams) {
      const own = this.#byMm.get(stream.process.mm);
      if (own === undefined) this.#byMm.set(stream.process.mm, [stream]);
      else own.push(stream);
    }
    for (const mm of this.#byMm.keys()) for (const row of blocks.rows(mm)) this.#weigh(row);
    for (const mm of this.#byMm.keys()) {
      for (const row of blocks.rows(mm)) if (this.#hasHole(row)) blocks.addHole(row);
    }
  }

  /** The process is gone; its number may be another one's soon. */
  forget(mm: number): void {
    this.advance(this.#m.current.nowNs);
    for (const { row } of this.#byMm.get(mm) ?? []) {
      for (const column of WEIGHTS) this.#t.accessStream[column].fill(0, row * BUCKETS, (row + 1) * BUCKETS);
    }
    this.#byMm.delete(mm);
    this.#unsolved = true;
  }

  /** Sets the accessed bit of a page if an access would have since somebody looked last (`MmHooks.settleAccess`). */
  settle(mm: MmId, page: Vpn): void {
    const streams = this.#streamsIn(mm);
    if (streams === undefined) return;
    const m = this.#m;
    const row = this.#blocks.rowOf(mm, Math.floor(page / m.ptes));
    if (row === 0) return;
    const pmd = findPmd(m, mm, page);
    if (pmd === NO_PMD) return;
    const type = pmdType(m.directory.entry[pmd]);
    if (type === PMD.huge) this.#settleHuge(streams, row, pmd);
    else if (type === PMD.table) this.#settlePte(streams, row, pmd, slotOf(m, page), true);
  }

  /** The same for a range, in which each page is about to be looked at. */
  settleRange(mm: MmId, start: Vpn, end: Vpn): void {
    const streams = this.#streamsIn(mm);
    if (streams === undefined) return;
    const { ptes } = this.#m;
    for (let at: number = start; at < end; ) {
      const blockEnd = Math.min(end, at - (at % ptes) + ptes);
      const row = this.#blocks.rowOf(mm, Math.floor(at / ptes));
      if (row !== 0) this.#settleBlock(streams, row, asBrand<Vpn>(at), blockEnd);
      at = blockEnd;
    }
  }

  #settleBlock(streams: readonly Stream[], row: number, start: Vpn, end: number): void {
    const m = this.#m;
    const pmd = findPmd(m, asBrand<MmId>(this.#t.accessBlock.mm[row]), start);
    const type = pmd === NO_PMD ? PMD.none : pmdType(m.directory.entry[pmd]);
    if (type === PMD.huge) this.#settleHuge(streams, row, pmd);
    if (type !== PMD.table) return;
    const first = slotOf(m, start);
    const whole = end - start === m.ptes;
    for (let slot = first; slot < first + (end - start); slot++) this.#settlePte(streams, row, pmd, slot, !whole);
    if (whole) this.#t.accessBlock.state[row * STATE.cells + STATE.look] = m.current.nowNs;
  }

  /** Streams of an address space that lives. */
  #streamsIn(mm: number): readonly Stream[] | undefined {
    const streams = this.#byMm.get(mm);
    if (streams === undefined || streams[0].process.exitNs === null) return streams;
    this.forget(mm);
    return undefined;
  }

  /** Translations of a range are flushed. */
  flushed(mm: number, start: number, end: number): void {
    if (!this.#byMm.has(mm)) return;
    const { ptes, current } = this.#m;
    this.#blocks.markStale(mm, start, end);
    const b = this.#t.accessBlock;
    for (let block = Math.floor(start / ptes); block * ptes < end; block++) {
      const row = this.#blocks.rowOf(mm, block);
      if (row === 0) continue;
      const first = block * ptes;
      if (end - start > FEW_PAGES) b.state[row * STATE.cells + STATE.flush] = current.nowNs;
      else {
        const tick = Math.floor(current.nowNs / TICK_NS);
        b.flushTick.fill(tick, row * ptes + Math.max(0, start - first), row * ptes + Math.min(ptes, end - first));
      }
    }
  }

  /** Streams that make accesses to a block. */
  streamsOf(row: number): Stream[] {
    const b = this.#t.accessBlock;
    const first = b.block[row] * this.#m.ptes;
    const own = this.#byMm.get(b.mm[row]) ?? [];
    return own.filter((one) => one.start < first + this.#m.ptes && one.start + one.pages > first);
  }

  /** A block may be mapped otherwise than it was: what its streams need of the TLB follows. */
  lookAgain(row: number): void {
    this.#unweigh(row);
    this.#blocks.look(row);
    this.#weigh(row);
    this.#unsolved = true;
    if (this.#hasHole(row)) this.#blocks.addHole(row);
  }

  /** Sums expected values up to a time, through all beginnings and ends of streams before it. */
  advance(nowNs: number): void {
    const state = this.#t.accessState;
    while (this.#changeNs <= nowNs) {
      this.#sumUpTo(this.#changeNs);
      const at = this.#changeNs;
      this.#changeNs = this.#streams.reduce((least, one) => Math.min(least, nextChange(one, at)), Infinity);
      this.#unsolved = true;
      this.#solvedNs = Number.NEGATIVE_INFINITY;
    }
    if (nowNs > state.untilNs[0]) this.#sumUpTo(nowNs);
  }

  /** Expected counts of a process's streams until now. */
  counts(mm: number): TlbCounts {
    const s = this.#t.accessStream;
    const rows = this.#streams.filter(({ process }) => process.mm === mm).map(({ row }) => row);
    const sum = (column: Float64Array): number => rows.reduce((total, row) => total + column[row], 0);
    return {
      accesses: sum(s.accesses),
      firstHits: sum(s.firstHits),
      secondHits: sum(s.secondHits),
      walksHuge: sum(s.walksHuge),
      walksBase: sum(s.walksBase),
      dirtyWalks: 0,
      flushes: 0,
    };
  }

  /** Expected walks per second in a block, now. */
  missRate(row: number): number {
    this.#solve();
    const b = this.#t.accessBlock;
    const { ptes, current } = this.#m;
    const first = b.block[row] * ptes;
    let walks = 0;
    for (const stream of this.streamsOf(row)) {
      if (!isActive(stream, current.nowNs)) continue;
      const [from, to] = within(stream, first, first + ptes);
      const uses = stream.perSecond * stream.pattern.share(from, to);
      const huge = b.kind[row] === BLOCK.huge;
      const used = stream.pattern.groups(from, to).reduce((sum, group) => sum + group.pages, 0);
      const entries = huge ? 1 : Math.max(1, Math.min(b.entries[row], used));
      const rate = usesOfEntry(stream, uses / entries);
      walks += rate * entries * this.#miss(stream, rate, huge);
    }
    return walks;
  }

  #settleHuge(streams: readonly Stream[], row: number, pmd: PmdRef): void {
    const m = this.#m;
    const b = this.#t.accessBlock;
    const entry = m.directory.entry[pmd];
    const { nowNs } = m.current;
    if ((entry & PMD_YOUNG) === 0) {
      const stream = this.#walkedHuge(streams, row, nowNs);
      if (stream !== undefined) {
        const dirty = (entry & PMD_WRITE) !== 0 && this.#writes(stream) ? PMD_DIRTY : 0;
        m.directory.entry[pmd] = (entry | PMD_YOUNG | dirty) >>> 0;
      }
    }
    b.state[row * STATE.cells + STATE.look] = nowNs;
  }

  /** A stream that has walked to a huge PMD since somebody looked last; undefined if none has. */
  #walkedHuge(streams: readonly Stream[], row: number, nowNs: number): Stream | undefined {
    this.#solve();
    const { block, state } = this.#t.accessBlock;
    const at = row * STATE.cells;
    if (state[at + STATE.solved] === this.#solution) {
      const sinceNs = state[at + STATE.look];
      const outNs = Math.max(state[at + STATE.flush], state[at + STATE.began]);
      // The usual case: looked at since the streams began, and long enough after the last flush for it to be forgotten.
      if (sinceNs > outNs && (state[at + STATE.rate] * (sinceNs - outNs)) / NS > FORGOTTEN) {
        const seconds = (nowNs - sinceNs) / NS;
        const time = state[at + STATE.time];
        const chance =
          seconds <= time && this.#lastPolicy === 'lru'
            ? state[at + STATE.walks] * seconds
            : 1 - noWalkChance(state[at + STATE.rate], time, seconds, this.#lastPolicy);
        return this.#random.fraction() < chance ? streams[0] : undefined;
      }
    } else this.#keep(streams, row, nowNs);
    const first = block[row] * this.#m.ptes;
    return this.#walked(streams, first, first + this.#m.ptes, state[at + STATE.look], state[at + STATE.flush], true);
  }

  /** Keeps what the next look at a huge PMD needs, if one stream uses it, at random and without an end. */
  #keep(streams: readonly Stream[], row: number, nowNs: number): void {
    const b = this.#t.accessBlock;
    const at = row * STATE.cells;
    b.state[at + STATE.solved] = 0;
    if (streams.length > 1 && this.streamsOf(row).length > 1) return;
    const [stream] = streams.length === 1 ? streams : this.streamsOf(row);
    if (stream === undefined || stream.pattern.sweep !== null || stream.active.length !== null) return;
    if (stream !== streams[0] && stream.write !== streams[0].write) return;
    const first = b.block[row] * this.#m.ptes;
    const [from, to] = within(stream, first, first + this.#m.ptes);
    const rate = nowNs < stream.active.start ? 0 : stream.perSecond * stream.pattern.share(from, to);
    b.state[at + STATE.rate] = rate;
    b.state[at + STATE.walks] = rate * this.#miss(stream, rate, true);
    b.state[at + STATE.time] = this.#stay(stream, true);
    b.state[at + STATE.began] = stream.active.start;
    b.state[at + STATE.solved] = this.#solution;
  }

  /** `remember`: this page alone is looked at; else its whole table is. */
  #settlePte(streams: readonly Stream[], row: number, pmd: PmdRef, slot: number, remember: boolean): void {
    const m = this.#m;
    const b = this.#t.accessBlock;
    const table = pmdTable(m.directory.entry[pmd]);
    const bit = pteBit(m, table, slot);
    if (!getBit(m.pte.present, bit)) return;
    const order = contiguousOrder(m, table, slot, this.#tlb.contiguous, this.#tlb.needsFolio);
    const from = slot - (slot % (1 << order));
    const cell = row * m.ptes + from;
    if (!getBit(m.pte.young, bit)) {
      const first = b.block[row] * m.ptes + from;
      const since = Math.max(b.state[row * STATE.cells + STATE.look], b.lookTick[cell] * TICK_NS);
      const flush = Math.max(b.state[row * STATE.cells + STATE.flush], b.flushTick[cell] * TICK_NS);
      const stream = this.#walked(streams, first, first + (1 << order), since, flush, false);
      if (stream !== undefined) {
        const block = pteBit(m, table, from);
        setBits(m.pte.young, block, block + (1 << order));
        if (getBit(m.pte.write, bit) && this.#writes(stream)) setBit(m.pte.dirty, bit);
      }
    }
    if (remember) b.lookTick[cell] = Math.floor(m.current.nowNs / TICK_NS);
  }

  /** A stream that has walked to the entry of pages [first, end) since a time; undefined if none has. */
  #walked(
    streams: readonly Stream[],
    first: number,
    end: number,
    sinceNs: number,
    flushNs: number,
    huge: boolean,
  ): Stream | undefined {
    this.#solve();
    for (const stream of streams) {
      if (stream.start >= end || stream.start + stream.pages <= first) continue;
      const [from, to] = within(stream, first, end);
      const chance = this.#chance(stream, from, to, sinceNs, flushNs, huge);
      if (chance > 0 && this.#random.fraction() < chance) return stream;
    }
    return undefined;
  }

  /** Chance that a stream has walked to the entry of its pages [from, to) between `sinceNs` and now. */
  #chance(stream: Stream, from: number, to: number, sinceNs: number, flushNs: number, huge: boolean): number {
    const { nowNs } = this.#m.current;
    const window = windowAt(stream, nowNs);
    if (window === undefined) return 0;
    const share = stream.pattern.share(from, to);
    if (share === 0) return 0;
    const rate = usesOfEntry(stream, stream.perSecond * share);
    const now = this.#chanceIn(stream, window, from, to, rate, huge, sinceNs, flushNs);
    if (window.turn === 0 || sinceNs >= window.start) return now;
    // Looked at last before this window began: the one before counts too, and with it all earlier ones, near enough.
    const every = stream.active.every ?? 0;
    const before = { start: window.start - every, end: window.end - every, turn: window.turn - 1 };
    return 1 - (1 - now) * (1 - this.#chanceIn(stream, before, from, to, rate, huge, sinceNs, flushNs));
  }

  #chanceIn(
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
    const miss = this.#miss(stream, rate, huge);
    const outNs = this.#outSince(stream, window, from, miss, flushNs > endNs ? 0 : flushNs);
    const { sweep } = stream.pattern;
    if (sweep === null) {
      const time = this.#stay(stream, huge);
      return walkProbability(rate, time, (endNs - lookNs) / NS, (endNs - outNs) / NS, this.#lastPolicy);
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
    const all = this.#byMm.get(stream.process.mm) ?? [];
    const others = all.length > MOST_OTHERS ? [stream] : all;
    const at = stream.start + page;
    const used = others.some((one) => {
      if (at < one.start || at >= one.start + one.pages) return false;
      const uses = one.perSecond * one.pattern.share(at - one.start, at - one.start + 1);
      return ((activeBefore(one, window.start) - activeBefore(one, flushNs)) / NS) * uses > USED;
    });
    return used ? Number.NEGATIVE_INFINITY : window.start;
  }

  #writes(stream: Stream): boolean {
    return stream.write >= 1 || (stream.write > 0 && this.#random.fraction() < stream.write);
  }

  /** Share of the uses of an entry that walk. */
  #miss(stream: Stream, rate: number, huge: boolean): number {
    return missRatio(rate, stream.pattern.sweep !== null, this.#stay(stream, huge), this.#lastPolicy);
  }

  /** How long an entry that is not used stays in the TLB, s. */
  #stay(stream: Stream, huge: boolean): number {
    const solution = this.#solutions.get(stream.process.cpu);
    if (solution === undefined) return 0;
    return huge ? solution.last.huge : solution.last.base;
  }

  /** Adds what a block needs to its streams' needs. */
  #weigh(row: number): void {
    const b = this.#t.accessBlock;
    const p = this.#t.accessPart;
    const { ptes } = this.#m;
    const first = b.block[row] * ptes;
    for (const stream of this.streamsOf(row)) {
      const [from, to] = within(stream, first, first + ptes);
      const part = this.#partOf(stream, row);
      const groups = stream.pattern.groups(from, to);
      const used = groups.reduce((sum, group) => sum + group.pages, 0);
      const whole = used === to - from;
      p.kind[part] = groups.length === 0 ? BLOCK.none : b.kind[row];
      const isFull = b.present[row] === ptes || (whole && to - from === ptes);
      p.there[part] = isFull ? b.present[row] / ptes : this.#shareThere(stream, from, to, used);
      // Pages that share an entry do so only where they are used together.
      p.together[part] = whole && b.present[row] > 0 ? b.entries[row] / b.present[row] : 1;
      this.#add(stream, part, groups, 1);
    }
  }

  /** Takes away what a block added, as it was then. */
  #unweigh(row: number): void {
    const first = this.#t.accessBlock.block[row] * this.#m.ptes;
    for (const stream of this.streamsOf(row)) {
      const [from, to] = within(stream, first, first + this.#m.ptes);
      this.#add(stream, this.#partOf(stream, row), stream.pattern.groups(from, to), -1);
    }
  }

  #partOf(stream: Stream, row: number): number {
    return stream.part + (this.#t.accessBlock.block[row] - Math.floor(stream.start / this.#m.ptes));
  }

  #add(stream: Stream, part: number, groups: readonly PageGroup[], sign: 1 | -1): void {
    const p = this.#t.accessPart;
    const s = this.#t.accessStream;
    if (p.kind[part] === BLOCK.none) return;
    if (p.kind[part] === BLOCK.huge) {
      const cell = stream.row * BUCKETS + groups[0].bucket;
      s.entriesHuge[cell] += sign;
      for (const group of groups) s.shareHuge[cell] += sign * group.share;
      return;
    }
    for (const group of groups) {
      const cell = stream.row * BUCKETS + group.bucket;
      s.entriesBase[cell] += sign * group.pages * p.there[part] * p.together[part];
      s.shareBase[cell] += sign * group.share * p.there[part];
    }
  }

  /** Share of the pages that a stream uses in a table which are mapped. */
  #shareThere(stream: Stream, from: number, to: number, used: number): number {
    const m = this.#m;
    const table = findTable(m, stream.process.mm, asBrand<Vpn>(stream.start + from));
    if (table === 0 || used === 0) return 0;
    let there = 0;
    for (let page = from; page < to; page++) {
      if (!stream.pattern.isUsed(page)) continue;
      if (getBit(m.pte.present, pteBit(m, table, (stream.start + page) % m.ptes))) there++;
    }
    return there / used;
  }

  /** True if a page that a stream uses is not mapped. */
  #hasHole(row: number): boolean {
    const { block, present } = this.#t.accessBlock;
    const { ptes } = this.#m;
    if (present[row] === ptes) return false;
    const first = block[row] * ptes;
    return this.streamsOf(row).some((stream) => {
      const [from, to] = within(stream, first, first + ptes);
      return stream.pattern.share(from, to) > 0 && this.#t.accessPart.there[this.#partOf(stream, row)] < 1;
    });
  }

  #solve(): void {
    const { nowNs } = this.#m.current;
    if (nowNs >= this.#changeNs) this.advance(nowNs);
    if (nowNs - this.#solvedNs < SOLVED_FOR_NS) return;
    for (let row = this.#blocks.takeStale(); row !== 0; row = this.#blocks.takeStale()) this.lookAgain(row);
    if (!this.#unsolved) return;
    this.#sumUpTo(nowNs);
    this.#solveAt(nowNs);
    this.#unsolved = false;
    this.#solvedNs = nowNs;
  }

  #solutionOf(cpu: number, streams: readonly Stream[]): Solution {
    const levels = this.#tlb.arrays[cpu];
    const huge = streams.flatMap((one) => this.#classes(one, true));
    const base = streams.flatMap((one) => this.#classes(one, false));
    const solve = (arrays: readonly TlbArray[]): { huge: number; base: number } => {
      const ofHuge = arrays.find(({ orders }) => orders.includes(this.#m.pmdOrder));
      const ofBase = arrays.find(({ orders }) => orders.includes(0));
      const time = (array: TlbArray | undefined, classes: readonly AccessClass[]): number =>
        array === undefined ? 0 : characteristicTime(classes, array.entries, array.random ? 'random' : 'lru');
      if (ofHuge === ofBase) {
        const shared = time(ofHuge, [...huge, ...base]);
        return { huge: shared, base: shared };
      }
      return { huge: time(ofHuge, huge), base: time(ofBase, base) };
    };
    return {
      first: solve(levels[0]),
      last: solve(levels[levels.length - 1]),
    };
  }

  #classes(stream: Stream, huge: boolean): AccessClass[] {
    const s = this.#t.accessStream;
    const entries = huge ? s.entriesHuge : s.entriesBase;
    const shares = huge ? s.shareHuge : s.shareBase;
    const classes: AccessClass[] = [];
    for (let cell = stream.row * BUCKETS; cell < (stream.row + 1) * BUCKETS; cell++) {
      if (entries[cell] < 1e-9 || shares[cell] <= 0) continue;
      const rate = usesOfEntry(stream, (stream.perSecond * shares[cell]) / entries[cell]);
      classes.push({ entries: entries[cell], rate, sweep: stream.pattern.sweep !== null });
    }
    return classes;
  }

  #sumUpTo(nowNs: number): void {
    const state = this.#t.accessState;
    const fromNs = state.untilNs[0];
    if (nowNs <= fromNs) return;
    state.untilNs[0] = nowNs;
    if (this.#unsolved && this.#solvedNs === Number.NEGATIVE_INFINITY) this.#solveAt(fromNs);
    for (const stream of this.#streams) {
      if (!this.#byMm.has(stream.process.mm)) continue;
      const seconds = (activeBefore(stream, nowNs) - activeBefore(stream, fromNs)) / NS;
      if (seconds > 0) this.#sum(stream, seconds);
    }
  }

  /** Miss ratios for the streams that are active at a time. */
  #solveAt(nowNs: number): void {
    const byCpu = new Map<number, Stream[]>();
    for (const stream of this.#streams) {
      if (!this.#byMm.has(stream.process.mm) || !isActive(stream, nowNs)) continue;
      byCpu.set(stream.process.cpu, [...(byCpu.get(stream.process.cpu) ?? []), stream]);
    }
    this.#solutions.clear();
    this.#solution++;
    for (const [cpu, streams] of byCpu) this.#solutions.set(cpu, this.#solutionOf(cpu, streams));
  }

  #sum(stream: Stream, seconds: number): void {
    const s = this.#t.accessStream;
    const solution = this.#solutions.get(stream.process.cpu);
    const { row } = stream;
    for (const huge of [true, false]) {
      const shares = huge ? s.shareHuge : s.shareBase;
      const first = row * BUCKETS;
      let accesses = 0;
      for (let cell = first; cell < first + BUCKETS; cell++) accesses += Math.max(0, shares[cell]);
      accesses *= stream.perSecond * seconds;
      if (accesses === 0) continue;
      let walks = 0;
      let firstMisses = 0;
      for (const { entries, rate, sweep } of this.#classes(stream, huge)) {
        const uses = entries * rate * seconds;
        const last = solution === undefined ? 1 : missRatio(rate, sweep, ofSize(solution.last, huge), this.#lastPolicy);
        const near =
          solution === undefined ? 1 : missRatio(rate, sweep, ofSize(solution.first, huge), this.#firstPolicy);
        walks += uses * last;
        firstMisses += uses * Math.max(near, last);
      }
      s.accesses[row] += accesses;
      s.firstHits[row] += accesses - firstMisses;
      s.secondHits[row] += firstMisses - walks;
      const column = huge ? s.walksHuge : s.walksBase;
      column[row] += walks;
    }
  }
}

const WEIGHTS = ['entriesHuge', 'shareHuge', 'entriesBase', 'shareBase'] as const;

function ofSize(times: { readonly huge: number; readonly base: number }, huge: boolean): number {
  return huge ? times.huge : times.base;
}

/** The part of pages [first, end) that a stream has, relative to its own first page; empty if none. */
export function within(stream: Stream, first: number, end: number): [number, number] {
  const from = Math.max(0, first - stream.start);
  return [from, Math.max(from, Math.min(stream.pages, end - stream.start))];
}

/** Uses of an entry in a second: accesses at random; rounds of a sweep, which stays while it is there. */
function usesOfEntry(stream: Stream, accesses: number): number {
  const { sweep } = stream.pattern;
  return sweep === null ? accesses : stream.perSecond / sweep.positions;
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
