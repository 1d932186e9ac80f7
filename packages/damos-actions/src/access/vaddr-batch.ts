/**
 * Access checks of all regions of a target in one step, the locks being the caller's. The same rules as page by page
 * (vaddr.ts, folio-age.ts), written as plain loops over columns: a machine with a terabyte of addresses is sampled some
 * hundred thousand times per second of its time. Flags that are as wanted already are left alone, so an atomic access is
 * made only where something changes.
 */
import {
  FOLIO,
  findPmd,
  type Machine,
  type MmId,
  NO_FRAME,
  NO_PMD,
  noAccessToSettle,
  ORDER_MASK,
  PAGE,
  type Pfn,
  PMD,
  PMD_YOUNG,
  PMD_ZERO,
  updateMirrors,
  type Vpn,
  ZERO_FRAME,
} from '@thplab/mm-model';
import { BASIS_POINTS } from '../arithmetic.js';
import type { Damon } from '../damon.js';
import { movingSum } from '../monitor/counters.js';
import { inOneFolio, readMemo, remember } from './last-checked.js';
import { uniformBelow } from './sampling.js';

/** First frame of the folio of `pfn`, if DAMON may look at it (`damon_get_folio`); else 0. */
function headOf(m: Machine, flags: Uint32Array, pfn: number): number {
  if (pfn <= ZERO_FRAME || pfn === NO_FRAME || pfn >= m.frame.capacity) return 0;
  const own = flags[pfn];
  if ((own & PAGE.ALLOCATED) === 0) return 0;
  const head = pfn - (pfn & ((1 << (own & ORDER_MASK)) - 1));
  return (flags[head] & FOLIO.LRU) === 0 ? 0 : head;
}

/** Marks a folio idle, and young if its entry was (`markOld`). */
function age(m: Machine, flags: Uint32Array, head: number, wasYoung: boolean): void {
  const wanted = wasYoung ? FOLIO.IDLE | FOLIO.YOUNG : FOLIO.IDLE;
  const before = flags[head];
  if ((before & wanted) === wanted) return;
  Atomics.or(flags, head, wanted);
  // Being idle concerns nobody else; being young is mirrored into the tables that map the folio.
  if (wasYoung && (before & FOLIO.YOUNG) === 0) updateMirrors(m, head as Pfn);
}

/** Page-table levels of a machine with 4 KiB pages: for these the walk is spelled out. */
const LEVELS = 4;

/** Of the regions of one batch: rows, PMD cells, their entries, and random numbers; grown as needed. */
let rows: Int32Array = new Int32Array(1024);
let cells: Int32Array = new Int32Array(1024);
let found: Uint32Array = new Uint32Array(1024);
let chances: Uint32Array = new Uint32Array(1024);

function makeRoom(regions: number): void {
  if (regions <= cells.length) return;
  rows = new Int32Array(regions * 2);
  cells = new Int32Array(regions * 2);
  found = new Uint32Array(regions * 2);
  chances = new Uint32Array(regions * 2);
}

/**
 * Chooses a page of every region and makes it old (`damon_va_prepare_access_checks`). Gives how many were looked at. First
 * all places are computed, then all entries read: the reads are all over memory, and only a loop of nothing else lets the
 * processor have many of them under way.
 */
export function makeAllOld(d: Damon, target: number, mm: MmId): number {
  const { m } = d;
  const looked = choosePages(d, target, mm);
  readEntries(m.directory.entry, looked);
  const hits = keepFound(looked);
  touchFrames(m, hits);
  for (let i = 0; i < hits; i++) makeOld(d, rows[i], cells[i]);
  return looked;
}

/** Moves the regions whose entry is not empty to the front of `rows`, `cells` and `found`. Gives how many there are. */
function keepFound(count: number): number {
  const [row, cell, entry] = [rows, cells, found];
  let kept = 0;
  for (let i = 0; i < count; i++) {
    if (entry[i] === 0) continue;
    row[kept] = row[i];
    cell[kept] = cell[i];
    entry[kept++] = entry[i];
  }
  return kept;
}

/** Reads the flags of all huge pages found, and forgets them: they are in the cache then, having been fetched side by side. */
function touchFrames(m: Machine, count: number): void {
  const { flags } = m.frame;
  const entry = found;
  const into = chances;
  for (let i = 0; i < count; i++) {
    into[i] = (entry[i] & 7) === PMD.huge ? flags[(entry[i] >>> 8) * m.ptes] : 0;
  }
}

function choosePages(d: Damon, target: number, mm: MmId): number {
  const { m, random } = d;
  const { start, end, samplingAddress } = d.t.damonRegion;
  const { hooks } = m;
  const settles = hooks.settleAccess !== noAccessToSettle;
  const pageSize = 2 ** m.geometry.pageShift;
  const addresses = m.addressPages * pageSize;
  // Numbers for all regions at once, where all are small enough for one: the same that drawing one by one gives.
  const drawn = listRegions(d, target) <= 2 ** 32;
  const regions = d.t.damonTarget.nrRegions[target];
  if (drawn) random.fill(chances, regions);
  const from = rows;
  const chance = chances;
  for (let i = 0; i < regions; i++) {
    const region = from[i];
    const first = start[region];
    const size = end[region] - first;
    const address = first + (drawn ? Math.floor(chance[i] * PER_CHANCE * size) : uniformBelow(random, size));
    samplingAddress[region] = address;
    if (settles && address < addresses) hooks.settleAccess(mm, Math.floor(address / pageSize) as Vpn);
  }
  if (m.levels === LEVELS) findCells(d, mm, regions);
  else findCellsByWalk(d, mm, regions);
  return regions;
}

const PER_CHANCE = 2 ** -32;

/** Writes the regions of a target into `rows`, and makes room for what belongs to them. Gives the size of the largest. */
function listRegions(d: Damon, target: number): number {
  const { next, start, end } = d.t.damonRegion;
  makeRoom(d.t.damonTarget.nrRegions[target]);
  const into = rows;
  let largest = 0;
  let at = 0;
  for (let region = d.regions.first(target); region !== 0; region = next[region]) {
    into[at++] = region;
    const size = end[region] - start[region];
    if (size > largest) largest = size;
  }
  return largest;
}

/**
 * Writes into `cells` where the PMD entries of the chosen pages are, as `findPmd` finds them; negative: there is none.
 * Addresses come upwards, so the directory above those of PMDs is looked up only where it changes.
 */
function findCells(d: Damon, mm: MmId, count: number): void {
  const { m } = d;
  const { samplingAddress } = d.t.damonRegion;
  const { entry: entries } = m.directory;
  const perPmd = 2 ** -m.geometry.pageShift / m.ptes; // a power of two: multiplying is exact
  const addresses = m.addressPages * 2 ** m.geometry.pageShift;
  const order = m.pmdOrder;
  const mask = m.ptes - 1;
  const [row, cell] = [rows, cells];
  let upper = -1;
  let first = -1;
  for (let i = 0; i < count; i++) {
    const address = samplingAddress[row[i]];
    const index = address < addresses ? (address * perPmd) | 0 : -1;
    if (index >> (2 * order) !== upper) {
      upper = index >> (2 * order);
      first = upperDirectory(m, mm, upper);
    }
    const directory = first < 0 ? 0 : entries[first + ((index >> order) & mask)] | 0;
    cell[i] = directory === 0 ? NO_PMD : (directory << order) | (index & mask);
  }
}

/** First cell of the directory with this number above those of PMDs; negative: missing, as for a negative number. */
function upperDirectory(m: Machine, mm: MmId, upper: number): number {
  const pgd = upper < 0 ? 0 : m.mm.pgd[mm];
  const directory = pgd === 0 ? 0 : m.directory.entry[pgd * m.ptes + upper];
  return directory === 0 ? -1 : directory * m.ptes;
}

/** The same for machines with other numbers of page-table levels. */
function findCellsByWalk(d: Damon, mm: MmId, count: number): void {
  const { m } = d;
  const perPage = 2 ** -m.geometry.pageShift;
  for (let i = 0; i < count; i++) {
    const page = Math.floor(d.t.damonRegion.samplingAddress[rows[i]] * perPage) as Vpn;
    cells[i] = page < m.addressPages ? findPmd(m, mm, page) : NO_PMD;
  }
}

/** Entries of all cells; 0 where there is none. */
function readEntries(entries: Uint32Array, count: number): void {
  const from = cells;
  const into = found;
  for (let i = 0; i < count; i++) {
    const cell = from[i];
    into[i] = cell < 0 ? 0 : entries[cell];
  }
}

function makeOld({ m, t }: Damon, region: number, pmd: number): void {
  const { entry: entries } = m.directory;
  const { flags } = m.frame;
  const entry = entries[pmd];
  const type = entry & 7;
  if (type === PMD.huge) {
    const head = (entry & PMD_ZERO) !== 0 ? 0 : headOf(m, flags, (entry >>> 8) * m.ptes);
    if (head === 0) return;
    if ((entry & PMD_YOUNG) !== 0) entries[pmd] = (entry & ~PMD_YOUNG) >>> 0;
    age(m, flags, head, (entry & PMD_YOUNG) !== 0);
  } else if (type === PMD.table) {
    const page = Math.floor(t.damonRegion.samplingAddress[region] * 2 ** -m.geometry.pageShift);
    const bit = pteBitOf(m, entry >>> 8, page);
    if ((m.pte.present[bit >>> 5] & (1 << (bit & 31))) === 0) return;
    const head = headOf(m, flags, m.pte.pfn[(entry >>> 8) * m.ptes + (page % m.ptes)]);
    if (head !== 0) age(m, flags, head, clearYoung(m.pte.young, bit));
  }
}

/** Bit of a PTE in the planes. */
function pteBitOf(m: Machine, table: number, page: number): number {
  return table * m.planeBits + (page % m.ptes);
}

/** Clears a bit; true if it was set. */
function clearYoung(young: Uint32Array, bit: number): boolean {
  const mask = 1 << (bit & 31);
  if ((young[bit >>> 5] & mask) === 0) return false;
  return (Atomics.and(young, bit >>> 5, ~mask) & mask) !== 0;
}

/** Looks at the page chosen for every region, and counts (`damon_va_check_accesses`). Gives how many were looked at. */
export function checkAll(d: Damon, target: number, mm: MmId, window: number): number {
  const { m } = d;
  const { samplingAddress, nrAccesses, lastNrAccesses, nrAccessesBp } = d.t.damonRegion;
  const { hooks } = m;
  const entries = m.directory.entry;
  const settles = hooks.settleAccess !== noAccessToSettle;
  const pageSize = 2 ** m.geometry.pageShift;
  const addresses = m.addressPages * pageSize;
  listRegions(d, target);
  const samples = d.t.damonTarget.nrRegions[target];
  if (m.levels === LEVELS) findCells(d, mm, samples);
  else findCellsByWalk(d, mm, samples);
  readEntries(entries, samples);
  const [row, cell, entryAt] = [rows, cells, found];
  const reuses = d.profile.vaddrReusesLastFolio;
  const memo = readMemo(d);
  let { address: lastAddress, folioSize: lastSize, accessed } = memo;
  let { most } = d;
  let looked = 0;
  for (let i = 0; i < samples; i++) {
    const region = row[i];
    const address = samplingAddress[region];
    let now = false;
    if (reuses && inOneFolio(lastAddress, address, lastSize)) now = accessed;
    else if (address < addresses) {
      let entry = entryAt[i];
      if (settles) {
        hooks.settleAccess(mm, Math.floor(address / pageSize) as Vpn);
        entry = cell[i] < 0 ? 0 : entries[cell[i]];
      }
      const seen = entry === 0 ? 0 : look(m, entry, address / pageSize);
      now = seen < 0;
      if (seen !== 0) lastSize = Math.abs(seen) * pageSize;
      lastAddress = address;
      accessed = now;
      looked++;
    }
    const before = lastNrAccesses[region];
    if (before !== 0 || now) {
      const added = now ? BASIS_POINTS : 0;
      nrAccessesBp[region] = movingSum(nrAccessesBp[region], before * BASIS_POINTS, window, added);
    }
    const count = now ? ++nrAccesses[region] : nrAccesses[region];
    if (count > most) most = count;
  }
  if (reuses && looked > 0) remember(d, lastAddress, lastSize, accessed);
  d.most = most;
  d.t.damonContext.samplesTaken[d.context] += samples;
  return looked;
}

/** Pages of the folio that a PMD entry maps at a page (a fraction is cut off), 0: none; negative if it was accessed. */
function look(m: Machine, entry: number, pageAndRest: number): number {
  const { flags } = m.frame;
  const type = entry & 7;
  let head: number;
  let young: boolean;
  if (type === PMD.huge) {
    head = (entry & PMD_ZERO) !== 0 ? 0 : headOf(m, flags, (entry >>> 8) * m.ptes);
    young = (entry & PMD_YOUNG) !== 0;
  } else if (type === PMD.table) {
    const page = Math.floor(pageAndRest);
    const bit = pteBitOf(m, entry >>> 8, page);
    if ((m.pte.present[bit >>> 5] & (1 << (bit & 31))) === 0) return 0;
    head = headOf(m, flags, m.pte.pfn[(entry >>> 8) * m.ptes + (page % m.ptes)]);
    young = (m.pte.young[bit >>> 5] & (1 << (bit & 31))) !== 0;
  } else return 0;
  if (head === 0) return 0;
  const pages = 1 << (flags[head] & ORDER_MASK);
  return young || (flags[head] & FOLIO.IDLE) === 0 ? -pages : pages;
}
