/**
 * Setting up memory without faults: the state of a process as it is found, not as it came about. No time passes, no lock
 * is taken, no counter of events moves; counts of what is there (RSS, nr_anon, ...) do.
 */
import { asBrand, Random, setBits } from '@thplab/arena';
import { anonVmaPrepareNow } from './anon-vma.js';
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { takeBlock, takeExact } from './buddy.js';
import { installHuge } from './fault-huge.js';
import { ENTRY_KIND, type EntryKind, FOLIO, makeEntry, PAGE } from './flags.js';
import { linearIndex, setFrameFlags } from './folio.js';
import { folioGet } from './folio-lifetime.js';
import { initMirrors } from './folio-mirror.js';
import { lruAddDrainCpu } from './lru.js';
import { countVmEvent, type Machine, nextStamp, nodeOf } from './machine.js';
import {
  allocPmd,
  makePmdTable,
  newTable,
  PMD,
  PMD_WRITE,
  PMD_YOUNG,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  setPmd,
  setPteEntry,
  setPtePage,
  setPteZero,
  slotOf,
} from './page-table.js';
import { addNewAnonRmap } from './rmap-change.js';
import { swapAlloc } from './swap-slots.js';

/** There is not enough modelled memory (or swap) for what was to be placed. */
export class PopulateError extends Error {
  override readonly name: string = 'PopulateError';
}

const FRESH = FOLIO.ANON | FOLIO.SWAPBACKED | FOLIO.UPTODATE | FOLIO.LRU | PAGE.ANON_EXCLUSIVE | PAGE.ALLOCATED;

/** The table that maps a page, made if need be. */
export function ensureTable(m: Machine, mm: MmId, page: Vpn): TableId {
  const pmd = allocPmd(m, mm, page);
  if (pmdType(m.directory.entry[pmd]) === PMD.none) setPmd(m, pmd, makePmdTable(newTable(m, mm, page)));
  if (pmdType(m.directory.entry[pmd]) !== PMD.table) {
    throw new PopulateError(`page ${page} lies in a range that is mapped huge already`);
  }
  return pmdTable(m.directory.entry[pmd]);
}

/**
 * Maps `count` none pages from `first` on to base pages with contents of their own, on the LRU, exclusive. `attributes`:
 * PTE_YOUNG, PTE_DIRTY, PTE_WRITE bits, the same for all or by page.
 */
export function placeBasePages(
  m: Machine,
  vma: VmaId,
  first: Vpn,
  count: number,
  attributes: number | ((page: number) => number),
  node = 0,
): void {
  anonVmaPrepareNow(m, vma);
  const end = first + count;
  for (let page = first as number; page < end; ) {
    const blockEnd = Math.min(end, page - (page % m.ptes) + m.ptes);
    const table = ensureTable(m, m.vma.mm[vma] as MmId, page as Vpn);
    for (let at = page; at < blockEnd; ) {
      const run = takeFrames(m, blockEnd - at, node);
      placeRun(m, vma, table, at as Vpn, run.pfn, run.count);
      at += run.count;
    }
    setAttributes(m, table, page, blockEnd, attributes);
    page = blockEnd;
  }
  m.mm.rssAnon[m.vma.mm[vma]] += count;
  countVmEvent(m, 'nr_anon_pages', count);
}

/** Up to `count` contiguous frames, each an order-0 folio. */
function takeFrames(m: Machine, count: number, node: number): { pfn: Pfn; count: number } {
  for (let i = 0; i < m.nodes; i++) {
    const nid = (node + i) % m.nodes;
    for (let order = 31 - Math.clz32(count); order >= 0; order--) {
      const pfn = takeBlock(m, nid, order);
      if (pfn !== 0) return { pfn, count: 1 << order };
    }
  }
  throw new PopulateError(`no memory left for ${count} more pages: raise the machine's memory, or populate less`);
}

function placeRun(m: Machine, vma: VmaId, table: TableId, page: Vpn, pfn: Pfn, count: number): void {
  const { flags, refcount, mapcount, stamp, mapping, index } = m.frame;
  const end = pfn + count;
  const stamps = Atomics.add(m.machine.nextStamp, 0, count) + 1;
  const linear = linearIndex(m, vma, page);
  flags.fill(FRESH, pfn, end);
  refcount.fill(1, pfn, end);
  mapcount.fill(1, pfn, end);
  mapping.fill(m.vma.anonVma[vma], pfn, end);
  m.frame.memcg.fill(m.mm.memcg[m.vma.mm[vma]], pfn, end);
  const cell = pteCell(m, table, slotOf(m, page));
  for (let i = 0; i < count; i++) {
    stamp[pfn + i] = stamps + i;
    index[pfn + i] = (linear + i) % 2 ** 32;
    m.pte.pfn[cell + i] = pfn + i;
  }
  const bit = pteBit(m, table, slotOf(m, page));
  setBits(m.pte.present, bit, bit + count);
}

function setAttributes(
  m: Machine,
  table: TableId,
  from: number,
  to: number,
  attributes: number | ((page: number) => number),
): void {
  const base = pteBit(m, table, slotOf(m, from as Vpn));
  const put = (at: number, end: number, bits: number): void => {
    if ((bits & PTE_YOUNG) !== 0) setBits(m.pte.young, base + at, base + end);
    if ((bits & PTE_DIRTY) !== 0) setBits(m.pte.dirty, base + at, base + end);
    if ((bits & PTE_WRITE) !== 0) setBits(m.pte.write, base + at, base + end);
  };
  if (typeof attributes === 'number') put(0, to - from, attributes);
  else for (let page = from; page < to; page++) put(page - from, page - from + 1, attributes(page));
}

/**
 * Maps a folio of the order at its naturally aligned place, by one PTE per page, or by a huge PMD if `pmdMapped` (PMD
 * order only). All pages get the attributes.
 */
export function placeFolio(
  m: Machine,
  vma: VmaId,
  page: Vpn,
  order: number,
  attributes: number,
  options: { readonly pmdMapped?: boolean; readonly node?: number } = {},
): Pfn {
  anonVmaPrepareNow(m, vma);
  const head = takeFolio(m, order, options.node ?? 0);
  const pages = 1 << order;
  for (let i = 0; i < pages; i++) m.frame.stamp[head + i] = nextStamp(m);
  const mm = m.vma.mm[vma] as MmId;
  if (options.pmdMapped === true) {
    placeHuge(m, vma, page, head, attributes);
    return head;
  }
  const table = ensureTable(m, mm, page);
  folioGet(m, head, pages - 1);
  addNewAnonRmap(m, head, vma, page);
  setFrameFlags(m, head, FOLIO.LRU);
  initMirrors(m, head);
  for (let i = 0; i < pages; i++) setPtePage(m, table, slotOf(m, page) + i, head + i, attributes);
  m.mm.rssAnon[mm] += pages;
  return head;
}

function placeHuge(m: Machine, vma: VmaId, page: Vpn, head: Pfn, attributes: number): void {
  const mm = m.vma.mm[vma] as MmId;
  const pmd = allocPmd(m, mm, page);
  if (m.directory.entry[pmd] !== PMD.none) throw new PopulateError(`page ${page}: the range has a page table already`);
  installHuge(m, vma, pmd, page, head, newTable(m, mm, page));
  lruAddDrainCpu(m, m.current.cpu);
  if ((attributes & PTE_YOUNG) === 0) m.directory.entry[pmd] = (m.directory.entry[pmd] & ~PMD_YOUNG) >>> 0;
  if ((attributes & PTE_WRITE) === 0) m.directory.entry[pmd] = (m.directory.entry[pmd] & ~PMD_WRITE) >>> 0;
}

/** A block of the order. Errors: PopulateError if there is none. */
export function takeFolio(m: Machine, order: number, node: number): Pfn {
  for (let i = 0; i < m.nodes; i++) {
    const pfn = takeBlock(m, (node + i) % m.nodes, order);
    if (pfn !== 0) return pfn;
  }
  throw new PopulateError(
    `no free block of ${1 << order} pages: raise the machine's memory or lower its fragmentation`,
  );
}

/** Maps `count` none pages to the shared zero page. The VMA gets no anon_vma from that, as after read faults. */
export function placeZeroPages(m: Machine, vma: VmaId, first: Vpn, count: number, attributes: number): void {
  for (let page = first as number; page < first + count; page++) {
    setPteZero(m, ensureTable(m, m.vma.mm[vma] as MmId, page as Vpn), slotOf(m, page as Vpn), attributes & ~PTE_WRITE);
  }
}

/** Makes `count` none pages swapped-out ones, each in a slot of its own. Errors: PopulateError if the swap device is full. */
export function placeSwapped(m: Machine, vma: VmaId, first: Vpn, count: number): void {
  anonVmaPrepareNow(m, vma);
  const mm = m.vma.mm[vma] as MmId;
  for (let page = first as number; page < first + count; page++) {
    const slot = swapAlloc(m, nextStamp(m));
    if (slot === 0) throw new PopulateError(`the swap device is full: raise the machine's swap size`);
    m.swap.memcg[slot] = m.mm.memcg[mm];
    setPteEntry(m, ensureTable(m, mm, page as Vpn), slotOf(m, page as Vpn), makeEntry(ENTRY_KIND.swap, slot));
  }
  m.mm.swapEnts[mm] += count;
}

/** Makes `count` none pages marker or poison entries; kinds that need a slot or frame behind them are refused. */
export function placeMarkers(m: Machine, vma: VmaId, first: Vpn, count: number, kind: EntryKind): void {
  if (kind === ENTRY_KIND.swap || kind === ENTRY_KIND.migration) {
    throw new PopulateError('swap and migration entries cannot be placed as markers: use placeSwapped');
  }
  for (let page = first as number; page < first + count; page++) {
    const table = ensureTable(m, m.vma.mm[vma] as MmId, page as Vpn);
    setPteEntry(m, table, slotOf(m, page as Vpn), makeEntry(kind), kind === ENTRY_KIND.markerUffdWp);
  }
}

/** How memory that belongs to nobody modelled is strewn over a node. */
export interface Scatter {
  /** Share of the aligned PMD-order blocks that get pages, 0 to 1. */
  readonly blocks: number;
  /** Base pages in each of them. */
  readonly pagesPerBlock: number;
  /** False: kernel memory that compaction cannot move. */
  readonly movable: boolean;
  readonly seed: number;
}

/** Occupies free frames of a node at random; gives the number occupied. What is in use already is left alone. */
export function scatterFrames(m: Machine, node: number, scatter: Scatter): number {
  const random = new Random(scatter.seed, node);
  const first = Math.ceil(m.node.firstPfn[node] / m.ptes) * m.ptes;
  let taken = 0;
  for (let block = first; block + m.ptes <= m.node.endPfn[node]; block += m.ptes) {
    if (random.fraction() >= scatter.blocks) continue;
    for (let i = 0; i < scatter.pagesPerBlock; i++) {
      if (occupyFrame(m, asBrand<Pfn>(block + random.below(m.ptes)), scatter.movable)) taken++;
    }
  }
  return taken;
}

/** Takes one frame away from the allocator for good; false if it is not free. */
export function occupyFrame(m: Machine, pfn: Pfn, movable: boolean): boolean {
  if (pfn === 0 || nodeOf(m, pfn) < 0 || !takeExact(m, pfn, 0)) return false;
  setFrameFlags(m, pfn, movable ? FOLIO.LRU | FOLIO.UPTODATE : PAGE.UNMOVABLE);
  return true;
}
