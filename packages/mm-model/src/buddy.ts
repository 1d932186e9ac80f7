/**
 * The buddy allocator: free blocks by node and order, split on the way down, merged on the way up. Free blocks are linked
 * through the `mapping` and `index` cells of their first frame, which nothing else uses while a block is free.
 *
 * These are the plain operations on free lists, each under the node's word lock (the kernel's zone lock). Who may wait, compact or reclaim for memory is in page-alloc.ts.
 */
import { asBrand, IntrusiveList } from '@thplab/arena';
import { giveWord, takeWord } from '@thplab/sync';
import type { Pfn } from './brands.js';
import { PAGE } from './flags.js';
import { folioOrder } from './folio.js';
import type { Machine } from './machine.js';
import { nodeOf } from './machine.js';

/** Cells per node of the free-list heads (tables.ts). */
const ORDERS = 16;
/** Words from one node's lock to the next. */
const LINE = 16;

/** Puts all frames of the machine on the free lists; frame 0, the zero page, stays out. */
export function initBuddy(m: Machine, nodePages: readonly number[]): void {
  let next = 0;
  nodePages.forEach((pages, node) => {
    m.node.firstPfn[node] = next;
    m.node.endPfn[node] = next + pages;
    next += pages;
  });
  m.frame.flags[0] = PAGE.RESERVED;
  for (let node = 0; node < m.nodes; node++) freeRange(m, Math.max(1, m.node.firstPfn[node]), m.node.endPfn[node]);
}

/** Frees a range of frames in the largest aligned blocks. */
function freeRange(m: Machine, from: number, to: number): void {
  for (let pfn = from; pfn < to; ) {
    let order = 0;
    while (order < m.maxOrder && pfn % (2 << order) === 0 && pfn + (2 << order) <= to) order++;
    freeBlock(m, asBrand<Pfn>(pfn), order);
    pfn += 1 << order;
  }
}

function freeList(m: Machine): IntrusiveList {
  const { freeFirst, freeLast } = m.node;
  return new IntrusiveList({ first: freeFirst, last: freeLast, next: m.frame.mapping, prev: m.frame.index });
}

/** Free lists are made of plain views, so one object per machine is enough. */
const lists = new WeakMap<Machine, IntrusiveList>();

function listOf(m: Machine): IntrusiveList {
  let list = lists.get(m);
  if (list === undefined) {
    list = freeList(m);
    lists.set(m, list);
  }
  return list;
}

/** First frame of a free block of the order on the node's list, or 0. */
export function firstFree(m: Machine, node: number, order: number): number {
  return m.node.freeFirst[node * ORDERS + order];
}

/** Number of free blocks of exactly that order. */
export function freeBlocks(m: Machine, node: number, order: number): number {
  return m.node.freeCount[node * ORDERS + order];
}

/** True if a block of the order, or a larger one to split, is free on the node. */
export function hasFree(m: Machine, node: number, order: number): boolean {
  for (let o = order; o <= m.maxOrder; o++) if (freeBlocks(m, node, o) !== 0) return true;
  return false;
}

/**
 * Takes a block off the free lists, splitting a larger one if need be; the lower halves are kept. The frames' flags are
 * ALLOCATED and the order; the rest is the caller's. Gives 0 if there is none.
 */
export function takeBlock(m: Machine, node: number, order: number): Pfn | 0 {
  takeWord(m.node.zoneWord, node * LINE);
  const pfn = unlinkSmallest(m, node, order);
  giveWord(m.node.zoneWord, node * LINE);
  if (pfn !== 0) markAllocated(m, pfn, order);
  return asBrand(pfn);
}

/** Unlinks a block of the order out of the smallest free one that contains such a block; gives its first frame or 0. */
function unlinkSmallest(m: Machine, node: number, order: number): number {
  for (let from = order; from <= m.maxOrder; from++) {
    const pfn = firstFree(m, node, from);
    if (pfn === 0) continue;
    unlinkFree(m, node, pfn, from);
    for (let o = from - 1; o >= order; o--) linkFree(m, node, pfn + (1 << o), o, true);
    m.node.freePages[node] = m.node.freePages[node] - (1 << order);
    return pfn;
  }
  return 0;
}

/** Takes one given frame or aligned range out of the free block that contains it. False if it is not free as a whole. */
export function takeExact(m: Machine, pfn: Pfn, order: number): boolean {
  const node = nodeOf(m, pfn);
  takeWord(m.node.zoneWord, node * LINE);
  const taken = unlinkExact(m, node, pfn, order);
  giveWord(m.node.zoneWord, node * LINE);
  if (taken) markAllocated(m, pfn, order);
  return taken;
}

function unlinkExact(m: Machine, node: number, pfn: Pfn, order: number): boolean {
  const block = freeBlockOf(m, pfn);
  if (block < 0) return false;
  let size = folioOrder(m, block);
  if (size < order) return false;
  let at = block;
  unlinkFree(m, node, at, size);
  while (size > order) {
    size--;
    const upper = at + (1 << size);
    if (pfn >= upper) {
      linkFree(m, node, at, size, true);
      at = upper;
    } else linkFree(m, node, upper, size, true);
  }
  m.node.freePages[node] = m.node.freePages[node] - (1 << order);
  return true;
}

/** First frame of the free block that contains a frame, or -1. */
export function freeBlockOf(m: Machine, pfn: number): number {
  for (let order = 0; order <= m.maxOrder; order++) {
    const head = pfn - (pfn % (1 << order));
    const flags = m.frame.flags[head];
    if ((flags & PAGE.BUDDY) !== 0 && folioOrder(m, head) >= order) return head;
  }
  return -1;
}

/** Gives a block back and merges it with its buddies. */
export function freeBlock(m: Machine, pfn: Pfn, order: number): void {
  const node = nodeOf(m, pfn);
  m.frame.flags.fill(0, pfn, pfn + (1 << order));
  takeWord(m.node.zoneWord, node * LINE);
  mergeAndLink(m, node, pfn, order);
  giveWord(m.node.zoneWord, node * LINE);
}

function mergeAndLink(m: Machine, node: number, pfn: Pfn, order: number): void {
  const end = m.node.endPfn[node];
  m.node.freePages[node] = m.node.freePages[node] + (1 << order);
  let at = pfn as number;
  let size = order;
  while (size < m.maxOrder) {
    const buddy = at ^ (1 << size);
    if (buddy + (1 << size) > end || buddy < m.node.firstPfn[node]) break;
    const flags = m.frame.flags[buddy];
    if ((flags & PAGE.BUDDY) === 0 || folioOrder(m, buddy) !== size) break;
    unlinkFree(m, node, buddy, size);
    at = Math.min(at, buddy);
    size++;
  }
  linkFree(m, node, at, size, false);
}

function linkFree(m: Machine, node: number, pfn: number, order: number, front: boolean): void {
  const cell = node * ORDERS + order;
  m.frame.flags[pfn] = PAGE.BUDDY | order;
  if (front) listOf(m).pushFront(cell, pfn);
  else listOf(m).pushBack(cell, pfn);
  m.node.freeCount[cell] += 1;
}

function unlinkFree(m: Machine, node: number, pfn: number, order: number): void {
  const cell = node * ORDERS + order;
  listOf(m).remove(cell, pfn);
  m.frame.flags[pfn] = 0;
  m.node.freeCount[cell] = m.node.freeCount[cell] - 1;
}

function markAllocated(m: Machine, pfn: number, order: number): void {
  m.frame.flags.fill(PAGE.ALLOCATED | order, pfn, pfn + (1 << order));
  m.frame.refcount[pfn] = 1;
}

/** Turns an allocated block into blocks of a lower order, each allocated with the flags of its frames (`split_page`). */
export function relabelBlock(m: Machine, pfn: Pfn, order: number, newOrder: number): void {
  for (let p = pfn as number; p < pfn + (1 << order); p++) {
    m.frame.flags[p] = (m.frame.flags[p] & ~0xf) | newOrder;
  }
}
