/** Which PMD ranges khugepaged visits of an address space, from a page on: the rule of `khugepaged_scan_mm_slot` as a walk. */
import { findVma, type MmId, nextVma, TVA, type VmaId, type Vpn } from '@thplab/mm-model';
import { collapsePossibleOrders } from '@thplab/mthp-collapse';
import type { Khugepaged } from '../khugepaged.js';

/** First page of the first whole range in a VMA. */
export function firstBlock(k: Khugepaged, vma: VmaId): number {
  return Math.ceil(k.m.vma.start[vma] / k.m.ptes) * k.m.ptes;
}

/** End of the last whole range in a VMA. */
export function endBlock(k: Khugepaged, vma: VmaId): number {
  return Math.floor(k.m.vma.end[vma] / k.m.ptes) * k.m.ptes;
}

/** Whole ranges of one VMA that are still to be visited. */
export interface VmaBlocks {
  readonly vma: VmaId;
  /** Orders that khugepaged may build in it, as a bit mask. */
  readonly orders: number;
  readonly first: Vpn;
  readonly end: number;
}

/** VMAs from a page on; those in which there is nothing to visit have `first` at or after `end`. */
export function* vmaBlocks(k: Khugepaged, mm: MmId, from: number): Generator<VmaBlocks, void, undefined> {
  for (let vma = findVma(k.m, mm, from); vma !== 0; vma = nextVma(k.m, vma)) {
    const orders = collapsePossibleOrders(k.collapse, vma, TVA.khugepaged);
    const end = orders !== 0 ? endBlock(k, vma) : 0;
    yield { vma, orders, first: Math.max(from, firstBlock(k, vma)) as Vpn, end };
  }
}
