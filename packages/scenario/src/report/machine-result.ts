/** What is told of khugepaged and of memory at the end, and in the rows of the time line. */
import { freeBlocks, TVA, vmaAt } from '@thplab/mm-model';
import { collapsePossible, type ScanResult, scanResultText } from '@thplab/mthp-collapse';
import { formatSize } from '../format/index.js';
import type { World } from '../run/world.js';
import { freePages } from './counters.js';
import { rssPages, share } from './process-result.js';
import type { KhugepagedResult, MemoryResult, TimelineRow } from './result.js';

/** Sums of khugepaged. `hugeAtStart`: base pages that were huge before the run. */
export function khugepagedResult(world: World, endNs: number, hugeAtStart: number): KhugepagedResult {
  const row = world.k.t.khugepaged;
  const { cpuNs } = world.threads;
  const { pageSize } = world.scenario.machine;
  const attempts = [...world.log.attempts].sort((a, b) => b[0] - a[0]);
  return {
    cpuNs,
    cpuShare: share(cpuNs, endNs),
    pagesCollapsed: row.pagesCollapsed[0],
    fullScans: row.fullScans[0],
    passes: row.passes[0],
    // The visit that goes on at the end has not booked its ranges yet.
    rangesScanned: row.rangesScanned[0] + world.k.scanner.ranges,
    ranges: byResult(world.log.looks),
    attempts: Object.fromEntries(
      attempts.map(([order, results]) => [formatSize(pageSize * 2 ** order), byResult(results)]),
    ),
    pagesCopied: world.log.copiedPages,
    timeToCover: timeToCover(world, hugeAtStart),
  };
}

function byResult(counts: ReadonlyMap<ScanResult, number>): Record<string, number> {
  const sorted = [...counts].sort((a, b) => a[0] - b[0]);
  return Object.fromEntries(sorted.map(([result, count]) => [scanResultText(result), count]));
}

function timeToCover(world: World, hugeAtStart: number): KhugepagedResult['timeToCover'] {
  const target = collapsiblePages(world) - hugeAtStart;
  const reached = (part: number): number | null => {
    if (target <= 0) return null;
    return world.log.progress.find((point) => point.pages >= target * part)?.atNs ?? null;
  };
  return { half: reached(0.5), most: reached(0.9), nearlyAll: reached(0.99) };
}

/** Base pages in the whole PMD ranges of VMAs that khugepaged may build something in. */
export function collapsiblePages(world: World): number {
  const { m } = world;
  let pages = 0;
  for (const process of world.processes.live()) {
    for (const range of process.vmas.values()) {
      const vma = vmaAt(m, process.mm, range.start);
      if (vma === 0 || !collapsePossible(world.collapse, vma, TVA.khugepaged)) continue;
      const first = Math.ceil(range.start / m.ptes) * m.ptes;
      pages += Math.max(0, Math.floor((range.start + range.pages - first) / m.ptes)) * m.ptes;
    }
  }
  return pages;
}

/** Base pages mapped by huge PMDs. */
export function hugePages(world: World): number {
  return world.processes
    .live()
    .reduce(
      (sum, process) => sum + (world.m.mm.anonThps[process.mm] + world.m.mm.fileThps[process.mm]) * world.m.ptes,
      0,
    );
}

/** Memory at the end. */
export function memoryResult(world: World): MemoryResult {
  const { m } = world;
  const { pageSize, nodes } = world.scenario.machine;
  const free = freePages(m);
  const blocks: [string, number][] = [];
  let inHugeBlocks = 0;
  for (let order = m.maxOrder; order >= 0; order--) {
    let count = 0;
    for (let node = 0; node < m.nodes; node++) count += freeBlocks(m, node, order);
    if (order >= m.pmdOrder) inHugeBlocks += count * 2 ** order;
    if (count > 0) blocks.push([formatSize(pageSize * 2 ** order), count]);
  }
  return {
    total: nodes.reduce((sum, node) => sum + node.size, 0),
    free: free * pageSize,
    fragmentation: share(free - inHugeBlocks, free),
    freeBlocks: Object.fromEntries(blocks),
    copiedOnWrite: m.machine.cowPages[0] * pageSize,
  };
}

/** One row of the time line. */
export function timelineRow(world: World, atNs: number): TimelineRow {
  const { m } = world;
  const { pageSize } = world.scenario.machine;
  return {
    atNs,
    free: freePages(m) * pageSize,
    pagesCollapsed: world.k.t.khugepaged.pagesCollapsed[0],
    khugepagedCpuNs: world.threads.cpuNs,
    processes: world.processes.live().map(({ name, mm }) => ({
      name,
      rss: rssPages(world, mm) * pageSize,
      anonHuge: m.mm.anonThps[mm] * m.ptes * pageSize,
      fileHuge: m.mm.fileThps[mm] * m.ptes * pageSize,
      swap: m.mm.swapEnts[mm] * pageSize,
    })),
  };
}
