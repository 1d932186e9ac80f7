/**
 * How hard streams press on the TLBs: how long an unused entry stays on each processor, so how often a use walks, and what
 * comes of all uses until now. It is worked out again when a stream begins or ends, or blocks are mapped otherwise.
 */
import type { Tables } from '@thplab/arena';
import {
  type AccessClass,
  characteristicTime,
  type Machine,
  missRatio,
  type Tlb,
  type TlbArray,
  type TlbCounts,
  type TlbReplacement,
} from '@thplab/mm-model';
import type { Process } from '../run/process-table.js';
import { type AccessBlocks, BLOCK } from './blocks.js';
import type { LiveStreams } from './live-streams.js';
import type { TlbNeeds } from './needs.js';
import { activeBefore, isActive, nextChange, type Stream, usesOfEntry, within } from './stream.js';
import type { AccessTables } from './tables.js';

/** What was worked out serves for this long, unless a stream begins or ends, ns. */
const SOLVED_FOR_NS = 5e6;
const NS = 1e9;

/** How long unused entries stay, on one processor: by level, for huge and for small entries, in seconds. */
interface Solution {
  readonly first: { readonly huge: number; readonly base: number };
  readonly last: { readonly huge: number; readonly base: number };
}

/** See the head of the file. */
export class TlbPressure {
  /** Replacement of the last level, which decides whether an access walks. */
  readonly policy: TlbReplacement;
  readonly #m: Machine;
  readonly #t: Tables<AccessTables>;
  readonly #tlb: Tlb;
  readonly #blocks: AccessBlocks;
  readonly #streams: LiveStreams;
  readonly #needs: TlbNeeds;
  readonly #firstPolicy: TlbReplacement;
  readonly #solutions = new Map<number, Solution>();
  #solvedNs = Number.NEGATIVE_INFINITY;
  #unsolved = true;
  #number = 1;
  /** Next time at which a stream begins or ends. */
  #changeNs = 0;

  constructor(tlb: Tlb, t: Tables<AccessTables>, blocks: AccessBlocks, streams: LiveStreams, needs: TlbNeeds) {
    this.#m = tlb.m;
    this.#t = t;
    this.#tlb = tlb;
    this.#blocks = blocks;
    this.#streams = streams;
    this.#needs = needs;
    const [levels] = tlb.arrays;
    this.#firstPolicy = levels[0][0].random ? 'random' : 'lru';
    this.policy = levels[levels.length - 1][0].random ? 'random' : 'lru';
    for (const mm of streams.mms) for (const row of blocks.rows(mm)) needs.add(row);
    for (const mm of streams.mms) for (const row of blocks.rows(mm)) if (needs.hasHole(row)) blocks.addHole(row);
  }

  /** Number of what was worked out last: another one after each change. */
  get number(): number {
    return this.#number;
  }

  /** A block may be mapped otherwise than it was: what its streams need of the TLB follows. */
  lookAgain(row: number): void {
    this.#needs.remove(row);
    this.#blocks.look(row);
    this.#needs.add(row);
    this.#unsolved = true;
    if (this.#needs.hasHole(row)) this.#blocks.addHole(row);
  }

  /** An address space is gone, and no longer needs anything. */
  forget(mm: number): void {
    this.advance(this.#m.current.nowNs);
    for (const stream of this.#streams.in(mm) ?? []) this.#needs.forget(stream);
    this.#streams.forget(mm);
    this.#unsolved = true;
  }

  /** Share of the uses of an entry that walk. */
  miss(stream: Stream, rate: number, huge: boolean): number {
    return missRatio(rate, stream.pattern.sweep !== null, this.stay(stream, huge), this.policy);
  }

  /** How long an entry that is not used stays in the TLB, s. */
  stay(stream: Stream, huge: boolean): number {
    const solution = this.#solutions.get(stream.process.cpu);
    if (solution === undefined) return 0;
    return huge ? solution.last.huge : solution.last.base;
  }

  #missFirst(stream: Stream, rate: number, huge: boolean): number {
    const solution = this.#solutions.get(stream.process.cpu);
    const time = solution === undefined ? 0 : huge ? solution.first.huge : solution.first.base;
    return missRatio(rate, stream.pattern.sweep !== null, time, this.#firstPolicy);
  }

  /** Sums expected values up to a time, through all beginnings and ends of streams before it. */
  advance(nowNs: number): void {
    const state = this.#t.accessState;
    while (this.#changeNs <= nowNs) {
      this.#sumUpTo(this.#changeNs);
      const at = this.#changeNs;
      this.#changeNs = this.#streams.all.reduce((least, one) => Math.min(least, nextChange(one, at)), Infinity);
      this.#unsolved = true;
      this.#solvedNs = Number.NEGATIVE_INFINITY;
    }
    if (nowNs > state.untilNs[0]) this.#sumUpTo(nowNs);
  }

  /** Expected counts of a process's streams until now. */
  counts(process: Process): TlbCounts {
    const s = this.#t.accessStream;
    const rows = this.#streams.all.filter((one) => one.process === process).map(({ row }) => row);
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
    this.refresh();
    const b = this.#t.accessBlock;
    const { ptes, current } = this.#m;
    const first = b.block[row] * ptes;
    let walks = 0;
    for (const stream of this.#streams.ofBlock(row)) {
      if (!isActive(stream, current.nowNs)) continue;
      const [from, to] = within(stream, first, first + ptes);
      const uses = stream.perSecond * stream.pattern.share(from, to);
      const huge = b.kind[row] === BLOCK.huge;
      const used = stream.pattern.groups(from, to).reduce((sum, group) => sum + group.pages, 0);
      const entries = huge ? 1 : Math.max(1, Math.min(b.entries[row], used));
      const rate = usesOfEntry(stream, uses / entries);
      walks += rate * entries * this.miss(stream, rate, huge);
    }
    return walks;
  }

  /** Makes sure that what follows is of now. */
  refresh(): void {
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
    const huge = streams.flatMap((one) => this.#needs.classes(one, true));
    const base = streams.flatMap((one) => this.#needs.classes(one, false));
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

  #sumUpTo(nowNs: number): void {
    const state = this.#t.accessState;
    const fromNs = state.untilNs[0];
    if (nowNs <= fromNs) return;
    state.untilNs[0] = nowNs;
    if (this.#unsolved && this.#solvedNs === Number.NEGATIVE_INFINITY) this.#solveAt(fromNs);
    for (const stream of this.#streams.all) {
      const seconds = (activeBefore(stream, nowNs) - activeBefore(stream, fromNs)) / NS;
      if (seconds > 0) this.#sum(stream, seconds);
    }
  }

  /** Miss ratios for the streams that are active at a time. */
  #solveAt(nowNs: number): void {
    const byCpu = new Map<number, Stream[]>();
    for (const stream of this.#streams.all) {
      if (!isActive(stream, nowNs)) continue;
      byCpu.set(stream.process.cpu, [...(byCpu.get(stream.process.cpu) ?? []), stream]);
    }
    this.#solutions.clear();
    this.#number++;
    for (const [cpu, streams] of byCpu) this.#solutions.set(cpu, this.#solutionOf(cpu, streams));
  }

  #sum(stream: Stream, seconds: number): void {
    const s = this.#t.accessStream;
    const { row } = stream;
    for (const huge of [true, false]) {
      const accesses = this.#needs.share(stream, huge) * stream.perSecond * seconds;
      if (accesses === 0) continue;
      let walks = 0;
      let firstMisses = 0;
      for (const { entries, rate } of this.#needs.classes(stream, huge)) {
        const uses = entries * rate * seconds;
        const last = this.miss(stream, rate, huge);
        walks += uses * last;
        firstMisses += uses * Math.max(this.#missFirst(stream, rate, huge), last);
      }
      s.accesses[row] += accesses;
      s.firstHits[row] += accesses - firstMisses;
      s.secondHits[row] += firstMisses - walks;
      const column = huge ? s.walksHuge : s.walksBase;
      column[row] += walks;
    }
  }
}
