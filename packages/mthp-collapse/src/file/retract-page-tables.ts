/**
 * Taking away the page tables that a huge folio in the page cache has made useless, so that the next fault maps it by a PMD
 * (`retract_page_tables`, khugepaged spec 12). No mmap_lock is taken: the VMAs of the file are held by i_mmap_rwsem, and
 * the folio's lock keeps faults from filling the tables again.
 */
import {
  directoryOf,
  findPmd,
  flushBlock,
  type Machine,
  type MmId,
  mmIsExiting,
  type PmdRef,
  pmdTable,
  pteFreeDefer,
  type TableId,
  VM,
  type VmaId,
  type Vpn,
  vmasOfFile,
} from '@thplab/mm-model';
import { acquire, type Procedure, READ, release, spend } from '@thplab/sync';
import type { CollapseContext } from '../collapse-context.js';
import { checkPmdState } from '../pmd-state.js';
import { SCAN } from '../results.js';
import type { FileRange } from './file-range.js';

/** Retracts the tables of all suitable VMAs that map the range. The new folio is locked; no other lock at entry and exit. */
export function* retractPageTables(ctx: CollapseContext, { file, start }: FileRange): Procedure<void> {
  const { m } = ctx;
  yield acquire(m.locks.fileMap.ref(file), READ);
  const freed: TableId[] = [];
  for (const vma of vmasOfFile(m, file)) {
    const page = m.vma.start[vma] + (start - m.vma.pgoff[vma]);
    const maps = start >= m.vma.pgoff[vma] && page < m.vma.end[vma];
    if (!maps || !isRetractable(m, vma)) continue;
    if (page % m.ptes !== 0 || m.vma.end[vma] < page + m.ptes) continue;
    const mm = m.vma.mm[vma] as MmId;
    const pmd = findPmd(m, mm, page as Vpn);
    if (checkPmdState(m, ctx.generation, pmd) !== SCAN.SUCCEED || mmIsExiting(m, mm)) continue;
    const table = yield* retractTable(ctx, vma, pmd, page as Vpn);
    if (table !== 0) freed.push(table);
  }
  yield release(m.locks.fileMap.ref(file), READ);
  for (const table of freed) yield* pteFreeDefer(m, table);
}

/** Pages of its own, write protection and guard markers are kept in page tables. */
function isRetractable(m: Machine, vma: VmaId): boolean {
  return m.vma.anonVma[vma] === 0 && (m.vma.flags[vma] & (VM.UFFD_WP | VM.MAYBE_GUARD)) === 0;
}

/** Takes the table out of the PMD, if all is still as it was; gives it, or 0. */
function* retractTable(ctx: CollapseContext, vma: VmaId, pmd: PmdRef, page: Vpn): Procedure<TableId | 0> {
  const { m } = ctx;
  const pmdLock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(pmdLock);
  let table: TableId | 0 = 0;
  if (checkPmdState(m, ctx.generation, pmd) === SCAN.SUCCEED) {
    const found = pmdTable(m.directory.entry[pmd]);
    yield acquire(m.locks.pteLock.ref(found));
    if (isRetractable(m, vma)) {
      m.directory.entry[pmd] = 0;
      flushBlock(m, m.vma.mm[vma] as MmId, page);
      table = found;
    }
    yield release(m.locks.pteLock.ref(found));
  }
  yield release(pmdLock);
  if (table !== 0) yield spend(m.costs.pmdFlush);
  return table;
}
