/**
 * How the frames of a folio become those of several smaller folios. All locks are the caller's and the reference count is
 * frozen at 0, so nobody sees a step of it (`__split_huge_page`).
 */
import type { FileId, MmId, Pfn } from './brands.js';
import { relabelBlock } from './buddy.js';
import { deferredQueueRemove } from './deferred-queue.js';
import { FOLIO, VM } from './flags.js';
import {
  addPteMap,
  clearFrameFlags,
  folioHas,
  folioHead,
  folioMapcount,
  folioOrder,
  setFolioMapping,
  setFrameFlags,
} from './folio.js';
import { folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { countMthpStat, countVmEvent, type Machine } from './machine.js';
import { countHugeFolio, truncatePages } from './page-cache-contents.js';
import { clearPte, PTE_UFFD_WP, pteAttributes, setPteZero } from './page-table.js';
import { removePteRmap, rssColumn } from './rmap-change.js';
import type { MappedPlace } from './rmap-places.js';
import { folioSwapSlot, removeFromSwapCache } from './swap-slots.js';

/** What a split does besides splitting. */
export interface SplitOptions {
  /** Maps pages that hold only zeroes to the shared zero page instead (under-used folios; khugepaged spec 14.1). */
  readonly zeroPages?: boolean;
  /**
   * Gets the new folios but the first, each with a reference of the caller's and off the LRU (the kernel's `list`). Without
   * it they are left to those who map them.
   */
  readonly list?: Pfn[];
}

/** Frames whose cells hold facts of a large folio (folio.ts). */
const FACT_FRAMES = 4;

/** Flags that every new folio takes over. The mirror flags say what the tables' planes show, which has not changed yet. */
const INHERITED =
  FOLIO.ANON |
  FOLIO.SWAPBACKED |
  FOLIO.SWAPCACHE |
  FOLIO.SHMEM |
  FOLIO.LRU |
  FOLIO.ACTIVE |
  FOLIO.YOUNG |
  FOLIO.REFERENCED |
  FOLIO.IDLE |
  FOLIO.DIRTY |
  FOLIO.UPTODATE |
  FOLIO.MLOCKED |
  FOLIO.MIRROR_SHARED |
  FOLIO.MIRROR_ATTENTION |
  FOLIO.MIRROR_REFERENCED;

/** Makes folios of `newOrder` of a folio that `places`, and nothing else, map. */
export function relabelSplitFolio(
  m: Machine,
  head: Pfn,
  newOrder: number,
  places: readonly MappedPlace[],
  options: SplitOptions,
): void {
  const order = folioOrder(m, head);
  const heads: Pfn[] = [];
  for (let pfn = head as number; pfn < head + (1 << order); pfn += 1 << newOrder) heads.push(pfn as Pfn);
  forgetLargeFacts(m, head, order);
  relabelBlock(m, head, order, newOrder);
  const flags = m.frame.flags[head] & INHERITED;
  const mapping = m.frame.mapping[head];
  const index = m.frame.index[head];
  for (const part of heads) {
    setFolioMapping(m, part, mapping, index + (part - head));
    m.frame.memcg[part] = m.frame.memcg[head];
    setFrameFlags(m, part, flags);
  }
  if ((flags & FOLIO.ANON) === 0 && order === m.pmdOrder) countHugeFolio(m, mapping as FileId, -1);
  if ((flags & FOLIO.ANON) !== 0) {
    countMthpStat(m, order, 'nr_anon', -1);
    if (newOrder > 0) countMthpStat(m, newOrder, 'nr_anon', heads.length);
  }
  for (const place of places) addPteMap(m, place.pfn, m.vma.mm[place.vma] as MmId);
  if (newOrder === 0 && (flags & FOLIO.ANON) !== 0) markLocked(m, heads, places);
  if (options.zeroPages === true && newOrder === 0) for (const place of places) mapZeroInstead(m, place);
  for (const part of heads) giveReferences(m, part, part === head, options.list);
  if ((flags & FOLIO.SWAPCACHE) !== 0) leaveSwapCache(m, heads);
  if ((flags & FOLIO.ANON) === 0) dropBeyondEnd(m, mapping as FileId, heads, places);
}

/** Folios that lie beyond the end of their file leave the page cache, and nobody maps them any more (DAMON spec 4.5). */
function dropBeyondEnd(m: Machine, file: FileId, parts: readonly Pfn[], places: readonly MappedPlace[]): void {
  const beyond = parts.find((part) => m.frame.index[part] >= m.file.pages[file]);
  if (beyond === undefined) return;
  const first = m.frame.index[beyond];
  for (const place of places) {
    if (place.pfn < beyond) continue;
    const mm = m.vma.mm[place.vma] as MmId;
    const part = folioHead(m, place.pfn);
    clearPte(m, place.table, place.slot);
    removePteRmap(m, place.pfn, mm);
    rssColumn(m, part)[mm]--;
    folioPut(m, part);
  }
  truncatePages(m, file, first);
}

/** Pages whose slots nobody refers to need not stay in the swap cache (`free_swap_cache`); only order 0 comes here. */
function leaveSwapCache(m: Machine, parts: readonly Pfn[]): void {
  const first = folioSwapSlot(m, parts[0]);
  for (let i = 0; i < parts.length; i++) if (m.swap.count[first + i] === 0) removeFromSwapCache(m, first + i);
}

/** Clears the cells and flags that only the large folio had, with what counts them. */
function forgetLargeFacts(m: Machine, head: Pfn, order: number): void {
  deferredQueueRemove(m, head);
  if (folioHas(m, head, FOLIO.PARTIALLY_MAPPED)) countMthpStat(m, order, 'nr_anon_partially_mapped', -1);
  clearFrameFlags(m, head, FOLIO.PARTIALLY_MAPPED);
  const facts = Math.min(1 << order, FACT_FRAMES);
  m.frame.refcount.fill(0, head, head + facts);
  m.frame.mapping.fill(0, head + 1, head + facts);
  m.frame.index.fill(0, head + 1, head + facts);
  m.frame.mapcount.fill(0, head, head + (1 << order));
}

/** Base pages are locked in memory where a locked VMA maps them, whatever the large folio was (`remove_migration_pte`). */
function markLocked(m: Machine, parts: readonly Pfn[], places: readonly MappedPlace[]): void {
  const locked = new Set<number>();
  for (const { pfn, vma } of places) if ((m.vma.flags[vma] & VM.LOCKED) !== 0) locked.add(pfn);
  for (const part of parts) {
    if (locked.has(part) === folioHas(m, part, FOLIO.MLOCKED)) continue;
    if (locked.has(part)) setFrameFlags(m, part, FOLIO.MLOCKED);
    else clearFrameFlags(m, part, FOLIO.MLOCKED);
    countVmEvent(m, 'nr_mlock', locked.has(part) ? 1 : -1);
  }
}

/** `try_to_map_unused_to_zeropage`; a locked VMA keeps its page. */
function mapZeroInstead(m: Machine, place: MappedPlace): void {
  if (m.frame.stamp[place.pfn] !== 0 || (m.vma.flags[place.vma] & VM.LOCKED) !== 0) return;
  const mm = m.vma.mm[place.vma] as MmId;
  const attributes = pteAttributes(m, place.table, place.slot) & PTE_UFFD_WP;
  clearPte(m, place.table, place.slot);
  setPteZero(m, place.table, place.slot, attributes);
  removePteRmap(m, place.pfn, mm);
  m.mm.rssAnon[mm]--;
}

/** One reference per mapping, per page in the swap or page cache, and one for who keeps the folio; without any it is freed. */
function giveReferences(m: Machine, part: Pfn, first: boolean, list: Pfn[] | undefined): void {
  const pages = 1 << folioOrder(m, part);
  const cached = folioHas(m, part, FOLIO.SWAPCACHE) || !folioHas(m, part, FOLIO.ANON) ? pages : 0;
  const references = folioMapcount(m, part) + cached;
  if (first || (list !== undefined && references > 0)) {
    m.frame.refcount[part] = references + 1;
    if (!first) {
      clearFrameFlags(m, part, FOLIO.LRU);
      list?.push(part);
    }
  } else {
    m.frame.refcount[part] = Math.max(1, references);
    if (references === 0) {
      folioPut(m, part);
      return;
    }
  }
  updateMirrors(m, part);
}
