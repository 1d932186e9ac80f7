/**
 * What streams need of the TLB: entries by how often they are used, kept up to date block by block. A block that is mapped
 * otherwise takes away what it had added, and adds what it needs now.
 */
import { asBrand, getBit, type Tables } from '@thplab/arena';
import { type AccessClass, findTable, type Machine, pteBit, type Vpn } from '@thplab/mm-model';
import { BLOCK } from './blocks.js';
import type { LiveStreams } from './live-streams.js';
import type { PageGroup } from './patterns.js';
import { type Stream, usesOfEntry, within } from './stream.js';
import { type AccessTables, BUCKETS } from './tables.js';

const WEIGHTS = ['entriesHuge', 'shareHuge', 'entriesBase', 'shareBase'] as const;

/** See the head of the file. */
export class TlbNeeds {
  readonly #m: Machine;
  readonly #t: Tables<AccessTables>;
  readonly #streams: LiveStreams;

  constructor(m: Machine, t: Tables<AccessTables>, streams: LiveStreams) {
    this.#m = m;
    this.#t = t;
    this.#streams = streams;
  }

  /** Adds what a block needs to its streams' needs. */
  add(row: number): void {
    const b = this.#t.accessBlock;
    const p = this.#t.accessPart;
    const { ptes } = this.#m;
    const first = b.block[row] * ptes;
    b.used[row] = 0;
    for (const stream of this.#streams.ofBlock(row)) {
      const [from, to] = within(stream, first, first + ptes);
      const part = this.#partOf(stream, row);
      const groups = stream.pattern.groups(from, to);
      const used = groups.reduce((sum, group) => sum + group.pages, 0);
      if (used > 0) b.used[row] = 1;
      const whole = used === to - from;
      p.kind[part] = groups.length === 0 ? BLOCK.none : b.kind[row];
      const isFull = b.present[row] === ptes || (whole && to - from === ptes);
      p.there[part] = isFull ? b.present[row] / ptes : this.#shareThere(stream, from, to, used);
      // Pages that share an entry do so only where they are used together.
      p.together[part] = whole && b.present[row] > 0 ? b.entries[row] / b.present[row] : 1;
      this.#change(stream, part, groups, 1);
    }
  }

  /** Takes away what a block added, as it was then. */
  remove(row: number): void {
    const first = this.#t.accessBlock.block[row] * this.#m.ptes;
    for (const stream of this.#streams.ofBlock(row)) {
      const [from, to] = within(stream, first, first + this.#m.ptes);
      this.#change(stream, this.#partOf(stream, row), stream.pattern.groups(from, to), -1);
    }
  }

  #partOf(stream: Stream, row: number): number {
    return stream.part + (this.#t.accessBlock.block[row] - Math.floor(stream.start / this.#m.ptes));
  }

  #change(stream: Stream, part: number, groups: readonly PageGroup[], sign: 1 | -1): void {
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
  hasHole(row: number): boolean {
    const { block, present } = this.#t.accessBlock;
    const { ptes } = this.#m;
    if (present[row] === ptes) return false;
    const first = block[row] * ptes;
    return this.#streams.ofBlock(row).some((stream) => {
      const [from, to] = within(stream, first, first + ptes);
      return stream.pattern.share(from, to) > 0 && this.#t.accessPart.there[this.#partOf(stream, row)] < 1;
    });
  }

  /** TLB entries that a stream needs and how often it uses each, as they are mapped: for huge pages, or for small ones. */
  classes(stream: Stream, huge: boolean): AccessClass[] {
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

  /** Share of a stream's accesses that go to what is mapped so. */
  share(stream: Stream, huge: boolean): number {
    const s = this.#t.accessStream;
    const shares = huge ? s.shareHuge : s.shareBase;
    let sum = 0;
    for (let cell = stream.row * BUCKETS; cell < (stream.row + 1) * BUCKETS; cell++) sum += Math.max(0, shares[cell]);
    return sum;
  }

  /** A stream has ended for good. */
  forget({ row }: Stream): void {
    for (const column of WEIGHTS) this.#t.accessStream[column].fill(0, row * BUCKETS, (row + 1) * BUCKETS);
  }
}
