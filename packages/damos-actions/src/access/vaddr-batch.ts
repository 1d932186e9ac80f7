/**
 * Access checks of all regions of a target in one step, the locks being the caller's. The same rules as page by page
 * (vaddr.ts), written as plain loops over columns: a machine with a terabyte of addresses is sampled some hundred thousand
 * times per second of its time. Each loop does one thing to all regions: so it has its columns in registers, and where it
 * reads all over memory the processor can have many reads under way.
 */
import { type Machine, type MmId, noAccessToSettle, PMD, type Vpn } from '@thplab/mm-model';
import { BASIS_POINTS } from '../arithmetic.js';
import type { Damon } from '../damon.js';
import { movingSum } from '../monitor/counters.js';
import { inOneFolio, readMemo, remember } from './last-checked.js';
import { lookAt, makeOldAt } from './one-page.js';
import { findUsed, rangeRule } from './pmd-cells.js';
import { listRegions, type RegionBatch } from './region-batch.js';
import { chooseSamplingAddress } from './sampling.js';

/**
 * Chooses a page of every region and makes it old (`damon_va_prepare_access_checks`). Gives how many were looked at.
 */
export function makeAllOld(d: Damon, target: number, mm: MmId, batch: RegionBatch): number {
  const { m } = d;
  const regions = listRegions(d, target, batch);
  chooseAddresses(d, batch, regions);
  if (settles(m)) settleAll(d, mm, batch, regions);
  const found = findUsed(m, mm, batch.ranges, regions, batch);
  readEntries(m, batch, found);
  touchFrames(m, batch, found);
  const { samplingAddress } = d.t.damonRegion;
  const { rows, places, cells } = batch;
  for (let k = 0; k < found; k++) makeOldAt(m, cells[k], samplingAddress[rows[places[k]]]);
  return regions;
}

/** Looks at the page chosen for every region, and counts (`damon_va_check_accesses`). Gives how many were looked at. */
export function checkAll(d: Damon, target: number, mm: MmId, batch: RegionBatch, window: number): number {
  const { m } = d;
  const regions = listRegions(d, target, batch);
  rangesOfAddresses(d, batch, regions);
  const found = findUsed(m, mm, batch.ranges, regions, batch);
  readEntries(m, batch, found);
  const inTurn = d.profile.vaddrReusesLastFolio || settles(m);
  const looked = inTurn ? lookInTurn(d, mm, batch, regions) : lookAtUsed(d, batch, regions, found);
  countAll(d, batch, regions, window);
  return looked;
}

function settles(m: Machine): boolean {
  return m.hooks.settleAccess !== noAccessToSettle;
}

/** A 32-bit random number times this is from 0 up to, not including, 1. */
const PER_CHANCE = 2 ** -32;

/**
 * `chooseSamplingAddress` of all regions, with the same random numbers: drawn at once, if one is enough for each. Also
 * writes which PMD ranges the addresses lie in.
 */
function chooseAddresses(d: Damon, batch: RegionBatch, regions: number): void {
  const { random } = d;
  const { start, end, samplingAddress } = d.t.damonRegion;
  const { rows, chances, ranges } = batch;
  if (largestOf(start, end, rows, regions) > 2 ** 32) {
    for (let i = 0; i < regions; i++) chooseSamplingAddress(d, rows[i], random);
    rangesOfAddresses(d, batch, regions);
    return;
  }
  const { addresses, perRange } = rangeRule(d.m);
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
    const region = rows[i];
    const size = end[region] - start[region];
    if (size > largest) largest = size;
  }
  return largest;
}

/** Writes which PMD ranges the chosen addresses lie in. */
function rangesOfAddresses({ m, t }: Damon, { rows, ranges }: RegionBatch, regions: number): void {
  const { samplingAddress } = t.damonRegion;
  const { addresses, perRange } = rangeRule(m);
  for (let i = 0; i < regions; i++) {
    const address = samplingAddress[rows[i]];
    ranges[i] = address < addresses ? (address * perRange) | 0 : -1;
  }
}

/** How many of the addresses the machine can have: they come upwards, so the others are the last. */
function countInReach({ ranges }: RegionBatch, regions: number): number {
  let count = regions;
  while (count > 0 && ranges[count - 1] < 0) count--;
  return count;
}

function settleAll({ m, t }: Damon, mm: MmId, { rows }: RegionBatch, regions: number): void {
  const pageSize = 2 ** m.geometry.pageShift;
  for (let i = 0; i < regions; i++) {
    const page = Math.floor(t.damonRegion.samplingAddress[rows[i]] / pageSize);
    if (page < m.addressPages) m.hooks.settleAccess(mm, page as Vpn);
  }
}

function readEntries(m: Machine, { cells, entries }: RegionBatch, found: number): void {
  const { entry } = m.directory;
  for (let k = 0; k < found; k++) entries[k] = entry[cells[k]];
}

/** Reads the flags of all huge pages found, and forgets them: then they are in the cache, fetched side by side. */
function touchFrames(m: Machine, { entries, chances }: RegionBatch, found: number): void {
  const { flags } = m.frame;
  for (let k = 0; k < found; k++) {
    chances[k] = (entries[k] & 7) === PMD.huge ? flags[(entries[k] >>> 8) * m.ptes] : 0;
  }
}

/** Looks at the pages that may be mapped: no other was accessed. Gives how many count as looked at. */
function lookAtUsed({ m, t }: Damon, batch: RegionBatch, regions: number, found: number): number {
  const { samplingAddress } = t.damonRegion;
  const { rows, places, entries, accessed } = batch;
  accessed.fill(0, 0, regions);
  for (let k = 0; k < found; k++) {
    const i = places[k];
    accessed[i] = lookAt(m, entries[k], samplingAddress[rows[i]]) < 0 ? 1 : 0;
  }
  return countInReach(batch, regions);
}

/** Looks at one page after the other, where what is found at one concerns the next. Gives how many were looked at. */
function lookInTurn(d: Damon, mm: MmId, batch: RegionBatch, regions: number): number {
  const { m } = d;
  const { samplingAddress } = d.t.damonRegion;
  const { rows, ranges, places, cells, entries, accessed } = batch;
  const { entry } = m.directory;
  const { settleAccess } = m.hooks;
  const settling = settles(m);
  const pageSize = 2 ** m.geometry.pageShift;
  const reuses = d.profile.vaddrReusesLastFolio;
  const memo = readMemo(d);
  let { address: lastAddress, folioSize: lastSize, accessed: lastAccessed } = memo;
  let looked = 0;
  let k = 0;
  for (let i = 0; i < regions; i++) {
    const address = samplingAddress[rows[i]];
    const used = places[k] === i;
    accessed[i] = 0;
    if (reuses && inOneFolio(lastAddress, address, lastSize)) accessed[i] = lastAccessed ? 1 : 0;
    else if (ranges[i] >= 0) {
      if (settling) settleAccess(mm, Math.floor(address / pageSize) as Vpn);
      const pages = used ? lookAt(m, settling ? entry[cells[k]] : entries[k], address) : 0;
      if (pages !== 0) lastSize = Math.abs(pages) * pageSize;
      lastAddress = address;
      lastAccessed = pages < 0;
      if (lastAccessed) accessed[i] = 1;
      looked++;
    }
    if (used) k++;
  }
  if (reuses && looked > 0) remember(d, lastAddress, lastSize, lastAccessed);
  return looked;
}

/** Counts what was found (`countSample`); sums that stay 0 are not computed. */
function countAll(d: Damon, { rows, accessed }: RegionBatch, regions: number, window: number): void {
  const { nrAccesses, lastNrAccesses, nrAccessesBp } = d.t.damonRegion;
  let most = d.most >>> 0;
  for (let i = 0; i < regions; i++) {
    const region = rows[i];
    const now = accessed[i];
    const before = lastNrAccesses[region];
    if ((before | now) !== 0) {
      nrAccessesBp[region] = movingSum(nrAccessesBp[region], before * BASIS_POINTS, window, now * BASIS_POINTS);
      nrAccesses[region] += now;
    }
    if (nrAccesses[region] > most) most = nrAccesses[region];
  }
  d.most = most;
  d.t.damonContext.samplesTaken[d.context] += regions;
}
