/**
 * The VMAs of an address space, by address: a treap in the VMAs' own `left` and `right` cells, and a list in `next` and
 * `prev`. The kernel keeps a maple tree; the questions it answers are the same.
 *
 * VMAs of one mm never overlap, so their order by start is also their order by end. A VMA's range may be changed in place
 * as long as that order stays. Changes need mmap_lock for writing; the per-VMA lock looks VMAs up without any lock and
 * checks what it found afterwards (vma-locks.ts), hence the bounded descent.
 */
import { asBrand } from '@thplab/arena';
import type { MmId, VmaId, Vpn } from './brands.js';
import { addToFileMap } from './file-map.js';
import type { Machine } from './machine.js';

/** A treap of 2^32 nodes is about 80 levels deep; a reader that races with a writer gives up here. */
const MAX_DESCENT = 256;

/** The first VMA that ends after `page`, or 0: it contains the page, or lies above it (`find_vma`). */
export function findVma(m: Machine, mm: MmId, page: number): VmaId | 0 {
  const { end, left, right } = m.vma;
  let at = m.mm.vmaRoot[mm];
  let best = 0;
  for (let steps = 0; at !== 0 && steps < MAX_DESCENT; steps++) {
    if (end[at] > page) {
      best = at;
      at = left[at];
    } else {
      at = right[at];
    }
  }
  return best === 0 ? 0 : asBrand<VmaId>(best);
}

/** The VMA that contains `page`, or 0 (`vma_lookup`). */
export function vmaAt(m: Machine, mm: MmId, page: number): VmaId | 0 {
  const vma = findVma(m, mm, page);
  return vma !== 0 && m.vma.start[vma] <= page ? vma : 0;
}

/** The lowest VMA that has a page in [start, end), or 0 (`find_vma_intersection`). */
export function vmaIntersecting(m: Machine, mm: MmId, start: number, end: number): VmaId | 0 {
  const vma = findVma(m, mm, start);
  return vma !== 0 && m.vma.start[vma] < end ? vma : 0;
}

/** The next higher VMA, or 0. */
export function nextVma(m: Machine, vma: VmaId): VmaId | 0 {
  return link(m.vma.next[vma]);
}

/** The next lower VMA, or 0. */
export function prevVma(m: Machine, vma: VmaId): VmaId | 0 {
  return link(m.vma.prev[vma]);
}

/** The lowest VMA of an address space, or 0. */
export function firstVma(m: Machine, mm: MmId): VmaId | 0 {
  return link(m.mm.vmaFirst[mm]);
}

/** The VMA below `page`: the highest one that starts before it and does not contain it, or 0. */
export function vmaBelow(m: Machine, mm: MmId, page: number): VmaId | 0 {
  const vma = findVma(m, mm, page);
  return vma === 0 ? link(m.mm.vmaLast[mm]) : prevVma(m, vma);
}

/** The VMAs in ascending order. The VMA just given may be removed or changed; the next one may not. */
export function* vmasOf(m: Machine, mm: MmId): Generator<VmaId, void, undefined> {
  let vma = firstVma(m, mm);
  while (vma !== 0) {
    const next = nextVma(m, vma);
    yield vma;
    vma = next;
  }
}

/**
 * Adds a VMA, whose `mm`, `start` and `end` are set, to its address space, and to the list of its file's VMAs
 * (`vma_link`); it leaves that list by `unlinkFileVma`. Errors: it overlaps a neighbour.
 */
export function insertVma(m: Machine, vma: VmaId): void {
  const mm = m.vma.mm[vma];
  const start = m.vma.start[vma];
  const mine = priority(vma);
  let side: Uint32Array = m.mm.vmaRoot;
  let at = m.mm.vmaRoot[mm];
  let below = 0;
  let above = 0;
  // Down to the place where the new node's priority is the highest; the neighbours in order lie on the way, or further
  // down on the path that the search would take.
  let found = false;
  let owner: number = mm;
  while (at !== 0) {
    if (!found && priority(at) < mine) found = true;
    if (!found) {
      side = start < m.vma.start[at] ? m.vma.left : m.vma.right;
      owner = at;
    }
    if (start < m.vma.start[at]) {
      above = at;
      at = m.vma.left[at];
    } else {
      below = at;
      at = m.vma.right[at];
    }
  }
  checkRoom(m, vma, below, above);
  const subtree = side[owner];
  side[owner] = vma;
  splitTreap(m, subtree, start, vma);
  linkBetween(m, vma, below, above);
  m.mm.vmaCount[mm]++;
  addToFileMap(m, vma);
}

/** `vma.lockSeq` of a VMA that has left its tree: readers that found it before turn away (`vma_mark_detached`). */
export const VMA_DETACHED = -1;

/** Takes a VMA out of its address space; its row stays. */
export function removeVma(m: Machine, vma: VmaId): void {
  const mm = m.vma.mm[vma];
  const start = m.vma.start[vma];
  let side: Uint32Array = m.mm.vmaRoot;
  let owner: number = mm;
  let at = side[owner];
  while (at !== vma) {
    if (at === 0) throw new RangeError(`VMA ${vma} is not in the tree of mm ${mm}`);
    owner = at;
    side = start < m.vma.start[at] ? m.vma.left : m.vma.right;
    at = side[owner];
  }
  mergeTreaps(m, m.vma.left[vma], m.vma.right[vma], side, owner);
  const below = m.vma.prev[vma];
  const above = m.vma.next[vma];
  if (below === 0) m.mm.vmaFirst[mm] = above;
  else m.vma.next[below] = above;
  if (above === 0) m.mm.vmaLast[mm] = below;
  else m.vma.prev[above] = below;
  m.vma.left[vma] = 0;
  m.vma.right[vma] = 0;
  m.vma.next[vma] = 0;
  m.vma.prev[vma] = 0;
  Atomics.store(m.vma.lockSeq, vma, VMA_DETACHED);
  m.mm.vmaCount[mm]--;
}

/** The tree in order by walking it, not the list: for checks. */
export function treeOrder(m: Machine, mm: MmId): Vpn[] {
  const found: number[] = [];
  const visit = (at: number): void => {
    if (at === 0) return;
    visit(m.vma.left[at]);
    found.push(m.vma.start[at]);
    visit(m.vma.right[at]);
  };
  visit(m.mm.vmaRoot[mm]);
  return found as Vpn[];
}

/** Splits a subtree by key into the children of `root`: lower starts to its left, higher ones to its right. */
function splitTreap(m: Machine, subtree: number, key: number, root: number): void {
  let lowSide: Uint32Array = m.vma.left;
  let lowOwner = root;
  let highSide: Uint32Array = m.vma.right;
  let highOwner = root;
  let at = subtree;
  while (at !== 0) {
    if (m.vma.start[at] < key) {
      lowSide[lowOwner] = at;
      lowSide = m.vma.right;
      lowOwner = at;
      at = m.vma.right[at];
    } else {
      highSide[highOwner] = at;
      highSide = m.vma.left;
      highOwner = at;
      at = m.vma.left[at];
    }
  }
  lowSide[lowOwner] = 0;
  highSide[highOwner] = 0;
}

/** Joins two subtrees, all of `low` below all of `high`, into one cell. */
function mergeTreaps(m: Machine, low: number, high: number, side: Uint32Array, owner: number): void {
  while (low !== 0 && high !== 0) {
    if (priority(low) > priority(high)) {
      side[owner] = low;
      side = m.vma.right;
      owner = low;
      low = m.vma.right[low];
    } else {
      side[owner] = high;
      side = m.vma.left;
      owner = high;
      high = m.vma.left[high];
    }
  }
  side[owner] = low === 0 ? high : low;
}

function linkBetween(m: Machine, vma: number, below: number, above: number): void {
  const mm = m.vma.mm[vma];
  m.vma.prev[vma] = below;
  m.vma.next[vma] = above;
  if (below === 0) m.mm.vmaFirst[mm] = vma;
  else m.vma.next[below] = vma;
  if (above === 0) m.mm.vmaLast[mm] = vma;
  else m.vma.prev[above] = vma;
}

function checkRoom(m: Machine, vma: number, below: number, above: number): void {
  const { start, end } = m.vma;
  const clash = below !== 0 && end[below] > start[vma] ? below : above !== 0 && start[above] < end[vma] ? above : 0;
  if (clash === 0) return;
  throw new RangeError(
    `VMA ${vma} [${start[vma]}, ${end[vma]}) overlaps VMA ${clash} [${start[clash]}, ${end[clash]}); unmap that range first`,
  );
}

/** A fixed scrambling of the row number: as good as random for the tree's depth, the same in every run. */
function priority(vma: number): number {
  let x = Math.imul(vma, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  return (x ^ (x >>> 13)) >>> 0;
}

function link(vma: number): VmaId | 0 {
  return vma === 0 ? 0 : asBrand<VmaId>(vma);
}
