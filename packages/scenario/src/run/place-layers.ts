/**
 * Populating a VMA: layers laid over each other, block by block, and what each slot gets in the end. Runs of equal pages
 * go through the bulk functions of the model, so that a full heap costs a few ns per page.
 *
 * A folio of a layer is placed where all its pages are the layer's in the end; where a later layer has taken some, the
 * others become single pages.
 */
import type { Random } from '@thplab/arena';
import type { Machine, VmaId } from '@thplab/mm-model';
import type { PageState, PopulateLayer, Run } from '../format/index.js';
import type { HeldFolios } from './held-folios.js';
import { patternRuns } from './patterns.js';
import { type Placing, placeFolioOf, placePages } from './place-pages.js';
import type { NamedRange } from './process-table.js';
import { randomFor } from './seeds.js';

/** The runs of one layer, as far as they are used up, and its random choices. */
interface LayerCursor extends Placing {
  readonly runs: Iterator<Run, void, undefined>;
  /** The run that is not placed wholly yet; null: no more. */
  run: Run | null;
  readonly random: Random;
}

/** Where the random choices of layers come from that have no seed of their own. */
export interface LayerSeed {
  /** The run's seed. */
  readonly seed: number;
  /** Keeps the members of a group apart. */
  readonly key: string;
}

/** Places the layers' pages in a range of a VMA (which may be larger, if it grew by a merge). Errors: PopulateError if memory or swap does not suffice. */
export function placeLayers(
  m: Machine,
  vma: VmaId,
  range: NamedRange,
  layers: readonly PopulateLayer[],
  seed: LayerSeed,
  held: HeldFolios,
): void {
  const { start } = range;
  const end = start + range.pages;
  const span = { ...range, ptes: m.ptes };
  const cursors = layers.map((layer): LayerCursor => {
    const runs = patternRuns(layer.pattern, span, patternRandom(layer, seed));
    const random = randomFor(seed.seed, seed.key + layer.key, layer.seed);
    return { m, vma, layer, held, runs, run: runs.next().value ?? null, random };
  });
  const owner = new Uint16Array(m.ptes);
  for (let page = start; page < end; ) {
    const block = page - (page % m.ptes);
    const blockEnd = Math.min(end, block + m.ptes);
    const next = Math.min(...cursors.map((cursor) => (cursor.run === null ? end : start + cursor.run.first)));
    if (next >= blockEnd) {
      page = Math.max(blockEnd, next - (next % m.ptes));
      continue;
    }
    owner.fill(0);
    cursors.forEach((cursor, i) => {
      claim(cursor, start, page, blockEnd, (from, to) => owner.fill(i + 1, from - block, to - block));
    });
    placeBlock(owner, block, page - block, blockEnd - block, cursors);
    page = blockEnd;
  }
}

function patternRandom(layer: PopulateLayer, seed: LayerSeed): Random {
  const { pattern } = layer;
  const own = pattern.kind === 'sparse' || pattern.kind === 'perTable' ? (pattern.seed ?? layer.seed) : null;
  return randomFor(seed.seed, `${seed.key}${layer.key}.pattern`, own);
}

/** Takes what a layer has in [from, to) and moves its cursor behind that. */
function claim(
  cursor: LayerCursor,
  start: number,
  from: number,
  to: number,
  take: (from: number, to: number) => void,
): void {
  while (cursor.run !== null && start + cursor.run.first < to) {
    const first = start + cursor.run.first;
    const last = first + cursor.run.count;
    take(Math.max(from, first), Math.min(to, last));
    if (last > to) {
      cursor.run = { first: to - start, count: last - to };
      return;
    }
    cursor.run = cursor.runs.next().value ?? null;
  }
}

/** Places a block by runs of slots with the same owner. */
function placeBlock(
  owner: Uint16Array,
  block: number,
  from: number,
  to: number,
  cursors: readonly LayerCursor[],
): void {
  for (let slot = from; slot < to; ) {
    const layer = owner[slot];
    let end = slot + 1;
    while (end < to && owner[end] === layer) end++;
    if (layer !== 0) placeRun(cursors[layer - 1], block + slot, block + end);
    slot = end;
  }
}

/** Pages of one layer: naturally aligned folios where they fit, single pages before, between and after. */
function placeRun(cursor: LayerCursor, from: number, to: number): void {
  const size = 2 ** cursor.layer.order;
  if (size === 1) {
    placeSingles(cursor, from, to);
    return;
  }
  const first = Math.min(to, Math.ceil(from / size) * size);
  const last = Math.max(first, Math.floor(to / size) * size);
  placeSingles(cursor, from, first);
  for (let page = first; page < last; page += size) {
    const state = chooseState(cursor);
    // What is no page of memory has no folio: as many entries instead.
    if (state === 'present') placeFolioOf(cursor, page, cursor.random);
    else placePages(cursor, page, size, state, cursor.random);
  }
  placeSingles(cursor, last, to);
}

function placeSingles(cursor: LayerCursor, from: number, to: number): void {
  if (from >= to) return;
  if (cursor.layer.states.length === 1) {
    placePages(cursor, from, to - from, chooseState(cursor), cursor.random);
    return;
  }
  let first = from;
  let state = chooseState(cursor);
  for (let page = from + 1; page <= to; page++) {
    const next = page < to ? chooseState(cursor) : null;
    if (next === state) continue;
    placePages(cursor, first, page - first, state, cursor.random);
    if (next === null) return;
    first = page;
    state = next;
  }
}

function chooseState(cursor: LayerCursor): PageState {
  const { states } = cursor.layer;
  if (states.length === 1) return states[0].state;
  let left = cursor.random.fraction();
  for (const { state, fraction } of states) {
    if (left < fraction) return state;
    left -= fraction;
  }
  return states[states.length - 1].state;
}
