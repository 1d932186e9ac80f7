/**
 * Mapping a huge folio of the page cache by a PMD in place of a page table (`try_collapse_pte_mapped_thp`, khugepaged spec
 * 12), or, for khugepaged, only removing the table: the next fault maps the folio.
 */
import { getBit } from '@thplab/arena';
import {
  allocPmd,
  clearPte,
  directoryOf,
  doSetPmd,
  FAULT,
  type FileId,
  FOLIO,
  findPmd,
  flushBlock,
  folioDrop,
  folioHead,
  folioOrder,
  folioUnlock,
  isPteNone,
  linearIndex,
  lockCachedPage,
  type MmId,
  type Pfn,
  type PmdRef,
  pmdTable,
  pteBit,
  pteFreeDefer,
  ptePfn,
  removePteRmap,
  rssColumn,
  setFrameFlags,
  type TableId,
  TVA,
  thpVmaAllowableOrders,
  updateMirrors,
  VM,
  VMA_KIND,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { CollapseContext } from '../collapse-context.js';
import { orderBit } from '../orders.js';
import { checkPmdState } from '../pmd-state.js';
import { SCAN, type ScanResult } from '../results.js';

/**
 * SUCCEED: the range is mapped by a PMD (or, without `installPmd`, has no table any more); PMD_MAPPED: it was mapped so
 * before. FAIL: some entry maps another page, which a private mapping's own copies do. mmap_lock is held for reading.
 */
export function* tryCollapsePteMappedThp(
  ctx: CollapseContext,
  mm: MmId,
  page: Vpn,
  installPmd: boolean,
): Procedure<ScanResult> {
  const { m } = ctx;
  const vma = vmaAt(m, mm, page);
  if (vma === 0 || m.vma.kind[vma] === VMA_KIND.anon || m.vma.file[vma] === 0) return SCAN.VMA_CHECK;
  if (page + m.ptes > m.vma.end[vma]) return SCAN.VMA_CHECK;
  if (checkPmdState(m, ctx.generation, findPmd(m, mm, page)) === SCAN.PMD_MAPPED) return SCAN.PMD_MAPPED;
  // What is in the page cache would be mapped by a PMD on a fault too, whatever sysfs says.
  if (thpVmaAllowableOrders(m, vma, TVA.forcedCollapse, orderBit(m.pmdOrder)) === 0) return SCAN.VMA_CHECK;
  if ((m.vma.flags[vma] & VM.UFFD_WP) !== 0) return SCAN.PTE_UFFD_WP;
  const cached = yield* lockCachedPage(m, m.vma.file[vma] as FileId, linearIndex(m, vma, page));
  if (cached === 0) return SCAN.PAGE_NULL;
  const head = folioHead(m, cached);
  const huge = folioOrder(m, head) === m.pmdOrder;
  const result = huge ? yield* replaceTable(ctx, vma, page, head, installPmd) : SCAN.PAGE_COMPOUND;
  folioUnlock(m, head);
  folioDrop(m, head);
  return result;
}

/** The folio is locked, so nobody maps more of its pages meanwhile. */
function* replaceTable(
  ctx: CollapseContext,
  vma: VmaId,
  page: Vpn,
  head: Pfn,
  installPmd: boolean,
): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const mm = m.vma.mm[vma] as MmId;
  const pmd = findPmd(m, mm, page);
  const state = checkPmdState(m, generation, pmd);
  if (state === SCAN.SUCCEED) {
    const removed = yield* removeTable(ctx, vma, pmd, page, head);
    if (removed !== SCAN.SUCCEED) return removed;
  } else if (state !== SCAN.NO_PTE_TABLE && state !== SCAN.PMD_NULL && state !== SCAN.PMD_NONE) return state;
  if (!installPmd) return SCAN.SUCCEED;
  const mapped = yield* doSetPmd(m, vma, allocPmd(m, mm, page), page, head, false);
  return mapped === FAULT.ok ? SCAN.SUCCEED : SCAN.FAIL;
}

/** Removes the table with all entries, if they map the folio's pages, each at its place, or nothing. */
function* removeTable(ctx: CollapseContext, vma: VmaId, pmd: PmdRef, page: Vpn, head: Pfn): Procedure<ScanResult> {
  const { m } = ctx;
  const pmdLock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(pmdLock);
  if (checkPmdState(m, ctx.generation, pmd) !== SCAN.SUCCEED) {
    yield release(pmdLock);
    return SCAN.FAIL;
  }
  const table = pmdTable(m.directory.entry[pmd]);
  const pteLock = m.locks.pteLock.ref(table);
  yield acquire(pteLock);
  const result = judgeTable(ctx, table, head);
  const mapped = result === SCAN.SUCCEED ? unmapTable(ctx, vma, table, head) : 0;
  if (result === SCAN.SUCCEED) {
    m.directory.entry[pmd] = 0;
    flushBlock(m, m.vma.mm[vma] as MmId, page);
  }
  yield release(pteLock);
  yield release(pmdLock);
  if (result !== SCAN.SUCCEED) return result;
  yield spend(mapped * m.costs.setPte + m.costs.pmdFlush);
  yield* pteFreeDefer(m, table);
  return result;
}

function judgeTable({ m }: CollapseContext, table: TableId, head: Pfn): ScanResult {
  for (let slot = 0; slot < m.ptes; slot++) {
    if (isPteNone(m, table, slot)) continue;
    const pfn = ptePfn(m, table, slot);
    if (pfn < 0) return SCAN.PTE_NON_PRESENT;
    if (pfn !== head + slot) return SCAN.FAIL;
  }
  return SCAN.SUCCEED;
}

/** Unmaps all entries of the table; gives their number. */
function unmapTable({ m }: CollapseContext, vma: VmaId, table: TableId, head: Pfn): number {
  const mm = m.vma.mm[vma] as MmId;
  let mapped = 0;
  for (let slot = 0; slot < m.ptes; slot++) {
    if (isPteNone(m, table, slot)) continue;
    if (getBit(m.pte.dirty, pteBit(m, table, slot))) setFrameFlags(m, head, FOLIO.DIRTY);
    clearPte(m, table, slot);
    removePteRmap(m, (head + slot) as Pfn, mm);
    mapped++;
  }
  if (mapped === 0) return 0;
  const rss = rssColumn(m, head);
  rss[mm] = rss[mm] - mapped;
  folioDrop(m, head, mapped);
  updateMirrors(m, head);
  return mapped;
}
