/**
 * The scan of a page table as the kernel writes it: entry by entry, the rules in their order. It is the reference that
 * scan-planes.ts must equal, and decides the entries that scan-planes.ts cannot decide by counting.
 */
import { getBit, setBit } from '@thplab/arena';
import {
  FOLIO,
  folioExpectedRefs,
  folioHead,
  folioIsLazyfree,
  folioMaybeMappedShared,
  type Machine,
  NO_FRAME,
  nodeOf,
  ORDER_MASK,
  type Pfn,
  pteBit,
  pteCell,
  type TableId,
} from '@thplab/mm-model';
import { SCAN, type ScanResult } from '../results.js';
import type { TableScan } from './table-scan.js';

/** Scans all entries of a table whose lock the caller holds; `s` was reset and has its limits. */
export function scanEntryByEntry(m: Machine, table: TableId, s: TableScan): ScanResult {
  for (let slot = 0; slot < m.ptes; slot++) {
    if (!scanEntry(m, table, slot, s)) return s.result;
  }
  return s.conclude(m.ptes);
}

/**
 * Scans the entries of one window, from `slot` on, which need not be aligned; otherwise as above. `s.scanned` then counts the
 * entries of the window.
 */
export function scanWindow(m: Machine, table: TableId, slot: number, order: number, s: TableScan): ScanResult {
  const end = slot + (1 << order);
  let goesOn = true;
  for (let i = slot; i < end && goesOn; i++) goesOn = scanEntry(m, table, i, s);
  s.scanned -= slot;
  return goesOn ? s.conclude(1 << order) : s.result;
}

/** Looks at one entry (khugepaged spec 7.1 step 5, 15.8). False: the scan ends here, with the result in `s`. */
export function scanEntry(m: Machine, table: TableId, slot: number, s: TableScan): boolean {
  const bit = pteBit(m, table, slot);
  const isNonPresent = getBit(m.pte.nonPresent, bit);
  const isPresent = getBit(m.pte.present, bit);
  s.scanned = slot + 1;
  if (s.swapFirst && isNonPresent) return nonPresentEntry(m, bit, s);
  if ((!isPresent && !isNonPresent) || (isPresent && getBit(m.pte.zero, bit))) return emptyEntry(slot, s);
  if (isNonPresent) return nonPresentEntry(m, bit, s);
  if (getBit(m.pte.uffdWp, bit)) return s.stop(SCAN.PTE_UFFD_WP);
  if (getBit(m.pte.write, bit)) s.writable = true;
  const pfn = m.pte.pfn[pteCell(m, table, slot)];
  if (pfn === NO_FRAME) return s.stop(SCAN.PAGE_NULL);
  const head = folioHead(m, pfn);
  s.scanPfn = head;
  return mayMove(m, head, bit, s) && markOccupied(m, head, slot, s) && isCollapsible(m, head, bit, s);
}

/** Rule a. */
function emptyEntry(slot: number, s: TableScan): boolean {
  s.none++;
  if (s.none > s.noneLimit) return s.stop(SCAN.EXCEED_NONE_PTE);
  if (s.empty !== undefined) setBit(s.empty, slot);
  return true;
}

/** Rule b. */
function nonPresentEntry(m: Machine, bit: number, s: TableScan): boolean {
  s.unmapped++;
  if (s.unmapped > s.swapLimit) return s.stop(SCAN.EXCEED_SWAP_PTE);
  return getBit(m.pte.uffdWp, bit) ? s.stop(SCAN.PTE_UFFD_WP) : true;
}

/** Rules e to g. */
function mayMove(m: Machine, head: Pfn, bit: number, s: TableScan): boolean {
  if (s.refusesLazyfree && folioIsLazyfree(m, head) && !getBit(m.pte.dirty, bit)) return s.stop(SCAN.PAGE_LAZYFREE);
  if ((m.frame.flags[head] & FOLIO.ANON) === 0) return s.stop(SCAN.PAGE_ANON);
  if ((m.frame.flags[head] & ORDER_MASK) >= s.refusedFolioOrder) return s.stop(SCAN.PTE_MAPPED);
  if (folioMaybeMappedShared(m, head)) {
    s.shared++;
    if (s.shared > s.sharedLimit) return s.stop(SCAN.EXCEED_SHARED_PTE);
  }
  return true;
}

/** Rules h and i. */
function markOccupied(m: Machine, head: Pfn, slot: number, s: TableScan): boolean {
  setBit(s.bitmap, slot);
  const node = nodeOf(m, head);
  if (isTooFar(node, s)) return s.stop(SCAN.SCAN_ABORT);
  s.nodeLoad[node]++;
  return true;
}

/** Rules j to m. */
function isCollapsible(m: Machine, head: Pfn, bit: number, s: TableScan): boolean {
  const flags = m.frame.flags[head];
  if ((flags & FOLIO.LRU) === 0) return s.stop(SCAN.PAGE_LRU);
  if ((flags & FOLIO.LOCKED) !== 0) return s.stop(SCAN.PAGE_LOCK);
  if (m.frame.refcount[head] !== folioExpectedRefs(m, head)) return s.stop(SCAN.PAGE_COUNT);
  if (s.khugepaged && ((flags & (FOLIO.YOUNG | FOLIO.REFERENCED)) !== 0 || getBit(m.pte.young, bit))) s.referenced++;
  return true;
}

/** Some page seen before lies farther away than node reclaim accepts (`hpage_collapse_scan_abort`). */
export function isTooFar(node: number, s: TableScan): boolean {
  const { nodeReclaim, nodeLoad } = s;
  if (nodeReclaim === undefined || nodeLoad[node] > 0) return false;
  for (let seen = 0; seen < nodeLoad.length; seen++) {
    if (nodeLoad[seen] > 0 && nodeReclaim.distance(node, seen) > nodeReclaim.maxDistance) return true;
  }
  return false;
}
