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
  contiguousOrder,
  findPmd,
  type Machine,
  type MmId,
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
  type Vpn,
} from '@thplab/mm-model';
import type { AccessBlocks } from './blocks.js';
import { LiveStreams } from './live-streams.js';
import { TlbNeeds } from './needs.js';
import { TlbPressure } from './pressure.js';
import { type Stream, within } from './stream.js';
import { type AccessTables, STATE } from './tables.js';
import { WalkChance } from './walk-chance.js';

const NS = 1e9;
/** Flushes of more pages count for the whole block. */
const FEW_PAGES = 8;
/** Unit of times kept page by page, ns: 32 bits hold half a day. */
const TICK_NS = 10_000;
/** A flush is forgotten when its entry has been used so often since, on average. */
const FORGOTTEN = 40;

/** See the head of the file. */
export class AnalyticAccesses {
  readonly streams: LiveStreams;
  /** What comes of all accesses. */
  readonly pressure: TlbPressure;
  readonly #m: Machine;
  readonly #t: Tables<AccessTables>;
  readonly #tlb: Tlb;
  readonly #blocks: AccessBlocks;
  readonly #random: Random;
  readonly #chance: WalkChance;

  constructor(tlb: Tlb, t: Tables<AccessTables>, blocks: AccessBlocks, streams: readonly Stream[], random: Random) {
    this.#m = tlb.m;
    this.#t = t;
    this.#tlb = tlb;
    this.#blocks = blocks;
    this.#random = random;
    this.streams = new LiveStreams(t, tlb.m.ptes, streams);
    const needs = new TlbNeeds(tlb.m, t, this.streams);
    this.pressure = new TlbPressure(tlb, t, blocks, this.streams, needs);
    this.#chance = new WalkChance(tlb.m, this.streams, this.pressure);
  }

  /** Sets the accessed bit of a page if an access would have since somebody looked last (`MmHooks.settleAccess`). */
  settle(mm: MmId, page: Vpn): void {
    const m = this.#m;
    const row = this.#blocks.rowOf(mm, Math.floor(page / m.ptes));
    if (row === 0 || this.#t.accessBlock.used[row] === 0) return;
    const streams = this.#streamsIn(mm);
    if (streams === undefined) return;
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
      if (row !== 0 && this.#t.accessBlock.used[row] === 1) this.#settleBlock(streams, row, asBrand<Vpn>(at), blockEnd);
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
    const streams = this.streams.in(mm);
    if (streams === undefined || streams[0].process.exitNs === null) return streams;
    this.pressure.forget(mm);
    return undefined;
  }

  /** Translations of a range are flushed. */
  flushed(mm: number, start: number, end: number): void {
    if (this.streams.in(mm) === undefined) return;
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
    this.pressure.refresh();
    const { block, state } = this.#t.accessBlock;
    const at = row * STATE.cells;
    if (state[at + STATE.solved] === this.pressure.number) {
      const sinceNs = state[at + STATE.look];
      const outNs = Math.max(state[at + STATE.flush], state[at + STATE.began]);
      // The usual case: looked at since the streams began, and long enough after the last flush for it to be forgotten.
      if (sinceNs > outNs && (state[at + STATE.rate] * (sinceNs - outNs)) / NS > FORGOTTEN) {
        const seconds = (nowNs - sinceNs) / NS;
        const time = state[at + STATE.time];
        const chance =
          seconds <= time && this.pressure.policy === 'lru'
            ? state[at + STATE.walks] * seconds
            : 1 - noWalkChance(state[at + STATE.rate], time, seconds, this.pressure.policy);
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
    if (streams.length > 1 && this.streams.ofBlock(row).length > 1) return;
    const [stream] = streams.length === 1 ? streams : this.streams.ofBlock(row);
    if (stream === undefined || stream.pattern.sweep !== null || stream.active.length !== null) return;
    if (stream !== streams[0] && stream.write !== streams[0].write) return;
    const first = b.block[row] * this.#m.ptes;
    const [from, to] = within(stream, first, first + this.#m.ptes);
    const rate = nowNs < stream.active.start ? 0 : stream.perSecond * stream.pattern.share(from, to);
    b.state[at + STATE.rate] = rate;
    b.state[at + STATE.walks] = rate * this.pressure.miss(stream, rate, true);
    b.state[at + STATE.time] = this.pressure.stay(stream, true);
    b.state[at + STATE.began] = stream.active.start;
    b.state[at + STATE.solved] = this.pressure.number;
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
    this.pressure.refresh();
    for (const stream of streams) {
      if (stream.start >= end || stream.start + stream.pages <= first) continue;
      const [from, to] = within(stream, first, end);
      const chance = this.#chance.of(stream, from, to, sinceNs, flushNs, huge);
      if (chance > 0 && this.#random.fraction() < chance) return stream;
    }
    return undefined;
  }

  #writes(stream: Stream): boolean {
    return stream.write >= 1 || (stream.write > 0 && this.#random.fraction() < stream.write);
  }
}
