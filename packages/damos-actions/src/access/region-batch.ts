/**
 * The regions of one target as arrays in the order of their list, for loops that deal with all of them at once. What is in
 * here is scratch: nothing is kept from one step to the next, but the guess of `listRegions`.
 */
import type { DamonStore } from '../monitor/store.js';

/** See the head of the file. Arrays are made anew when they grow: take them after `listRegions`. */
export class RegionBatch {
  /** Rows of the regions. */
  rows: Int32Array = new Int32Array(0);
  /** One random number for each region. */
  chances: Uint32Array = new Uint32Array(0);
  /** Numbers of the PMD ranges of the chosen addresses, -1 for one that no machine has. */
  ranges: Int32Array = new Int32Array(0);
  /** 1: the page was accessed. */
  accessed: Uint8Array = new Uint8Array(0);
  /** Of the ranges that may be in use: place in these arrays, */
  places: Int32Array = new Int32Array(0);
  /** index of the PMD entry in `directory.entry`, */
  cells: Int32Array = new Int32Array(0);
  /** and the entry as it was read. */
  entries: Uint32Array = new Uint32Array(0);

  /** Makes room for so many regions, and an end mark. */
  makeRoom(regions: number): void {
    if (regions < this.rows.length) return;
    const room = 2 * regions + 1;
    this.rows = new Int32Array(room);
    this.chances = new Uint32Array(room);
    this.ranges = new Int32Array(room);
    this.accessed = new Uint8Array(room);
    this.places = new Int32Array(room);
    this.cells = new Int32Array(room);
    this.entries = new Uint32Array(room);
  }
}

/**
 * Writes the regions of a target into `rows`, and gives how many there are. They are mostly those of the last time, so each
 * is taken from there to look up the next, and only compared with what the link says: a processor that predicts the
 * comparison need not wait for one link to follow another.
 */
export function listRegions(d: DamonStore, target: number, batch: RegionBatch): number {
  const { next } = d.t.damonRegion;
  batch.makeRoom(d.t.damonTarget.nrRegions[target]);
  const { rows } = batch;
  let count = 0;
  for (let linked = d.regions.first(target); linked !== 0; count++) {
    let region = rows[count];
    if (region !== linked) {
      region = linked;
      rows[count] = linked;
    }
    linked = next[region];
  }
  return count;
}
