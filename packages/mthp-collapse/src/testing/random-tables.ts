/**
 * Random page tables, written straight into the arena: every state of an entry (khugepaged spec 2.1) over folios with
 * every fact (2.2). Folios are made first and do not know who maps them; what matters is that the mirrors in the tables
 * are those that the model would keep, which `mirrorBits` tells.
 */
import { clearBit, type Random, setBit } from '@thplab/arena';
import {
  addPteMap,
  ENTRY_KIND,
  type EntryKind,
  FOLIO,
  initMirrors,
  type Machine,
  type MmId,
  makeEntry,
  NO_FRAME,
  type Pfn,
  type TableId,
  ZERO_FRAME,
} from '@thplab/mm-model';

const KINDS: readonly EntryKind[] = Object.values(ENTRY_KIND);
const USUAL = FOLIO.ANON | FOLIO.SWAPBACKED | FOLIO.LRU | FOLIO.UPTODATE;

/** Folios to build tables from, by what they do to a scan. */
export interface FolioPool {
  /** Any frame of folios that no scan stops at, unless there are too many shared ones. */
  readonly plain: readonly number[];
  /** The same, of folios that more than one process may map. */
  readonly shared: readonly number[];
  /** Frames of folios with something unusual about them. */
  readonly odd: readonly number[];
}

/** Fills the machine's frames with folios. */
export function makeFolioPool(m: Machine, random: Random, count: number): FolioPool {
  const pool = { plain: [] as number[], shared: [] as number[], odd: [] as number[] };
  for (let i = 0; i < count; i++) {
    const mappers = random.below(3) === 0 ? 2 : 1;
    const odd = random.below(2) === 0;
    const frames = makeFolio(m, random, mappers, odd);
    if (frames.length === 0) break;
    (odd ? pool.odd : mappers > 1 ? pool.shared : pool.plain).push(...frames);
  }
  return pool;
}

function makeFolio(m: Machine, random: Random, mappers: number, odd: boolean): number[] {
  // Order 1 does not exist: two pages have no room for what is kept of a large folio.
  const order = random.below(3) === 0 ? 2 + random.below(Math.min(6, m.pmdOrder) - 1) : 0;
  const pages = 1 << order;
  const head = findRoom(m, random, pages);
  if (head === 0) return [];
  for (let i = 0; i < pages; i++) m.frame.flags[head + i] = order | (i === 0 ? USUAL : 0);
  const mapped = order === 0 ? 1 : 1 + random.below(pages);
  for (let mapper = 1; mapper <= mappers; mapper++) {
    for (let i = 0; i < mapped; i++) addPteMap(m, (head + i) as Pfn, mapper as MmId);
  }
  m.frame.refcount[head] = mapped * mappers;
  if (random.below(2) === 0) m.frame.flags[head] |= FOLIO.REFERENCED;
  if (random.below(4) === 0) m.frame.flags[head] |= FOLIO.YOUNG;
  if (random.below(6) === 0) {
    m.frame.flags[head] |= FOLIO.SWAPCACHE;
    m.frame.refcount[head] += pages;
  }
  if (odd) makeOdd(m, random, head);
  initMirrors(m, head as Pfn);
  return Array.from({ length: pages }, (_, i) => head + i);
}

/** An aligned run of unused frames, by trying; 0: none found. */
function findRoom(m: Machine, random: Random, pages: number): number {
  const blocks = Math.floor(m.frame.capacity / pages);
  for (let attempt = 0; attempt < 64; attempt++) {
    const head = (1 + random.below(blocks - 1)) * pages;
    if (m.frame.flags.subarray(head, head + pages).every((flags) => flags === 0)) return head;
  }
  return 0;
}

function makeOdd(m: Machine, random: Random, head: number): void {
  const { flags, refcount } = m.frame;
  switch (random.below(6)) {
    case 0:
      flags[head] &= ~FOLIO.LRU;
      return;
    case 1:
      flags[head] |= FOLIO.LOCKED;
      return;
    case 2:
      refcount[head] += 1 + random.below(3);
      return;
    case 3:
      flags[head] &= ~FOLIO.SWAPBACKED;
      return;
    case 4:
      flags[head] &= ~(FOLIO.ANON | FOLIO.SWAPBACKED);
      return;
    default:
      // Several things at once: the order of the rules decides.
      flags[head] &= ~(FOLIO.LRU | FOLIO.SWAPBACKED);
      flags[head] |= FOLIO.LOCKED;
      refcount[head] += 1;
  }
}

/** Shares of the kinds of entries in a table, out of 1024; the rest are plain pages. */
export interface TableProfile {
  readonly none: number;
  readonly zero: number;
  readonly swap: number;
  readonly shared: number;
  /** Folios with something unusual, uffd-wp bits, special pages, other kinds of non-present entries. */
  readonly odd: number;
  /** Of the mapped entries, those with a young bit. */
  readonly young: number;
}

/** A profile that lets most scans come far, and leaves out some kinds altogether. */
export function randomProfile(m: Machine, random: Random): TableProfile {
  const share = (): number => [0, 0, 4, 64, 300][random.below(5)] as number;
  // About one odd entry in a table, or none, or many.
  const rare = Math.max(1, Math.round(1024 / m.ptes));
  const odd = [0, 0, rare, rare, 8 * rare, 128][random.below(6)] as number;
  return {
    none: share(),
    zero: share(),
    swap: share(),
    shared: share(),
    odd,
    young: [0, 30, 512, 1024][random.below(4)] as number,
  };
}

/** Writes a whole table. */
export function fillTable(m: Machine, table: TableId, pool: FolioPool, profile: TableProfile, random: Random): void {
  clearTable(m, table);
  for (let slot = 0; slot < m.ptes; slot++) fillEntry(m, table, slot, pool, profile, random);
}

function clearTable(m: Machine, table: TableId): void {
  const from = table * m.words;
  const to = from + m.words;
  const p = m.pte;
  p.pfn.fill(0, table * m.ptes, (table + 1) * m.ptes);
  for (const plane of [p.present, p.zero, p.nonPresent, p.uffdWp, p.write, p.dirty, p.young]) plane.fill(0, from, to);
  for (const plane of [p.shared, p.attention, p.referenced]) plane.fill(0, from, to);
}

function fillEntry(
  m: Machine,
  table: TableId,
  slot: number,
  pool: FolioPool,
  profile: TableProfile,
  random: Random,
): void {
  const bit = table * m.planeBits + slot;
  const dice = random.nextU32();
  const { none, zero, swap, odd, shared, young } = profile;
  const kind = dice & 1023;
  if (kind < none) return;
  if (kind < none + zero) zeroPage(m, table, slot, bit, dice);
  else if (kind < none + zero + swap) nonPresent(m, table, slot, bit, makeEntry(ENTRY_KIND.swap, 1), false);
  else if (kind < none + zero + swap + odd) oddEntry(m, table, slot, bit, pool, dice);
  else {
    const isShared = kind < none + zero + swap + odd + shared && pool.shared.length > 0;
    const frames = isShared ? pool.shared : pool.plain;
    mapFrame(m, table, slot, bit, frames[(dice >>> 10) % frames.length] as number, dice);
    if (((dice >>> 10) & 1023) < young) setBit(m.pte.young, bit);
    else clearBit(m.pte.young, bit);
  }
}

function zeroPage(m: Machine, table: TableId, slot: number, bit: number, dice: number): void {
  m.pte.pfn[table * m.ptes + slot] = ZERO_FRAME;
  setBit(m.pte.present, bit);
  setBit(m.pte.zero, bit);
  if ((dice & 0x100000) !== 0) setBit(m.pte.young, bit);
  // The zero page is judged before the write-protect bit (khugepaged spec 23.7).
  if ((dice & 0xe00000) === 0) setBit(m.pte.uffdWp, bit);
}

function nonPresent(m: Machine, table: TableId, slot: number, bit: number, entry: number, uffdWp: boolean): void {
  m.pte.pfn[table * m.ptes + slot] = entry;
  setBit(m.pte.nonPresent, bit);
  if (uffdWp) setBit(m.pte.uffdWp, bit);
}

function oddEntry(m: Machine, table: TableId, slot: number, bit: number, pool: FolioPool, dice: number): void {
  const choice = (dice >>> 10) & 15;
  if (choice === 0) {
    setBit(m.pte.attention, bit);
    setBit(m.pte.present, bit);
    m.pte.pfn[table * m.ptes + slot] = NO_FRAME;
    if ((dice & 0x100000) !== 0) setBit(m.pte.write, bit);
    return;
  }
  if (choice < 4) {
    const kind = KINDS[(dice >>> 14) % KINDS.length] as EntryKind;
    nonPresent(m, table, slot, bit, makeEntry(kind, 1), kind === ENTRY_KIND.markerUffdWp || choice === 1);
    return;
  }
  const frames = choice > 6 && pool.odd.length > 0 ? pool.odd : pool.plain;
  mapFrame(m, table, slot, bit, frames[(dice >>> 10) % frames.length] as number, dice);
  if (choice <= 6) setBit(m.pte.uffdWp, bit);
}

function mapFrame(m: Machine, table: TableId, slot: number, bit: number, pfn: number, dice: number): void {
  m.pte.pfn[table * m.ptes + slot] = pfn;
  setBit(m.pte.present, bit);
  const order = m.frame.flags[pfn] & 0xf;
  const flags = m.frame.flags[pfn - (pfn % (1 << order))];
  if ((flags & FOLIO.MIRROR_SHARED) !== 0) setBit(m.pte.shared, bit);
  if ((flags & FOLIO.MIRROR_ATTENTION) !== 0) setBit(m.pte.attention, bit);
  if ((flags & FOLIO.MIRROR_REFERENCED) !== 0) setBit(m.pte.referenced, bit);
  if ((dice & 0x1000000) !== 0) setBit(m.pte.write, bit);
  if ((dice & 0x2000000) !== 0) setBit(m.pte.dirty, bit);
  if ((dice & 0x4000000) !== 0) setBit(m.pte.young, bit);
}
