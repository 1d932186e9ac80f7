/** The pages of one VMA of a snapshot, row by row; runs of ordinary pages go through the model's bulk functions. */
import { asBrand, clearBit, type Random, setBit } from '@thplab/arena';
import { NO_FRAME as NO_SNAPSHOT_FRAME, ORDER_UNKNOWN, PageFlag, PageKind, type SnapshotPages } from '@thplab/capture';
import {
  allocPmd,
  clearFrameFlags,
  ENTRY_KIND,
  type EntryKind,
  ensureTable,
  FOLIO,
  findTable,
  type Machine,
  type MmId,
  NO_FRAME,
  newTable,
  type Pfn,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  placeFilePages,
  placeFolio,
  placeMarkers,
  placeSwapped,
  placeZeroPages,
  pteBit,
  pteCell,
  setFrameFlags,
  setHugeZeroPmd,
  setMlocked,
  setPtePage,
  slotOf,
  type TableId,
  updateMirrors,
  VM,
  VMA_KIND,
  type VmaId,
  type Vpn,
} from '@thplab/mm-model';
import type { GhostMapper } from './ghost-mapper.js';
import type { PartFolios } from './part-folios.js';

/** What the pages of a VMA are loaded with. */
export interface PageLoad {
  readonly m: Machine;
  readonly mm: MmId;
  readonly vma: VmaId;
  readonly pages: SnapshotPages;
  readonly ghost: GhostMapper;
  readonly folios: PartFolios;
  /** Share of the pages whose entries are young. */
  readonly young: number;
  readonly random: Random;
  /** The flags from kpageflags are there. */
  readonly flagsKnown: boolean;
}

/** Loads all rows. */
export function loadPages(load: PageLoad): void {
  for (let row = 0; row < load.pages.length; ) row = loadRun(load, row);
}

/** Loads the pages of one kind from a row on; gives the row behind them. */
function loadRun(load: PageLoad, row: number): number {
  const { m, vma, pages } = load;
  const kind = pages.kind[row];
  const page = asBrand<Vpn>(pages.vpn[row]);
  if (kind === PageKind.anon || kind === PageKind.ksm) return loadAnon(load, row);
  if (kind === PageKind.zero && isHuge(load, row)) {
    setHugeZeroPmd(m, allocPmd(m, load.mm, page), newTable(m, load.mm, page));
    return row + m.ptes;
  }
  const end = endOfKind(pages, row);
  const count = end - row;
  switch (kind) {
    case PageKind.zero:
      placeZeroPages(m, vma, page, count, PTE_YOUNG);
      break;
    case PageKind.swap:
      placeSwapped(m, vma, page, count);
      break;
    case PageKind.file:
    case PageKind.shmem:
      if (m.vma.file[vma] !== 0) placeFilePages(m, vma, page, count, PTE_YOUNG);
      break;
    case PageKind.special:
      for (let i = 0; i < count; i++) placeSpecial(load, asBrand<Vpn>(page + i));
      break;
    case PageKind.guard:
    case PageKind.marker:
    case PageKind.nonswap:
      for (let at = row; at < end; at++) placeMarkers(m, vma, asBrand<Vpn>(pages.vpn[at]), 1, markerOf(pages, at));
      break;
  }
  return end;
}

/** First row behind those that follow each other in address and kind. */
function endOfKind(pages: SnapshotPages, row: number): number {
  let end = row + 1;
  while (end < pages.length && pages.kind[end] === pages.kind[row] && pages.vpn[end] === pages.vpn[end - 1] + 1) end++;
  return end;
}

function markerOf(pages: SnapshotPages, row: number): EntryKind {
  if (pages.kind[row] === PageKind.guard) return ENTRY_KIND.markerGuard;
  if (pages.kind[row] === PageKind.nonswap) return ENTRY_KIND.hwpoison;
  return (pages.flags[row] & PageFlag.uffdWp) !== 0 ? ENTRY_KIND.markerUffdWp : ENTRY_KIND.markerPoison;
}

function placeSpecial(load: PageLoad, page: Vpn): void {
  setPtePage(load.m, ensureTable(load.m, load.mm, page), slotOf(load.m, page), NO_FRAME, PTE_YOUNG);
}

function loadAnon(load: PageLoad, row: number): number {
  const { m, pages } = load;
  const order = orderAt(pages, row);
  if (order === 0) return loadBase(load, row);
  if (isHuge(load, row)) return loadHuge(load, row);
  if (order <= m.pmdOrder && isWhole(pages, row, order)) return loadWhole(load, row, order);
  load.folios.map(load, row, order);
  finishPage(load, row);
  return row + 1;
}

/** Order of the folio; unknown ones count as single pages. */
function orderAt(pages: SnapshotPages, row: number): number {
  return pages.order[row] === ORDER_UNKNOWN || pages.frame[row] === NO_SNAPSHOT_FRAME ? 0 : pages.order[row];
}

/** A run of single anonymous pages. */
function loadBase(load: PageLoad, row: number): number {
  const { m, vma, pages } = load;
  const kind = pages.kind[row];
  let end = row + 1;
  while (
    end < pages.length &&
    pages.kind[end] === kind &&
    pages.vpn[end] === pages.vpn[end - 1] + 1 &&
    orderAt(pages, end) === 0
  ) {
    end++;
  }
  placeBasePages(m, vma, asBrand<Vpn>(pages.vpn[row]), end - row, attributes(load));
  for (let at = row; at < end; at++) finishPage(load, at);
  return end;
}

/** Attributes of entries: the same for all, or by chance where only some are young. */
function attributes(load: PageLoad): number | (() => number) {
  const write = (load.m.vma.flags[load.vma] & VM.WRITE) !== 0 ? PTE_WRITE : 0;
  const fixed = PTE_DIRTY | write;
  if (load.young >= 1) return fixed | PTE_YOUNG;
  return load.young <= 0 ? fixed : () => fixed | (load.random.fraction() < load.young ? PTE_YOUNG : 0);
}

/** Attributes of one entry. */
export function attributesNow(load: PageLoad): number {
  const bits = attributes(load);
  return typeof bits === 'number' ? bits : bits();
}

/** A huge PMD: the capture says so, and all of its rows are there. */
function isHuge(load: PageLoad, row: number): boolean {
  const { m, pages } = load;
  if ((pages.flags[row] & PageFlag.pmdMapped) === 0 || pages.vpn[row] % m.ptes !== 0) return false;
  const last = row + m.ptes - 1;
  return last < pages.length && pages.vpn[last] === pages.vpn[row] + m.ptes - 1;
}

function loadHuge(load: PageLoad, row: number): number {
  const { m, vma, pages } = load;
  const page = asBrand<Vpn>(pages.vpn[row]);
  const head = placeFolio(m, vma, page, m.pmdOrder, attributesNow(load), { pmdMapped: true });
  if ((pages.flags[row] & PageFlag.exclusive) === 0) load.ghost.shareHuge(vma, page);
  finishFolio(load, row, head);
  return row + m.ptes;
}

/** The rows from here on map a folio from its first to its last page, at an address aligned to its size. */
function isWhole(pages: SnapshotPages, row: number, order: number): boolean {
  const count = 2 ** order;
  const last = row + count - 1;
  return (
    pages.vpn[row] % count === 0 &&
    pages.frame[row] % count === 0 &&
    last < pages.length &&
    pages.vpn[last] === pages.vpn[row] + count - 1 &&
    pages.frame[last] === pages.frame[row] + count - 1
  );
}

function loadWhole(load: PageLoad, row: number, order: number): number {
  const { m, vma, pages } = load;
  const head = placeFolio(m, vma, asBrand<Vpn>(pages.vpn[row]), order, attributesNow(load));
  const end = row + 2 ** order;
  for (let at = row; at < end; at++) finishPage(load, at);
  finishFolio(load, row, head);
  return end;
}

/** What is unusual about a page that has been placed: shared, merged, lazily freed, protected by userfaultfd. */
function finishPage(load: PageLoad, row: number): void {
  const { m, vma, pages } = load;
  const flags = pages.flags[row];
  const lazyfree = load.flagsKnown && (flags & PageFlag.swapBacked) === 0 && pages.kind[row] === PageKind.anon;
  const usual =
    (flags & (PageFlag.exclusive | PageFlag.uffdWp | PageFlag.mlocked | PageFlag.referenced)) === PageFlag.exclusive;
  if (usual && !lazyfree && pages.kind[row] === PageKind.anon) return;
  const page = asBrand<Vpn>(pages.vpn[row]);
  const table = findTable(m, load.mm, page) as TableId;
  const bit = pteBit(m, table, slotOf(m, page));
  const pfn = asBrand<Pfn>(m.pte.pfn[pteCell(m, table, slotOf(m, page))]);
  const order = m.frame.flags[pfn] & 0xf;
  if ((flags & PageFlag.uffdWp) !== 0) {
    setBit(m.pte.uffdWp, bit);
    clearBit(m.pte.write, bit);
  }
  if (order === 0) finishFolio(load, row, pfn);
  if (order === 0 && lazyfree) {
    clearBit(m.pte.dirty, bit);
    clearFrameFlags(m, pfn, FOLIO.SWAPBACKED);
    updateMirrors(m, pfn);
  }
  if ((flags & PageFlag.exclusive) === 0) load.ghost.sharePage(vma, table, page, pfn);
}

/** Facts of a folio. */
function finishFolio(load: PageLoad, row: number, head: Pfn): void {
  const { m, pages } = load;
  const flags = pages.flags[row];
  if (pages.kind[row] === PageKind.ksm) setFrameFlags(m, head, FOLIO.KSM);
  if ((flags & PageFlag.mlocked) !== 0 && (m.frame.flags[head] & FOLIO.MLOCKED) === 0) setMlocked(m, head, true);
  if ((flags & PageFlag.referenced) === 0) return;
  setFrameFlags(m, head, FOLIO.REFERENCED);
  if (m.vma.kind[load.vma] === VMA_KIND.anon) updateMirrors(m, head);
}
