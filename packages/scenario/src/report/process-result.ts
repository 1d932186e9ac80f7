/** What is told of each process at the end. */
import { MMF, type MmId, TVA, type VmaId, vmaAt } from '@thplab/mm-model';
import { collapsePossibleOrders } from '@thplab/mthp-collapse';
import type { Histogram } from '@thplab/sync';
import { formatSize } from '../format/index.js';
import type { NamedRange, Process } from '../run/process-table.js';
import { unnamedRanges } from '../run/unnamed-ranges.js';
import type { World } from '../run/world.js';
import { type Census, countRange, emptyCensus } from './census.js';
import { whyIneligible } from './ineligible.js';
import { type RangeOutcome, rangeOutcome } from './outcome.js';
import type { CoverageResult, ProcessResult, StallResult, VmaResult } from './result.js';
import { tlbProcessResult } from './tlb-result.js';

/** The result of a process, live or gone. */
export function processResult(world: World, process: Process): ProcessResult {
  const live = process.exitNs === null;
  const lock = process.lock ?? world.locks.of(process.mm);
  const { m } = world;
  const { pageSize } = world.scenario.machine;
  const total = emptyCensus(m);
  const vmas = live ? [...process.vmas].map(([name, range]) => vmaResult(world, process, name, range, total)) : [];
  // Shares of the whole process are of what it has, named or not.
  for (const { start, pages } of live ? unnamedRanges(m, process) : []) {
    countRange(m, process.mm, start, start + pages, total);
  }
  return {
    name: process.name,
    bornNs: process.bornNs,
    exitNs: process.exitNs,
    registered: live && (m.mm.flags[process.mm] & MMF.VM_HUGEPAGE) !== 0,
    rss: live ? rssPages(world, process.mm) * pageSize : 0,
    anonHuge: live ? m.mm.anonThps[process.mm] * m.ptes * pageSize : 0,
    fileHuge: live ? m.mm.fileThps[process.mm] * m.ptes * pageSize : 0,
    swap: live ? m.mm.swapEnts[process.mm] * pageSize : 0,
    extra: total.noData * pageSize,
    coverage: coverageResult(world, total),
    vmas,
    faults: stallResult(process.faultNs),
    mmapLockWaits: stallResult(lock.waits),
    worstWriteHoldNs: lock.maxWriteHoldNs,
    failures: Object.fromEntries([...process.failures].sort()),
    tlb: tlbProcessResult(world, process),
  };
}

/** Resident base pages of an address space. */
export function rssPages(world: World, mm: MmId): number {
  const { rssAnon, rssFile, rssShmem } = world.m.mm;
  return rssAnon[mm] + rssFile[mm] + rssShmem[mm];
}

/** Count, quantiles and sum of a histogram. */
export function stallResult(times: Histogram): StallResult {
  return {
    count: times.count,
    p50Ns: times.quantile(0.5),
    p99Ns: times.quantile(0.99),
    maxNs: times.max,
    totalNs: times.total,
  };
}

function vmaResult(world: World, process: Process, name: string, range: NamedRange, total: Census): VmaResult {
  const { m } = world;
  const { pageSize } = world.scenario.machine;
  const end = range.start + range.pages;
  const census = emptyCensus(m);
  countRange(m, process.mm, range.start, end, census);
  addCensus(total, census);
  const vma = vmaAt(m, process.mm, range.start);
  return {
    name,
    start: range.start * pageSize,
    ...coverageResult(world, census),
    eligible: vma === 0 ? [] : eligibleSizes(world, vma),
    ineligible: vma === 0 ? 'not mapped any more' : whyIneligible(world, vma),
    outcomes: outcomesOf(world, process.mm, range),
  };
}

function eligibleSizes(world: World, vma: VmaId): string[] {
  const orders = collapsePossibleOrders(world.collapse, vma, TVA.khugepaged);
  return sizesOf(world, (order) => ((orders & (1 << order)) !== 0 ? 1 : 0)).map(([size]) => size);
}

/** Outcomes of the whole PMD ranges in a range of pages, with their numbers. */
function outcomesOf(world: World, mm: MmId, range: NamedRange): Record<string, number> {
  const { ptes } = world.m;
  const counts = new Map<string, number>();
  const end = range.start + range.pages;
  for (let page = Math.ceil(range.start / ptes) * ptes; page + ptes <= end; page += ptes) {
    const text = outcomeText(rangeOutcome(world, mm, page));
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

/** `collapsed 2M`, `collapsed 64K,16K`, or the reason. */
export function outcomeText(outcome: RangeOutcome): string {
  if (outcome.collapsedTo.length === 0) return outcome.result;
  return `collapsed ${outcome.collapsedTo.map(formatSize).join(',')}`;
}

function coverageResult(world: World, census: Census): CoverageResult {
  const { pageSize } = world.scenario.machine;
  const bySize = sizesOf(world, (order) => census.byOrder[order]);
  return {
    size: census.pages * pageSize,
    resident: census.resident * pageSize,
    hugeOfSize: share(census.huge, census.pages),
    hugeOfResident: share(census.huge, census.resident),
    bySize: Object.fromEntries(bySize.map(([size, _order, pages]) => [size, pages * pageSize])),
    folios: Object.fromEntries(bySize.map(([size, order, pages]) => [size, pages / 2 ** order])),
  };
}

/** Orders with a value above 0, largest first: size, order, value. */
export function sizesOf(world: World, pagesOf: (order: number) => number): [string, number, number][] {
  const { pageSize } = world.scenario.machine;
  const rows: [string, number, number][] = [];
  for (let order = world.m.pmdOrder; order > 0; order--) {
    const value = pagesOf(order);
    if (value > 0) rows.push([formatSize(pageSize * 2 ** order), order, value]);
  }
  return rows;
}

/** A part of a whole; 0 of nothing. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Adds one census to another. */
export function addCensus(total: Census, more: Census): void {
  total.pages += more.pages;
  total.resident += more.resident;
  total.huge += more.huge;
  total.noData += more.noData;
  total.zero += more.zero;
  total.swap += more.swap;
  more.byOrder.forEach((pages, order) => {
    total.byOrder[order] += pages;
  });
}
