/** Why each PMD range is as it is (product question 6), and one table in detail (questions 12 and 15). */
import { MMF, vmaAt } from '@thplab/mm-model';
import { scanResultText } from '@thplab/mthp-collapse';
import { formatSize } from '../format/index.js';
import type { HintStep } from '../hints/hint-log.js';
import type { DecisionStep, TableLook } from '../run/collapse-log.js';
import type { NamedRange, Process } from '../run/process-table.js';
import type { World } from '../run/world.js';
import { type CacheCounts, countCache } from './cache-counts.js';
import { countEntries, type EntryCounts } from './entry-counts.js';
import { whyIneligible } from './ineligible.js';
import { rangeOutcome } from './outcome.js';
import { outcomeText } from './process-result.js';
import { type TableView, viewTable } from './table-slots.js';

/** One PMD range of a VMA. */
export interface ExplainRow {
  readonly process: string;
  readonly vma: string;
  /** Number of the range in its VMA, from its first whole one; null: the VMA has no whole one, the row is for all of it. */
  readonly block: number | null;
  /** Address of the range. */
  readonly start: number;
  /** `collapsed 2M`, the kernel's name of the last result, or `not_scanned`. */
  readonly outcome: string;
  /** Why nothing ever looked at it, or would not look again; null if khugepaged comes here. */
  readonly passedBy: string | null;
  /** Times it was looked at, and when last, ns. */
  readonly looks: number;
  readonly lastNs: number | null;
  /** The last steps in the lives of collapse hints for it; empty: nobody asked. */
  readonly hints: readonly HintStep[];
  /** Entries by what they are. */
  readonly entries: EntryCounts;
  /** What the page cache has of the range; null for memory that is no file's. */
  readonly cache: CacheCounts | null;
}

/** A table in detail. */
export interface ExplainTable {
  readonly process: string;
  readonly vma: string;
  readonly block: number;
  readonly start: number;
  /** As it is at the end. */
  readonly view: TableView;
  readonly looks: readonly ExplainLook[];
}

/** One look at a table. */
export interface ExplainLook {
  readonly atNs: number;
  /** As it was when the look began. */
  readonly before: TableView | null;
  readonly steps: readonly ExplainStep[];
}

export type ExplainStep =
  | {
      readonly kind: 'scan';
      readonly result: string;
      readonly scanned: number;
      readonly none: number;
      readonly unmapped: number;
      readonly shared: number;
      readonly referenced: number;
    }
  | {
      readonly kind: 'skip';
      readonly slot: number;
      readonly size: string;
      readonly occupied: number;
      readonly required: number;
    }
  | { readonly kind: 'attempt'; readonly slot: number; readonly size: string; readonly result: string }
  | {
      readonly kind: 'lock';
      readonly lock: string;
      readonly mode: 'read' | 'write';
      readonly taken: boolean;
      readonly atNs: number;
    }
  | { readonly kind: 'done'; readonly result: string };

/** A row per PMD range of every live process; `process` and `vma` narrow it down. */
export function* explainRanges(
  world: World,
  process: string | null = null,
  vma: string | null = null,
): Generator<ExplainRow, void, undefined> {
  for (const one of world.processes.named(process)) {
    for (const [name, range] of one.vmas) if (vma === null || vma === name) yield* explainVma(world, one, name, range);
  }
}

function* explainVma(world: World, process: Process, name: string, range: NamedRange): Generator<ExplainRow, void> {
  const { ptes } = world.m;
  const first = Math.ceil(range.start / ptes) * ptes;
  const end = range.start + range.pages;
  if (first + ptes > end) {
    yield { ...rowOf(world, process, name, range.start), block: null, looks: 0, lastNs: null };
    return;
  }
  for (let page = first; page + ptes <= end; page += ptes) {
    yield { ...rowOf(world, process, name, page), block: (page - first) / ptes };
  }
}

function rowOf(world: World, process: Process, vma: string, page: number): ExplainRow {
  const record = world.log.range(process.mm, page);
  return {
    process: process.name,
    vma,
    block: null,
    start: page * world.scenario.machine.pageSize,
    outcome: outcomeText(rangeOutcome(world, process.mm, page)),
    passedBy: whyPassedBy(world, process, page),
    looks: record?.looks ?? 0,
    lastNs: record === undefined ? null : record.lastNs,
    hints: world.hints.log.stepsOf(process.mm, page),
    entries: countEntries(world.m, process.mm, page),
    cache: countCache(world.m, process.mm, page),
  };
}

/** Why khugepaged does not come to a page. */
function whyPassedBy(world: World, process: Process, page: number): string | null {
  const { m } = world;
  const vma = vmaAt(m, process.mm, page);
  if (vma === 0) return 'not mapped any more';
  const ineligible = whyIneligible(world, vma);
  if (ineligible !== null) return `not eligible: ${ineligible}`;
  const block = Math.floor(page / m.ptes) * m.ptes;
  if (block < m.vma.start[vma] || block + m.ptes > m.vma.end[vma]) return 'not eligible: no whole PMD range';
  if ((m.mm.flags[process.mm] & MMF.VM_HUGEPAGE) === 0) return 'not registered with khugepaged';
  if (!world.scenario.run.khugepaged) return 'khugepaged does not run in this scenario';
  if (world.k.t.khugepaged.running[0] === 0) return 'khugepaged is stopped: no size is enabled';
  return null;
}

/** The table of a row, with every decision about it if the run was told to keep them (`zoom`). */
export function explainTable(world: World, row: ExplainRow): ExplainTable {
  const process = world.processes.all.find((one) => one.name === row.process && one.exitNs === null) as Process;
  const page = row.start / world.scenario.machine.pageSize;
  return {
    process: row.process,
    vma: row.vma,
    block: row.block ?? 0,
    start: row.start,
    view: viewTable(world.m, process.mm, page),
    looks: world.log.looksAt(process.mm, page).map((look) => lookOf(world, look, page)),
  };
}

function lookOf(world: World, look: TableLook, first: number): ExplainLook {
  const sizeOf = (order: number): string => formatSize(world.scenario.machine.pageSize * 2 ** order);
  return { atNs: look.atNs, before: look.before, steps: look.steps.map((step) => stepOf(step, first, sizeOf)) };
}

function stepOf(step: DecisionStep, first: number, sizeOf: (order: number) => string): ExplainStep {
  switch (step.kind) {
    case 'scan': {
      const { scanned, none, unmapped, shared, referenced } = step.facts;
      return { kind: 'scan', result: scanResultText(step.result), scanned, none, unmapped, shared, referenced };
    }
    case 'skip':
      return {
        kind: 'skip',
        slot: step.page - first,
        size: sizeOf(step.order),
        occupied: step.occupied,
        required: step.required,
      };
    case 'attempt':
      return {
        kind: 'attempt',
        slot: step.page - first,
        size: sizeOf(step.order),
        result: scanResultText(step.result),
      };
    case 'lock':
      return step;
    case 'done':
      return { kind: 'done', result: scanResultText(step.result) };
  }
}
