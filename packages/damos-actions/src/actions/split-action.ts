/** The split action of the target_order series (DAMON spec 4.3): huge folios of a region become smaller ones. */
import {
  directoryOf,
  findPmd,
  folioDrop,
  folioGet,
  folioHead,
  folioOrder,
  folioTrylock,
  folioUnlock,
  type Machine,
  type MmId,
  mmapReadLock,
  mmapReadUnlock,
  mmgetNotZero,
  mmput,
  NO_FRAME,
  NO_PMD,
  type Pfn,
  PMD,
  PMD_ZERO,
  pmdPfn,
  pmdTable,
  pmdType,
  pteOffsetMapLock,
  ptePfn,
  slotOf,
  splitFolioToOrder,
  updateMirrors,
  type Vpn,
  vmaAt,
  ZERO_FRAME,
} from '@thplab/mm-model';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { Damon } from '../damon.js';
import { blocksTouched } from './blocks.js';
import { type ActionOutcome, NOTHING_DONE } from './outcome.js';

/**
 * Splits the folio at the start of each PMD-sized block that the region touches. A block whose start is not mapped, or
 * whose folio is small, locked or referenced by others, is passed over. A block counts in full where the split succeeded,
 * and as passed in any case; so a region that is not aligned can apply more bytes than it has.
 */
export function* splitAction(d: Damon, target: number, region: number, order: number): Procedure<ActionOutcome> {
  const { m } = d;
  const pageSize = 2 ** m.geometry.pageShift;
  const blockSize = m.ptes * pageSize;
  const mm = d.t.damonTarget.mm[target] as MmId;
  if (!mmgetNotZero(m, mm)) return NOTHING_DONE;
  const { start, end } = d.t.damonRegion;
  let applied = 0;
  let passed = 0;
  for (const block of blocksTouched(start[region], end[region], blockSize)) {
    if (yield* splitBlock(d, mm, (block / pageSize) as Vpn, order)) applied += blockSize;
    passed += blockSize;
  }
  yield* mmput(m, mm);
  return { applied, passed };
}

/** True if the folio at `page` was split. */
function* splitBlock(d: Damon, mm: MmId, page: Vpn, order: number): Procedure<boolean> {
  const { m, splitGuard } = d;
  if (splitGuard.before !== undefined && hasLargeFolio(m, mm, page, order)) {
    if (!(yield* splitGuard.before(mm, page))) return false;
  }
  yield* mmapReadLock(m, mm);
  yield spend(m.costs.scanVisit);
  const head = vmaAt(m, mm, page) === 0 ? 0 : yield* holdFolioAt(d, mm, page);
  let split = false;
  if (head !== 0) {
    const large = folioOrder(m, head) > order;
    if (large && folioTrylock(m, head)) {
      split = (yield* splitFolioToOrder(m, head, order)) === 0;
      folioUnlock(m, head);
    }
    folioDrop(m, head);
    if (large) splitGuard.after?.(mm, page, split);
  }
  yield* mmapReadUnlock(m, mm);
  return split;
}

/** A look without locks: whether there is something to be split at a page. */
function hasLargeFolio(m: Machine, mm: MmId, page: Vpn, order: number): boolean {
  const pmd = findPmd(m, mm, page);
  const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) return (entry & PMD_ZERO) === 0;
  if (pmdType(entry) !== PMD.table) return false;
  const pfn = ptePfn(m, pmdTable(entry), slotOf(m, page));
  return pfn > ZERO_FRAME && pfn !== NO_FRAME && folioOrder(m, folioHead(m, pfn)) > order;
}

/** The folio that a page is mapped to, with a reference; 0 if there is none. mmap_lock is the caller's. */
function* holdFolioAt(d: Damon, mm: MmId, page: Vpn): Procedure<Pfn | 0> {
  const { m } = d;
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return 0;
  if (pmdType(m.directory.entry[pmd]) === PMD.huge) {
    const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
    yield acquire(lock);
    const entry = m.directory.entry[pmd];
    const maps = pmdType(entry) === PMD.huge && (entry & PMD_ZERO) === 0;
    const head = maps ? hold(d, pmdPfn(m, entry)) : 0;
    yield release(lock);
    return head;
  }
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) !== PMD.table) return 0;
  const table = pmdTable(entry);
  if (!(yield* pteOffsetMapLock(m, mm, table, page))) return 0;
  const head = hold(d, ptePfn(m, table, slotOf(m, page)));
  yield release(m.locks.pteLock.ref(table));
  return head;
}

function hold({ m }: Damon, pfn: number): Pfn | 0 {
  if (pfn <= ZERO_FRAME || pfn === NO_FRAME) return 0;
  const head = folioHead(m, pfn);
  folioGet(m, head);
  updateMirrors(m, head);
  return head;
}
