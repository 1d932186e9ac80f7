/**
 * Direct compaction: making one free block of an order by moving what is in its way.
 *
 * Aligned blocks of a node are looked at in turn, from where the last search stopped. A block is taken if everything in it
 * is free or can be moved and there is room elsewhere. Moving is what an asynchronous migration does: it only tries
 * locks, and gives up on a folio that is pinned, locked, or mapped by a table that somebody works on. After a failure
 * further attempts at that order are deferred, twice as many after each one (`defer_compaction`).
 */
import { asBrand } from '@thplab/arena';
import { type Procedure, spend } from '@thplab/sync';
import type { Pfn } from './brands.js';
import { freeBlock, freeBlockOf, hasFree, takeBlock, takeExact } from './buddy.js';
import { PAGE } from './flags.js';
import { folioHead, folioOrder } from './folio.js';
import { countVmEvent, type Machine } from './machine.js';
import { canMigrate, migrateFolio } from './migrate.js';

/** Cells of `node.compactDefer`. */
const CONSIDERED = 0;
const SHIFT = 1;
const FAILED_ORDER = 2;
const CURSOR = 3;
const CELLS = 4;
const MAX_SHIFT = 6;

/** Compacts a node until a block of the order is free. Gives true if one is. */
export function* tryToCompact(m: Machine, node: number, order: number): Procedure<boolean> {
  if (compactionDeferred(m, node, order)) return false;
  countVmEvent(m, 'compact_stall');
  const work = { scanned: 0, moved: 0 };
  const made = compactNode(m, node, order, work);
  countVmEvent(m, 'compact_migrate_scanned', work.scanned);
  countVmEvent(m, made ? 'compact_success' : 'compact_fail');
  settleDeferral(m, node, order, made);
  yield spend(work.scanned * m.costs.compactScan + work.moved * m.costs.compactPage);
  return made && hasFree(m, node, order);
}

function compactionDeferred(m: Machine, node: number, order: number): boolean {
  const d = m.node.compactDefer;
  const at = node * CELLS;
  const failed = d[at + FAILED_ORDER];
  if (failed === 0 || order < failed) return false;
  const considered = d[at + CONSIDERED] + 1;
  const limit = 1 << d[at + SHIFT];
  d[at + CONSIDERED] = Math.min(considered, limit);
  return considered < limit;
}

function settleDeferral(m: Machine, node: number, order: number, made: boolean): void {
  const d = m.node.compactDefer;
  const at = node * CELLS;
  const failed = d[at + FAILED_ORDER];
  d[at + CONSIDERED] = 0;
  if (made) {
    d[at + SHIFT] = 0;
    if (failed !== 0 && order >= failed) d[at + FAILED_ORDER] = order + 1;
    return;
  }
  d[at + SHIFT] = Math.min(MAX_SHIFT, d[at + SHIFT] + 1);
  if (failed === 0 || order < failed) d[at + FAILED_ORDER] = order;
}

interface Work {
  scanned: number;
  moved: number;
}

function compactNode(m: Machine, node: number, order: number, work: Work): boolean {
  const size = 1 << order;
  const first = Math.ceil(Math.max(1, m.node.firstPfn[node]) / size) * size;
  const blocks = Math.floor((m.node.endPfn[node] - first) / size);
  const start = m.node.compactDefer[node * CELLS + CURSOR];
  for (let i = 0; i < blocks; i++) {
    const block = (start + i) % blocks;
    const pfn = first + block * size;
    const used = movablePages(m, pfn, size, work);
    if (used < 0 || used > m.node.freePages[node] - (size - used)) continue;
    if (evacuate(m, node, asBrand<Pfn>(pfn), order, work)) {
      m.node.compactDefer[node * CELLS + CURSOR] = (block + 1) % blocks;
      return true;
    }
  }
  return false;
}

/** Pages in use in a block, or -1 if one of them cannot be moved. */
function movablePages(m: Machine, from: number, size: number, work: Work): number {
  let used = 0;
  for (let pfn = from; pfn < from + size; ) {
    work.scanned++;
    const flags = m.frame.flags[pfn];
    if ((flags & PAGE.ALLOCATED) === 0) {
      if ((flags & PAGE.RESERVED) !== 0) return -1;
      const block = freeBlockOf(m, pfn);
      if (block < 0) return -1;
      pfn = block + (1 << folioOrder(m, block));
      continue;
    }
    const head = folioHead(m, pfn);
    // A folio larger than the block would have to be split first; one of the block's size is not worth moving.
    if (1 << folioOrder(m, pfn) >= size || !canMigrate(m, head)) return -1;
    used += 1 << folioOrder(m, pfn);
    pfn += 1 << folioOrder(m, pfn);
  }
  return used;
}

/** Moves everything out of a block and leaves it free as one. On failure the block is left as far as it got. */
function evacuate(m: Machine, node: number, from: Pfn, order: number, work: Work): boolean {
  const size = 1 << order;
  const held: { pfn: Pfn; order: number }[] = [];
  // First keep the block's own free frames, so that nothing is moved into it.
  for (let pfn = from as number; pfn < from + size; ) {
    const flags = m.frame.flags[pfn];
    const o = flags & 0xf;
    if ((flags & PAGE.BUDDY) !== 0) {
      const keep = Math.min(o, order);
      takeExact(m, asBrand<Pfn>(pfn), keep);
      held.push({ pfn: asBrand(pfn), order: keep });
      pfn += 1 << keep;
    } else pfn += 1 << o;
  }
  let ok = true;
  const keptHeads = new Set<number>(held.map((h) => h.pfn));
  for (let pfn = from as number; ok && pfn < from + size; ) {
    const o = folioOrder(m, pfn);
    if (!keptHeads.has(pfn)) {
      const target = takeBlock(m, node, o);
      ok = target !== 0 && migrateFolio(m, asBrand<Pfn>(pfn), target);
      if (ok) {
        work.moved += 1 << o;
        held.push({ pfn: asBrand(pfn), order: o });
      } else if (target !== 0) releaseBlock(m, target, o);
    }
    pfn += 1 << o;
  }
  for (const block of held) releaseBlock(m, block.pfn, block.order);
  return ok;
}

function releaseBlock(m: Machine, pfn: Pfn, order: number): void {
  m.frame.refcount[pfn] = 0;
  freeBlock(m, pfn, order);
}
