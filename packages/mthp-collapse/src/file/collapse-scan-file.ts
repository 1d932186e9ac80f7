/**
 * The scan of one PMD range of the page cache (`collapse_scan_file`, khugepaged spec 12): of a file or of shared memory,
 * whether its pages are mapped or not. No lock is held, but a reference on the file: the page cache may change at any time,
 * and collapse-file.ts looks at everything again under locks.
 */
import {
  countVmEvent,
  FOLIO,
  fileFolioExpectedRefs,
  folioHas,
  folioHead,
  folioOrder,
  folioPages,
  type Machine,
  nodeOf,
  type Pfn,
  pageCacheLookup,
  pageCacheSwapSlot,
} from '@thplab/mm-model';
import { type Procedure, preempt, spend } from '@thplab/sync';
import { type CollapseContext, readPtesSettings } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { COLLAPSE_POINT } from '../collapse-points.js';
import { traceScanFile } from '../collapse-trace.js';
import { SCAN, type ScanResult } from '../results.js';
import { isTooFar } from '../scan/scan-entry-by-entry.js';
import { collapseFile } from './collapse-file.js';
import type { FileRange } from './file-range.js';

/** What the scan counted. */
interface FileScan {
  present: number;
  swap: number;
  scanPfn: number;
}

/**
 * Scans the range, and collapses it if nothing stands in the way. Only khugepaged has limits: max_ptes_swap for each swapped
 * page as it comes, max_ptes_none for the missing ones at the end; userfaultfd plays no part in either. Charges
 * `cc.progress` with the whole range, or with 1 if there is a huge folio already.
 */
export function* collapseScanFile(ctx: CollapseContext, cc: CollapseControl, range: FileRange): Procedure<ScanResult> {
  const { m } = ctx;
  const { maxPtesNone, maxPtesSwap } = readPtesSettings(m);
  const found: FileScan = { present: 0, swap: 0, scanPfn: -1 };
  cc.scan.reset();
  let result = scanPages(m, cc, range, found, cc.isKhugepaged ? maxPtesSwap : m.ptes);
  if (result === SCAN.EXCEED_SWAP_PTE) countVmEvent(m, 'thp_scan_exceed_swap_pte');
  const charge = result === SCAN.PTE_MAPPED_HUGEPAGE ? 1 : m.ptes;
  cc.progress += charge;
  yield spend(charge * m.costs.scanPte);
  if (result === SCAN.SUCCEED && cc.isKhugepaged && found.present < m.ptes - maxPtesNone) {
    result = SCAN.EXCEED_NONE_PTE;
    countVmEvent(m, 'thp_scan_exceed_none_pte');
  }
  tellRecorder(ctx, cc, range, found, result);
  if (result === SCAN.SUCCEED) {
    yield preempt(COLLAPSE_POINT.afterScan);
    result = yield* collapseFile(ctx, cc, range);
  }
  traceScanFile(ctx, range, found, result);
  return result;
}

function tellRecorder(
  ctx: CollapseContext,
  cc: CollapseControl,
  { mm, page }: FileRange,
  found: FileScan,
  result: ScanResult,
): void {
  const { scan } = cc;
  scan.scanned = ctx.m.ptes;
  scan.none = ctx.m.ptes - found.present - found.swap;
  scan.unmapped = found.swap;
  scan.scanPfn = found.scanPfn;
  ctx.recorder?.scanned?.(mm, page, result, scan);
}

/** Looks at all pages in turn; the first that stands in the way ends it. */
function scanPages(
  m: Machine,
  cc: CollapseControl,
  { file, start }: FileRange,
  found: FileScan,
  maxSwap: number,
): ScanResult {
  for (let index = start; index < start + m.ptes; ) {
    const pfn = pageCacheLookup(m, file, index);
    if (pfn === 0) {
      if (pageCacheSwapSlot(m, file, index) !== 0 && ++found.swap > maxSwap) return SCAN.EXCEED_SWAP_PTE;
      index++;
      continue;
    }
    const head = folioHead(m, pfn);
    found.scanPfn = head;
    const result = scanFolio(m, cc, head);
    if (result !== SCAN.SUCCEED) return result;
    found.present += folioPages(m, head);
    index += folioPages(m, head);
  }
  return SCAN.SUCCEED;
}

function scanFolio(m: Machine, cc: CollapseControl, head: Pfn): ScanResult {
  if (folioOrder(m, head) === m.pmdOrder) return SCAN.PTE_MAPPED_HUGEPAGE;
  const node = nodeOf(m, head);
  if (isTooFar(node, cc.scan)) return SCAN.SCAN_ABORT;
  cc.scan.nodeLoad[node]++;
  if (!folioHas(m, head, FOLIO.LRU)) return SCAN.PAGE_LRU;
  return m.frame.refcount[head] === fileFolioExpectedRefs(m, head) ? SCAN.SUCCEED : SCAN.PAGE_COUNT;
}
