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
import { lastResult, remember, sameFolio } from './last-checked.js';
import { uniformBelow } from './sampling.js';

/** First cell of the directory above those of PMDs for the addresses whose PMD number is `upper` above; negative: missing. */
function upperDirectory(m: Machine, mm: MmId, upper: number): number {
  const pgd = m.mm.pgd[mm];
  const directory = pgd === 0 ? 0 : m.directory.entry[pgd * m.ptes + upper];
  return directory === 0 ? -1 : directory * m.ptes;
}

/**
 * Place of the PMD entry with this number (address / size of a PMD), as `findPmd` finds it, or negative. `upperFirst`: see
 * upperDirectory.
 */
function pmdCell(m: Machine, entries: Uint32Array, upperFirst: number, index: number): number {
  if (upperFirst < 0) return NO_PMD;
  const directory = entries[upperFirst + ((index >> m.pmdOrder) & (m.ptes - 1))];
  return directory === 0 ? NO_PMD : directory * m.ptes + (index & (m.ptes - 1));
}

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
  for (let i = 0; i < looked; i++) if (found[i] !== 0) makeOld(d, rows[i], cells[i]);
  return looked;
}

function choosePages(d: Damon, target: number, mm: MmId): number {
  const { m, random } = d;
  const { next, start, end, samplingAddress } = d.t.damonRegion;
  const { hooks } = m;
  const { entry: entries } = m.directory;
  const settles = hooks.settleAccess !== noAccessToSettle;
  // Powers of two: multiplying is exact.
  const perPage = 2 ** -m.geometry.pageShift;
  const perPmd = perPage / m.ptes;
  const deep = m.levels === LEVELS;
  const upperShift = 2 * m.pmdOrder;
  const addresses = m.addressPages / perPage;
  const drawn = drawChances(d, target);
  const into = cells;
  let upper = -1;
  let upperFirst = -1;
  let at = 0;
  for (let region = d.regions.first(target); region !== 0; region = next[region]) {
    const from = start[region];
    const size = end[region] - from;
    const address = from + (drawn ? Math.floor(chances[at] * PER_CHANCE * size) : uniformBelow(random, size));
    samplingAddress[region] = address;
    rows[at] = region;
    if (address >= addresses) {
      into[at++] = NO_PMD;
      continue;
    }
    if (settles) hooks.settleAccess(mm, Math.floor(address * perPage) as Vpn);
    const index = (address * perPmd) | 0;
    if (deep) {
      if (index >> upperShift !== upper) {
        upper = index >> upperShift;
        upperFirst = upperDirectory(m, mm, upper);
      }
      into[at++] = pmdCell(m, entries, upperFirst, index);
    } else into[at++] = findPmd(m, mm, Math.floor(address * perPage) as Vpn);
  }
  return at;
}

const PER_CHANCE = 2 ** -32;

/** Draws a number for each region at once, where all are small enough for one: the same that drawing one by one gives. */
function drawChances(d: Damon, target: number): boolean {
  const { next, start, end } = d.t.damonRegion;
  const regions = d.t.damonTarget.nrRegions[target];
  makeRoom(regions);
  for (let region = d.regions.first(target); region !== 0; region = next[region]) {
    if (end[region] - start[region] > 2 ** 32) return false;
  }
  d.random.fill(chances, regions);
  return true;
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
  const looked = lookAtAll(d, target, mm);
  const { next, nrAccesses, lastNrAccesses, nrAccessesBp } = d.t.damonRegion;
  const accessedAt = found;
  let { most } = d;
  let at = 0;
  for (let region = d.regions.first(target); region !== 0; region = next[region]) {
    const accessed = accessedAt[at++] !== 0;
    const before = lastNrAccesses[region];
    if (before !== 0 || accessed) {
      const added = accessed ? BASIS_POINTS : 0;
      nrAccessesBp[region] = movingSum(nrAccessesBp[region], before * BASIS_POINTS, window, added);
    }
    const count = accessed ? ++nrAccesses[region] : nrAccesses[region];
    if (count > most) most = count;
  }
  d.most = most;
  d.t.damonContext.samplesTaken[d.context] += at;
  return looked;
}

/** Writes into `found` whether each region's page was accessed. */
function lookAtAll(d: Damon, target: number, mm: MmId): number {
  const { m } = d;
  const { next, samplingAddress } = d.t.damonRegion;
  const { hooks } = m;
  const { entry: entries } = m.directory;
  const settles = hooks.settleAccess !== noAccessToSettle;
  const pageSize = 2 ** m.geometry.pageShift;
  const perPage = 1 / pageSize;
  const perPmd = perPage / m.ptes;
  const deep = m.levels === LEVELS;
  const upperShift = 2 * m.pmdOrder;
  const reuses = d.profile.vaddrReusesLastFolio;
  const addresses = m.addressPages * pageSize;
  makeRoom(d.t.damonTarget.nrRegions[target]);
  const into = found;
  let upper = -1;
  let upperFirst = -1;
  let looked = 0;
  let at = 0;
  for (let region = d.regions.first(target); region !== 0; region = next[region]) {
    const address = samplingAddress[region];
    if (reuses && sameFolio(d, address)) {
      into[at++] = lastResult(d) ? 1 : 0;
      continue;
    }
    if (address >= addresses) {
      into[at++] = 0;
      continue;
    }
    if (settles) hooks.settleAccess(mm, Math.floor(address * perPage) as Vpn);
    const index = (address * perPmd) | 0;
    let cell: number;
    if (deep) {
      if (index >> upperShift !== upper) {
        upper = index >> upperShift;
        upperFirst = upperDirectory(m, mm, upper);
      }
      cell = pmdCell(m, entries, upperFirst, index);
    } else cell = findPmd(m, mm, Math.floor(address * perPage) as Vpn);
    const entry = cell < 0 ? 0 : entries[cell];
    const seen = entry === 0 ? 0 : look(m, entry, address * perPage);
    if (reuses) remember(d, address, Math.abs(seen) * pageSize, seen < 0);
    into[at++] = seen < 0 ? 1 : 0;
    looked++;
  }
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
