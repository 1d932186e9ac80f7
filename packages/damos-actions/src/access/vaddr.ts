/** Monitoring the address spaces of processes (mm/damon/vaddr.c; DAMON spec 1.8, 1.10). */
import {
  directoryOf,
  findPmd,
  folioPages,
  type Machine,
  type MmId,
  mmapReadLock,
  mmapReadUnlock,
  mmgetNotZero,
  mmIsExiting,
  mmput,
  NO_PMD,
  PMD,
  pmdTable,
  pmdType,
  pteOffsetMapLock,
  slotOf,
  type Vpn,
  vmasOf,
} from '@thplab/mm-model';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import { divide } from '../arithmetic.js';
import type { Damon } from '../damon.js';
import { maxNrAccesses, readAttributes } from '../monitor/attributes.js';
import { countSample } from '../monitor/counters.js';
import { setRegions, threeRegions } from '../monitor/layout.js';
import { type AddressRange, appendRegion, regionSize } from '../monitor/regions.js';
import { evenlySplitRegion } from '../monitor/split.js';
import { targetIndex } from '../monitor/store.js';
import type { AccessChecks } from './access-checks.js';
import { folioOfPmd, folioOfPte, isPmdYoung, isPteYoung, pmdpMkold, ptepMkold } from './folio-age.js';
import { forgetLast, lastResult, remember, sameFolio } from './last-checked.js';
import { RegionBatch } from './region-batch.js';
import { chooseSamplingAddress } from './sampling.js';
import { checkAll, makeAllOld } from './vaddr-batch.js';

/** What looking at one address gives: bytes of the folio there (0: none), negative if it was accessed. */
type Look = number;

/** Operations on virtual addresses. `fixed` (fvaddr): the layout is the user's, and nothing changes it. */
export function vaddrChecks(d: Damon, fixed: boolean): AccessChecks {
  const batches = new Map<number, RegionBatch>();
  const batchOf = (target: number): RegionBatch => {
    const batch = batches.get(target) ?? new RegionBatch();
    batches.set(target, batch);
    return batch;
  };
  return {
    *init() {
      for (const target of d.targets.rows(d.context)) {
        if (!fixed) yield* initRegions(d, target);
        else if (d.regions.isEmpty(target)) {
          d.warnings.push(`target ${targetIndex(d, target)} has no regions: fvaddr takes those that it is given`);
        }
      }
    },
    *prepare() {
      for (const target of d.targets.rows(d.context)) {
        yield* withMm(d, target, (mm) => prepareTarget(d, target, mm, batchOf(target)));
      }
    },
    *check() {
      d.most = 0;
      for (const target of d.targets.rows(d.context)) {
        const seen = yield* withMm(d, target, (mm) => checkTarget(d, target, mm, batchOf(target)));
        if (!seen) countNothing(d, target);
      }
      return d.most;
    },
    *update() {
      if (fixed) return;
      for (const target of d.targets.rows(d.context)) {
        const ranges = yield* readThreeRegions(d, target);
        if (ranges !== undefined) setRegions(d, target, ranges, readAttributes(d).minRegionSize);
      }
    },
    isValid: (target) => !mmIsExiting(d.m, d.t.damonTarget.mm[target] as MmId),
  };
}

/** Runs something with a user's reference on the target's memory; false, and nothing is run, if the process is gone. */
function* withMm(d: Damon, target: number, run: (mm: MmId) => Procedure<void>): Procedure<boolean> {
  const mm = d.t.damonTarget.mm[target] as MmId;
  if (!mmgetNotZero(d.m, mm)) return false;
  yield* run(mm);
  yield* mmput(d.m, mm);
  return true;
}

/** The three ranges of a process, or undefined if it is gone or has not two holes (`damon_va_three_regions`). */
function* readThreeRegions(d: Damon, target: number): Procedure<AddressRange[] | undefined> {
  const { m } = d;
  const bytes = 2 ** m.geometry.pageShift;
  let mapped: AddressRange[] = [];
  yield* withMm(d, target, function* (mm) {
    yield* mmapReadLock(m, mm);
    mapped = [...vmasOf(m, mm)].map((vma) => ({ start: m.vma.start[vma] * bytes, end: m.vma.end[vma] * bytes }));
    yield spend(mapped.length * m.costs.scanVisit);
    yield* mmapReadUnlock(m, mm);
  });
  return threeRegions(mapped, readAttributes(d).minRegionSize);
}

/** Lays a target out by its VMAs, unless it has regions (`__damon_va_init_regions`). Without two holes it gets none. */
function* initRegions(d: Damon, target: number): Procedure<void> {
  if (!d.regions.isEmpty(target)) return;
  const ranges = yield* readThreeRegions(d, target);
  if (ranges === undefined) {
    const what = `target ${targetIndex(d, target)} has no regions: its process has less than two holes between its VMAs`;
    d.warnings.push(`${what}; give it ranges, or take fvaddr`);
    return;
  }
  const { minRegionSize, minNrRegions } = readAttributes(d);
  const total = ranges.reduce((sum, { start, end }) => sum + (end - start), 0);
  const piece = Math.max(minRegionSize, divide(total, minNrRegions));
  for (const { start, end } of ranges) {
    const region = appendRegion(d, target, start, end);
    if (d.profile.minRegionsRule === 'eachAggregation') continue;
    const pieces = divide(regionSize(d, region), piece);
    if (pieces > 1) evenlySplitRegion(d, target, region, pieces, minRegionSize);
  }
}

function* prepareTarget(d: Damon, target: number, mm: MmId, batch: RegionBatch): Procedure<void> {
  if (d.locking === 'batch') {
    yield* mmapReadLock(d.m, mm);
    const looked = makeAllOld(d, target, mm, batch);
    yield spend(looked * d.m.costs.scanVisit);
    yield* mmapReadUnlock(d.m, mm);
    return;
  }
  const { next } = d.t.damonRegion;
  const pageSize = 2 ** d.m.geometry.pageShift;
  for (let region = d.regions.first(target); region !== 0; region = next[region]) {
    yield* makeOldLocked(d, mm, pageOf(chooseSamplingAddress(d, region, d.random), pageSize));
  }
}

function* checkTarget(d: Damon, target: number, mm: MmId, batch: RegionBatch): Procedure<void> {
  forgetLast(d, 2 ** d.m.geometry.pageShift);
  if (d.locking === 'batch') {
    yield* mmapReadLock(d.m, mm);
    const looked = checkAll(d, target, mm, batch, sampleWindow(d));
    yield spend(looked * d.m.costs.scanVisit);
    yield* mmapReadUnlock(d.m, mm);
    return;
  }
  const window = sampleWindow(d);
  const { next, samplingAddress } = d.t.damonRegion;
  const pageSize = 2 ** d.m.geometry.pageShift;
  for (let region = d.regions.first(target); region !== 0; region = next[region]) {
    const address = samplingAddress[region];
    if (!d.profile.vaddrReusesLastFolio || !sameFolio(d, address)) {
      const look = yield* lookAtLocked(d, mm, pageOf(address, pageSize));
      remember(d, address, Math.abs(look), look < 0);
    }
    count(d, region, lastResult(d), window);
  }
}

/** The process is gone: nothing was accessed. */
function countNothing(d: Damon, target: number): void {
  const window = sampleWindow(d);
  for (const region of d.regions.rows(target)) count(d, region, false, window);
}

/** Samples of an aggregation, at least 1: the window of the moving sum. */
export function sampleWindow(d: Damon): number {
  const c = d.t.damonContext;
  return Math.max(1, maxNrAccesses({ sampleIntervalUs: c.sampleUs[d.context], aggrIntervalUs: c.aggrUs[d.context] }));
}

/** Counts a sample, and keeps the highest count of the round. */
export function count(d: Damon, region: number, accessed: boolean, window: number): void {
  countSample(d, region, accessed, window);
  d.most = Math.max(d.most, d.t.damonRegion.nrAccesses[region]);
  d.t.damonContext.samplesTaken[d.context]++;
}

function pageOf(address: number, pageSize: number): Vpn {
  return Math.floor(address / pageSize) as Vpn;
}

/** Makes the page of an address old (`damon_va_mkold`); locks are the caller's, or not needed. */
function makeOld(m: Machine, mm: MmId, page: Vpn): void {
  m.hooks.settleAccess(mm, page);
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return;
  const entry = m.directory.entry[pmd];
  const type = pmdType(entry);
  if (type === PMD.huge) pmdpMkold(m, pmd);
  else if (type === PMD.table) ptepMkold(m, pmdTable(entry), slotOf(m, page));
}

/** Looks at the page of an address (`damon_va_young`); locks are the caller's, or not needed. */
function lookAt(m: Machine, mm: MmId, page: Vpn): Look {
  m.hooks.settleAccess(mm, page);
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return 0;
  const entry = m.directory.entry[pmd];
  const type = pmdType(entry);
  if (type !== PMD.huge && type !== PMD.table) return 0;
  const huge = type === PMD.huge;
  const table = pmdTable(entry);
  const slot = slotOf(m, page);
  const head = huge ? folioOfPmd(m, entry) : folioOfPte(m, table, slot);
  if (head === 0) return 0;
  const young = huge ? isPmdYoung(m, entry, head) : isPteYoung(m, table, slot, head);
  const size = folioPages(m, head) * 2 ** m.geometry.pageShift;
  return young ? -size : size;
}

function* makeOldLocked(d: Damon, mm: MmId, page: Vpn): Procedure<void> {
  const lock = yield* lockPlace(d, mm, page);
  makeOld(d.m, mm, page);
  yield* unlockPlace(d, mm, lock);
}

function* lookAtLocked(d: Damon, mm: MmId, page: Vpn): Procedure<Look> {
  const lock = yield* lockPlace(d, mm, page);
  const look = lookAt(d.m, mm, page);
  yield* unlockPlace(d, mm, lock);
  return look;
}

type PageTableLock = ReturnType<Damon['m']['locks']['pteLock']['ref']> | undefined;

/** Takes mmap_lock for reading and the lock of what maps the page, if anything does. */
function* lockPlace(d: Damon, mm: MmId, page: Vpn): Procedure<PageTableLock> {
  const { m } = d;
  yield* mmapReadLock(m, mm);
  yield spend(m.costs.scanVisit);
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return undefined;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.table) {
    const table = pmdTable(entry);
    return (yield* pteOffsetMapLock(m, mm, table, page)) ? m.locks.pteLock.ref(table) : undefined;
  }
  if (pmdType(entry) !== PMD.huge) return undefined;
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  return lock;
}

function* unlockPlace(d: Damon, mm: MmId, lock: PageTableLock): Procedure<void> {
  if (lock !== undefined) yield release(lock);
  yield* mmapReadUnlock(d.m, mm);
}
