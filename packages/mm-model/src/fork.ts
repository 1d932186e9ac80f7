/**
 * fork: a second address space that shares all anonymous pages until somebody writes (`dup_mmap`, `copy_page_range`).
 * Pages become read-only in both; a page that may be pinned for DMA is copied at once, so that the pin stays with the
 * parent. File pages are not copied: the child faults them in.
 */
import { asBrand, findBit, getBit } from '@thplab/arena';
import { acquire, acquireNested, type Procedure, release, spend, WRITE } from '@thplab/sync';
import { anonVmaFork } from './anon-vma.js';
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { pteAlloc } from './fault.js';
import { ENTRY_KIND, entryKind, entryValue, FOLIO, MMF, NO_FRAME, PAGE, VM, ZERO_FRAME } from './flags.js';
import { clearFrameFlags, folioHas, folioHead, isAnonExclusive } from './folio.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { folioMaybeDmaPinned } from './gup.js';
import { setHugePmd, setHugeZeroPmd, splitHugePmd } from './huge-pmd.js';
import { folioAddLru } from './lru.js';
import type { Machine } from './machine.js';
import { mmAlloc, mmput } from './mm.js';
import { allocFolio, GFP } from './page-alloc.js';
import {
  allocPmd,
  blockOf,
  directoryOf,
  findPmd,
  flushBlock,
  NO_PMD,
  newTable,
  PMD,
  PMD_UFFD_WP,
  PMD_WRITE,
  PMD_YOUNG,
  PMD_ZERO,
  type PmdRef,
  PTE_DIRTY,
  PTE_UFFD_WP,
  PTE_WRITE,
  PTE_YOUNG,
  pmdPfn,
  pmdTable,
  pmdType,
  pteAttributes,
  pteBit,
  pteCell,
  setPteEntry,
  setPtePage,
  setPteZero,
  slotOf,
  writeProtectPte,
} from './page-table.js';
import { addAnonPmdRmap, addAnonPteRmap, addNewAnonRmap } from './rmap-change.js';
import { swapDuplicate } from './swap-slots.js';
import { vmaDup } from './vma/vma-rows.js';
import { mmapWriteUnlock, vmaStartWrite } from './vma-locks.js';
import { insertVma, vmasOf } from './vma-tree.js';

/**
 * Makes a child of an address space. No lock is held at entry and exit. Gives the child, with one user; or 0 (-ENOMEM) if
 * there is no memory for the copy of a pinned page, and then the child is gone again.
 */
export function* dupMm(m: Machine, parent: MmId): Procedure<MmId> {
  const child = mmAlloc(m);
  const inherited = MMF.DISABLE_THP_COMPLETELY | MMF.DISABLE_THP_EXCEPT_ADVISED;
  m.mm.flags[child] = m.mm.flags[parent] & inherited;
  m.mm.family[child] = m.mm.family[parent];
  m.mm.memcg[child] = m.mm.memcg[parent];
  yield acquire(m.locks.mmapLock.ref(parent), WRITE);
  yield acquireNested(m.locks.mmapLock.ref(child), WRITE);
  yield* m.hooks.khugepagedFork(child, parent);
  let copied = true;
  for (const vma of vmasOf(m, parent)) {
    if ((m.vma.flags[vma] & VM.DONTCOPY) !== 0) continue;
    yield* vmaStartWrite(m, vma);
    copied = yield* copyVma(m, vma, child);
    if (!copied) break;
  }
  yield* mmapWriteUnlock(m, child);
  yield* mmapWriteUnlock(m, parent);
  if (copied) return child;
  yield* mmput(m, child);
  return asBrand(0);
}

/** False: no memory. */
function* copyVma(m: Machine, source: VmaId, child: MmId): Procedure<boolean> {
  const vma = vmaDup(m, source, child);
  // userfaultfd stays with the parent (no UFFD_FEATURE_EVENT_FORK); locks are not inherited.
  m.vma.flags[vma] &= ~(VM.UFFD_MISSING | VM.UFFD_MINOR | VM.UFFD_WP | VM.LOCKED);
  yield* anonVmaFork(m, vma, source);
  insertVma(m, vma);
  yield spend(m.costs.vmaChange);
  const wipe = (m.vma.flags[source] & VM.WIPEONFORK) !== 0;
  // Only anonymous pages need copying; file pages can be faulted in again (`vma_needs_copy`).
  if (wipe || m.vma.anonVma[source] === 0) return true;
  const end = m.vma.end[source];
  for (let page = m.vma.start[source]; page < end; ) {
    const blockEnd = Math.min(end, (blockOf(m, page as Vpn) + 1) * m.ptes);
    const pmd = findPmd(m, m.vma.mm[source] as MmId, page as Vpn);
    if (pmd !== NO_PMD && m.directory.entry[pmd] !== PMD.none) {
      if (!(yield* copyBlock(m, source, vma, pmd, page as Vpn, blockEnd as Vpn))) return false;
    }
    page = blockEnd;
  }
  return true;
}

function* copyBlock(m: Machine, source: VmaId, vma: VmaId, pmd: PmdRef, from: Vpn, to: Vpn): Procedure<boolean> {
  if (pmdType(m.directory.entry[pmd]) === PMD.huge && (yield* copyHugePmd(m, source, vma, pmd, from))) return true;
  if (pmdType(m.directory.entry[pmd]) !== PMD.table) return true;
  const sourceTable = pmdTable(m.directory.entry[pmd]);
  const child = m.vma.mm[vma] as MmId;
  const table = yield* pteAlloc(m, child, allocPmd(m, child, from), from);
  if (table === 0) return true;
  const dst = m.locks.pteLock.ref(table);
  const src = m.locks.pteLock.ref(sourceTable);
  const pinned: number[] = [];
  yield acquire(dst);
  yield acquireNested(src);
  const copied = copyPtes(m, vma, sourceTable, table, slotOf(m, from), slotOf(m, from) + (to - from), pinned);
  yield release(src);
  yield release(dst);
  yield spend(copied * m.costs.setPte);
  for (const slot of pinned) {
    const page = (from - slotOf(m, from) + slot) as Vpn;
    if (!(yield* copyPinnedPage(m, vma, sourceTable, table, slot, page))) return false;
  }
  return true;
}

/** Shares a huge page; false if it had to be split because part of it may be pinned. */
function* copyHugePmd(m: Machine, source: VmaId, vma: VmaId, pmd: PmdRef, page: Vpn): Procedure<boolean> {
  const child = m.vma.mm[vma] as MmId;
  const target = allocPmd(m, child, page);
  const dst = m.locks.pmdLock.ref(directoryOf(m, target));
  const src = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(dst);
  yield acquireNested(src);
  const entry = m.directory.entry[pmd];
  let done = true;
  if (pmdType(entry) !== PMD.huge) done = false;
  else if ((entry & PMD_ZERO) !== 0) setHugeZeroPmd(m, target, newTable(m, child, page));
  else if (!folioHas(m, pmdPfn(m, entry), FOLIO.ANON))
    done = true; // A file's: the child will fault it in.
  else if (isAnonExclusive(m, pmdPfn(m, entry)) && folioMaybeDmaPinned(m, pmdPfn(m, entry))) {
    splitHugePmd(m, source, pmd, page);
    done = false;
  } else shareHugePmd(m, child, pmd, target, page, newTable(m, child, page));
  yield release(src);
  yield release(dst);
  yield spend(m.costs.setPte + m.costs.pmdFlush);
  return done;
}

function shareHugePmd(m: Machine, child: MmId, pmd: PmdRef, target: PmdRef, page: Vpn, deposit: TableId): void {
  const entry = m.directory.entry[pmd];
  const head = pmdPfn(m, entry);
  clearFrameFlags(m, head, PAGE.ANON_EXCLUSIVE);
  folioGet(m, head);
  addAnonPmdRmap(m, head, child);
  m.mm.rssAnon[child] += m.ptes;
  m.directory.entry[pmd] = (entry & ~PMD_WRITE) >>> 0;
  flushBlock(m, asBrand<MmId>(m.directory.mm[directoryOf(m, pmd)]), page);
  setHugePmd(m, target, head, entry & 0xf8 & ~(PMD_WRITE | PMD_YOUNG | PMD_UFFD_WP), deposit);
  updateMirrors(m, head);
}

/** Copies entries under both PTE locks; slots whose page may be pinned are left to the caller. Gives the number copied. */
function copyPtes(
  m: Machine,
  vma: VmaId,
  source: TableId,
  table: TableId,
  from: number,
  to: number,
  pinned: number[],
): number {
  const base = pteBit(m, source, 0);
  let copied = 0;
  for (
    let bit = findBit(m.pte.present, base + from, base + to);
    bit >= 0;
    bit = findBit(m.pte.present, bit + 1, base + to)
  ) {
    if (!sharePresentPte(m, vma, source, table, bit - base)) pinned.push(bit - base);
    copied++;
  }
  for (let bit = findBit(m.pte.nonPresent, base + from, base + to); bit >= 0; ) {
    copyEntry(m, vma, source, table, bit - base);
    bit = findBit(m.pte.nonPresent, bit + 1, base + to);
    copied++;
  }
  return copied;
}

function sharePresentPte(m: Machine, vma: VmaId, source: TableId, table: TableId, slot: number): boolean {
  const mm = m.vma.mm[vma] as MmId;
  const pfn = m.pte.pfn[pteCell(m, source, slot)];
  // A private page stays dirty in the child too: neither may drop it as lazily freed on behalf of the other.
  const shared = (m.vma.flags[vma] & VM.SHARED) === 0 ? 0 : PTE_DIRTY;
  const attributes = pteAttributes(m, source, slot) & ~(PTE_WRITE | PTE_YOUNG | PTE_UFFD_WP | shared);
  if (pfn === ZERO_FRAME) {
    setPteZero(m, table, slot, attributes);
    return true;
  }
  if (pfn === NO_FRAME) {
    setPtePage(m, table, slot, pfn, attributes);
    return true;
  }
  const head = folioHead(m, pfn);
  const anon = folioHas(m, head, FOLIO.ANON);
  if (anon && isAnonExclusive(m, pfn) && folioMaybeDmaPinned(m, head)) return false;
  if (anon) clearFrameFlags(m, pfn, PAGE.ANON_EXCLUSIVE);
  writeProtectPte(m, source, slot);
  folioGet(m, head);
  addAnonPteRmap(m, pfn as Pfn, mm);
  if (anon) m.mm.rssAnon[mm]++;
  else m.mm[folioHas(m, head, FOLIO.SHMEM) ? 'rssShmem' : 'rssFile'][mm]++;
  setPtePage(m, table, slot, pfn, attributes);
  updateMirrors(m, head);
  return true;
}

/** Swap and migration entries are shared; markers belong to the parent's userfaultfd, guards are kept. */
function copyEntry(m: Machine, vma: VmaId, source: TableId, table: TableId, slot: number): void {
  const entry = m.pte.pfn[pteCell(m, source, slot)];
  const kind = entryKind(entry);
  if (kind === ENTRY_KIND.markerUffdWp) return;
  if (kind === ENTRY_KIND.swap) {
    swapDuplicate(m, entryValue(entry));
    m.mm.swapEnts[m.vma.mm[vma]]++;
  }
  setPteEntry(m, table, slot, entry);
}

/** `copy_present_page`: the child gets a copy of a page that may be pinned. False: no memory. */
function* copyPinnedPage(
  m: Machine,
  vma: VmaId,
  source: TableId,
  table: TableId,
  slot: number,
  page: Vpn,
): Procedure<boolean> {
  const fresh = yield* allocFolio(m, 0, GFP.movable, 0);
  if (fresh === 0) return false;
  yield spend(m.costs.copyPage);
  const lock = m.locks.pteLock.ref(table);
  yield acquire(lock);
  if (getBit(m.pte.present, pteBit(m, source, slot))) {
    m.frame.stamp[fresh] = m.frame.stamp[m.pte.pfn[pteCell(m, source, slot)]];
    addNewAnonRmap(m, fresh, vma, page);
    folioAddLru(m, fresh);
    const writable = (m.vma.flags[vma] & VM.WRITE) === 0 ? 0 : PTE_WRITE;
    setPtePage(m, table, slot, fresh, writable | PTE_DIRTY);
    m.mm.rssAnon[m.vma.mm[vma]]++;
  } else folioPut(m, fresh);
  yield release(lock);
  return true;
}
