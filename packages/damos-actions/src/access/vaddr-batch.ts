/**
 * Access checks of all regions of a target in one step, the locks being the caller's. The same rules as page by page
 * (vaddr.ts, folio-age.ts), written as plain loops over columns: a machine with a terabyte of addresses is sampled some
 * hundred thousand times per second of its time. Flags that are as wanted already are left alone, so an atomic access is
 * made only where something changes.
 */
import {
  FOLIO,
  type Machine,
  type MmId,
  NO_FRAME,
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
import { cellByWalk, cellOf, mayBeUsed, type PmdCells, pmdCells } from './pmd-cells.js';
import { listRegions, type RegionBatch } from './region-batch.js';
import { chooseSamplingAddress } from './sampling.js';

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

/**
 * Chooses a page of every region and makes it old (`damon_va_prepare_access_checks`). Gives how many were looked at. Each
 * loop does one thing to all regions: it has its columns in registers then, and where it reads all over memory the processor
 * can have many reads under way.
 */
export function makeAllOld(d: Damon, target: number, mm: MmId, batch: RegionBatch): number {
  const { m } = d;
  const at = pmdCells(m, mm);
  const regions = listRegions(d, target, batch);
  chooseAddresses(d, at, batch, regions);
  if (m.hooks.settleAccess !== noAccessToSettle) settleAll(d, mm, batch, regions);
  const found = findUsed(m, mm, at, batch, regions);
  readEntries(at.entry, batch, found);
  touchFrames(m, batch, found);
  for (let k = 0; k < found; k++) makeOld(d, batch.usedRows[k], batch.cells[k]);
  return regions;
}

/** A 32-bit random number times this is from 0 up to, not including, 1. */
const PER_CHANCE = 2 ** -32;

/**
 * `chooseSamplingAddress` of all regions, with the same random numbers: drawn at once, if one is enough for each. Also
 * writes which PMD ranges the addresses lie in.
 */
function chooseAddresses(d: Damon, at: PmdCells, { rows, chances, ranges }: RegionBatch, regions: number): void {
  const { random } = d;
  const { start, end, samplingAddress } = d.t.damonRegion;
  const { addresses, perRange } = at;
  if (largestOf(start, end, rows, regions) > 2 ** 32) {
    for (let i = 0; i < regions; i++) {
      const address = chooseSamplingAddress(d, rows[i], random);
      ranges[i] = address < addresses ? (address * perRange) | 0 : -1;
    }
    return;
  }
  random.fill(chances, regions);
  for (let i = 0; i < regions; i++) {
    const region = rows[i];
    const first = start[region];
    const address = first + Math.floor(chances[i] * PER_CHANCE * (end[region] - first));
    samplingAddress[region] = address;
    ranges[i] = address < addresses ? (address * perRange) | 0 : -1;
  }
}

function largestOf(start: Float64Array, end: Float64Array, rows: Int32Array, regions: number): number {
  let largest = 0;
  for (let i = 0; i < regions; i++) {
    const size = end[rows[i]] - start[rows[i]];
    if (size > largest) largest = size;
  }
  return largest;
}

function settleAll({ m, t }: Damon, mm: MmId, { rows }: RegionBatch, regions: number): void {
  const pageSize = 2 ** m.geometry.pageShift;
  for (let i = 0; i < regions; i++) {
    const page = Math.floor(t.damonRegion.samplingAddress[rows[i]] / pageSize);
    if (page < m.addressPages) m.hooks.settleAccess(mm, page as Vpn);
  }
}

/** Lists the regions whose page may have a PMD entry, and its cell. Gives how many there are. */
function findUsed(m: Machine, mm: MmId, at: PmdCells, batch: RegionBatch, regions: number): number {
  const { top, order, entry, used } = at;
  const { rows, ranges, usedRows, cells } = batch;
  let found = 0;
  for (let i = 0; i < regions; i++) {
    const range = ranges[i];
    if (range < 0) continue;
    const cell = top < 0 ? cellByWalk(m, mm, range) : cellOf(entry, top, order, range);
    if (!mayBeUsed(used, cell)) continue;
    usedRows[found] = rows[i];
    cells[found++] = cell;
  }
  return found;
}

function readEntries(entry: Uint32Array, { cells, entries }: RegionBatch, found: number): void {
  for (let k = 0; k < found; k++) entries[k] = entry[cells[k]];
}

/** Reads the flags of all huge pages found, and forgets them: then they are in the cache, fetched side by side. */
function touchFrames(m: Machine, { entries, chances }: RegionBatch, found: number): void {
  const { flags } = m.frame;
  for (let k = 0; k < found; k++) {
    chances[k] = (entries[k] & 7) === PMD.huge ? flags[(entries[k] >>> 8) * m.ptes] : 0;
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
export function checkAll(d: Damon, target: number, mm: MmId, batch: RegionBatch, window: number): number {
  const { m } = d;
  const { samplingAddress, nrAccesses, lastNrAccesses, nrAccessesBp } = d.t.damonRegion;
  const { hooks } = m;
  const settles = hooks.settleAccess !== noAccessToSettle;
  const pageSize = 2 ** m.geometry.pageShift;
  const reuses = d.profile.vaddrReusesLastFolio;
  const regions = listRegions(d, target, batch);
  const { addresses, perRange, top, order, entry, used } = pmdCells(m, mm);
  const { rows } = batch;
  const memo = readMemo(d);
  let { address: lastAddress, folioSize: lastSize, accessed } = memo;
  let most = d.most >>> 0;
  let looked = 0;
  for (let i = 0; i < regions; i++) {
    const region = rows[i];
    const address = samplingAddress[region];
    let now = false;
    if (reuses && inOneFolio(lastAddress, address, lastSize)) now = accessed;
    else if (address < addresses) {
      if (settles) hooks.settleAccess(mm, Math.floor(address / pageSize) as Vpn);
      const range = (address * perRange) | 0;
      const cell = top < 0 ? cellByWalk(m, mm, range) : cellOf(entry, top, order, range);
      if (mayBeUsed(used, cell)) {
        const seen = look(m, entry[cell], address / pageSize);
        now = seen < 0;
        if (seen !== 0) lastSize = Math.abs(seen) * pageSize;
      }
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
  d.t.damonContext.samplesTaken[d.context] += regions;
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
