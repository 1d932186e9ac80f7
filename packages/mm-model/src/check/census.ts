/**
 * What the page tables say, counted from the top: walks every directory of every address space entry by entry, and
 * asks no function of the model. Everything that the model keeps twice is compared with these counts.
 */
import type { MmId } from '../brands.js';
import { ENTRY_KIND, NO_FRAME } from '../flags.js';
import type { Machine } from '../machine.js';
import type { Findings } from './findings.js';

/** One PTE or huge PMD that maps a frame. */
export interface Mapping {
  readonly mm: number;
  /** First page that it maps. */
  readonly page: number;
  readonly pfn: number;
  readonly pages: number;
}

/** Counts of one address space. */
export interface MmCounts {
  rssAnon: number;
  rssFile: number;
  rssShmem: number;
  swapEnts: number;
  anonThps: number;
  fileThps: number;
  pageTables: number;
}

/** The counts. */
export interface Census {
  /** PTEs that map each frame. */
  readonly pteMaps: Uint32Array;
  /** Huge PMDs that map each first frame. */
  readonly pmdMaps: Uint32Array;
  /** Entries of any kind by first frame of the folio, then by address space. */
  readonly byMm: Map<number, Map<number, number>>;
  readonly swapEntries: Uint32Array;
  readonly mms: Map<number, MmCounts>;
  readonly mappings: Mapping[];
  /** Entries that are not none, as (mm, page), markers and special pages included. */
  readonly occupied: { mm: number; page: number; pages: number }[];
  /** PTE tables and directories that were reached. */
  readonly tables: Set<number>;
  readonly directories: Set<number>;
}

const HUGE = 2;
const TABLE = 1;
const ANON = 0x10;
const SHMEM = 0x40000;
const PMD_ZERO_BIT = 0x80;

/** Counts everything. */
export function takeCensus(m: Machine, findings: Findings): Census {
  const census: Census = {
    pteMaps: new Uint32Array(m.frame.capacity),
    pmdMaps: new Uint32Array(m.frame.capacity),
    byMm: new Map(),
    swapEntries: new Uint32Array(m.swap.capacity),
    mms: new Map(),
    mappings: [],
    occupied: [],
    tables: new Set(),
    directories: new Set(),
  };
  for (const mm of m.mm.pool.rows()) {
    census.mms.set(mm, { rssAnon: 0, rssFile: 0, rssShmem: 0, swapEnts: 0, anonThps: 0, fileThps: 0, pageTables: 0 });
    if (m.mm.pgd[mm] !== 0) walkDirectory(m, census, findings, mm as MmId, m.mm.pgd[mm], m.levels - 1, 0);
  }
  return census;
}

/** `block`: number of the first PMD range that the directory covers. */
function walkDirectory(
  m: Machine,
  census: Census,
  findings: Findings,
  mm: MmId,
  row: number,
  level: number,
  block: number,
): void {
  const name = `directory ${row}`;
  if (!m.directory.pool.isLive(row)) {
    findings.add(`${name}, which mm ${mm} uses, is not allocated`);
    return;
  }
  if (census.directories.has(row)) {
    findings.add(`${name} is used twice`);
    return;
  }
  census.directories.add(row);
  findings.equal(`${name}: mm`, m.directory.mm[row], mm);
  findings.equal(`${name}: level`, m.directory.level[row], level);
  for (let slot = 0; slot < m.ptes; slot++) {
    const entry = m.directory.entry[row * m.ptes + slot];
    const at = block + slot * m.ptes ** (level - 1);
    if (level > 1) {
      if (entry !== 0) walkDirectory(m, census, findings, mm, entry, level - 1, at);
    } else visitPmd(m, census, findings, mm, row, slot, at);
  }
}

function visitPmd(
  m: Machine,
  census: Census,
  findings: Findings,
  mm: MmId,
  row: number,
  slot: number,
  block: number,
): void {
  const cell = row * m.ptes + slot;
  const entry = m.directory.entry[cell];
  if (entry !== 0 && (m.directory.used[row * m.words + (slot >>> 5)] & (1 << (slot & 31))) === 0) {
    findings.add(`mm ${mm}, block ${block}: the PMD is not none, but plane used says that it always was`);
  }
  const deposit = m.directory.deposit[cell];
  const type = entry & 7;
  if (deposit !== 0) {
    if (type !== HUGE) findings.add(`mm ${mm}, block ${block}: a table is deposited, but the PMD is not huge`);
    countTable(m, census, findings, mm, deposit);
  }
  if (type === TABLE) {
    const table = entry >>> 8;
    findings.equal(`page table ${table} of mm ${mm}: block`, m.pte.block[table], block);
    if (countTable(m, census, findings, mm, table)) visitTable(m, census, mm, table, block * m.ptes);
  } else if (type === HUGE) visitHuge(m, census, mm, entry, block * m.ptes);
  else if (type !== 0) findings.add(`mm ${mm}, block ${block}: PMD entry of type ${type} outside of a change`);
}

function countTable(m: Machine, census: Census, findings: Findings, mm: MmId, table: number): boolean {
  const first = !census.tables.has(table);
  if (!first) findings.add(`page table ${table} is used twice`);
  if (!m.pte.pool.isLive(table)) findings.add(`page table ${table}, which mm ${mm} uses, is not allocated`);
  findings.equal(`page table ${table}: mm`, m.pte.mm[table], mm);
  census.tables.add(table);
  countsOf(census, mm).pageTables++;
  return first;
}

function visitHuge(m: Machine, census: Census, mm: MmId, entry: number, page: number): void {
  census.occupied.push({ mm, page, pages: m.ptes });
  if ((entry & PMD_ZERO_BIT) !== 0) return;
  const pfn = (entry >>> 8) * m.ptes;
  census.pmdMaps[pfn]++;
  addMapping(m, census, { mm, page, pfn, pages: m.ptes });
  countsOf(census, mm)[(m.frame.flags[pfn] & ANON) !== 0 ? 'anonThps' : 'fileThps']++;
}

function visitTable(m: Machine, census: Census, mm: MmId, table: number, page: number): void {
  for (let slot = 0; slot < m.ptes; slot++) {
    const word = table * m.words + (slot >>> 5);
    const bit = 1 << (slot & 31);
    const value = m.pte.pfn[table * m.ptes + slot];
    const present = (m.pte.present[word] & bit) !== 0;
    const nonPresent = (m.pte.nonPresent[word] & bit) !== 0;
    if (present || nonPresent) census.occupied.push({ mm, page: page + slot, pages: 1 });
    if (nonPresent && value >>> 28 === ENTRY_KIND.swap) {
      census.swapEntries[value & 0x0fff_ffff]++;
      countsOf(census, mm).swapEnts++;
    }
    if (!present || (m.pte.zero[word] & bit) !== 0 || value === NO_FRAME) continue;
    census.pteMaps[value]++;
    addMapping(m, census, { mm, page: page + slot, pfn: value, pages: 1 });
  }
}

function addMapping(m: Machine, census: Census, mapping: Mapping): void {
  census.mappings.push(mapping);
  const head = headOf(m, mapping.pfn);
  const counts = countsOf(census, mapping.mm);
  const flags = m.frame.flags[head];
  if ((flags & ANON) !== 0) counts.rssAnon += mapping.pages;
  else if ((flags & SHMEM) !== 0) counts.rssShmem += mapping.pages;
  else counts.rssFile += mapping.pages;
  const mms = census.byMm.get(head) ?? new Map<number, number>();
  mms.set(mapping.mm, (mms.get(mapping.mm) ?? 0) + 1);
  census.byMm.set(head, mms);
}

function countsOf(census: Census, mm: number): MmCounts {
  return census.mms.get(mm) as MmCounts;
}

/** First frame of the folio of a frame. */
export function headOf(m: Machine, pfn: number): number {
  return pfn - (pfn % (1 << (m.frame.flags[pfn] & 0xf)));
}
