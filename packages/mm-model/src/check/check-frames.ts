/** Every frame is exactly one of: free, part of one allocated folio, reserved. And the free lists say the same. */
import { PAGE } from '../flags.js';
import type { Machine } from '../machine.js';
import type { Findings } from './findings.js';

const ORDERS = 16;
const KINDS = PAGE.ALLOCATED | PAGE.BUDDY | PAGE.RESERVED;

/** First frames and orders found by walking over all frames. */
export interface FrameMap {
  /** First frames of allocated folios, ascending. */
  readonly folios: number[];
  readonly freePages: number;
}

/** Walks over the frames of all nodes. */
export function checkFrames(m: Machine, findings: Findings): FrameMap {
  const folios: number[] = [];
  let freePages = 0;
  for (let node = 0; node < m.nodes; node++) {
    const blocks = Array.from({ length: ORDERS }, () => new Set<number>());
    let free = 0;
    for (let pfn = m.node.firstPfn[node]; pfn < m.node.endPfn[node]; ) {
      const flags = m.frame.flags[pfn];
      const order = flags & 0xf;
      const size = checkFrame(m, findings, pfn, m.node.endPfn[node]);
      if ((flags & PAGE.ALLOCATED) !== 0) folios.push(pfn);
      if ((flags & PAGE.BUDDY) !== 0) {
        free += size;
        blocks[order].add(pfn);
      }
      pfn += size;
    }
    findings.equal(`node ${node}: freePages`, m.node.freePages[node], free);
    freePages += free;
    for (let order = 0; order < ORDERS; order++) checkFreeList(m, findings, node, order, blocks[order]);
  }
  return { folios, freePages };
}

/** Checks the folio or block that begins at a frame; gives its size, 1 if it is broken. */
function checkFrame(m: Machine, findings: Findings, pfn: number, end: number): number {
  const flags = m.frame.flags[pfn];
  const kinds = flags & KINDS;
  if (kinds === PAGE.RESERVED) return 1;
  if (kinds !== PAGE.ALLOCATED && kinds !== PAGE.BUDDY) {
    findings.add(`frame ${pfn} is neither free, nor allocated, nor reserved (flags ${flags.toString(16)})`);
    return 1;
  }
  const size = 1 << (flags & 0xf);
  if (pfn % size !== 0 || pfn + size > end) {
    findings.add(`frame ${pfn} begins a block of ${size} pages, which does not fit there`);
    return 1;
  }
  // Frames behind the first say the order in a folio, and nothing in a free block.
  checkUncharged(m, findings, kinds === PAGE.ALLOCATED ? pfn + 1 : pfn, pfn + size);
  const wanted = kinds === PAGE.ALLOCATED ? PAGE.ALLOCATED | (flags & 0xf) : 0;
  for (let i = pfn + 1; i < pfn + size; i++) {
    if ((m.frame.flags[i] & (KINDS | 0xf)) === wanted) continue;
    findings.add(`frame ${i} has flags ${m.frame.flags[i].toString(16)} inside the block at ${pfn}`);
    return 1;
  }
  return size;
}

/** Only the first frame of a folio is charged. */
function checkUncharged(m: Machine, findings: Findings, from: number, to: number): void {
  for (let pfn = from; pfn < to; pfn++) {
    if (m.frame.memcg[pfn] !== 0) findings.add(`frame ${pfn} is charged to memory cgroup ${m.frame.memcg[pfn]}`);
  }
}

function checkFreeList(m: Machine, findings: Findings, node: number, order: number, blocks: Set<number>): void {
  const name = `node ${node}, free list of order ${order}`;
  const cell = node * ORDERS + order;
  findings.equal(`${name}: count`, m.node.freeCount[cell], blocks.size);
  let prev = 0;
  const seen = new Set<number>();
  for (let pfn = m.node.freeFirst[cell]; pfn !== 0; pfn = m.frame.mapping[pfn]) {
    if (seen.has(pfn) || !blocks.has(pfn)) {
      findings.add(`${name}: frame ${pfn} does not belong there`);
      return;
    }
    if (m.frame.index[pfn] !== prev) findings.add(`${name}: frame ${pfn} links back to ${m.frame.index[pfn]}`);
    seen.add(pfn);
    prev = pfn;
  }
  findings.equal(`${name}: last`, m.node.freeLast[cell], prev);
  findings.equal(`${name}: length`, seen.size, blocks.size);
  if (order >= m.maxOrder) return;
  for (const pfn of blocks) {
    if ((pfn & (1 << order)) === 0 && blocks.has(pfn + (1 << order)))
      findings.add(`${name}: block ${pfn} and its buddy are not merged`);
  }
}
