/** Page patterns and populate layers. */
import type { Context } from './context.js';
import type { DraftLayer, DraftPattern } from './draft.js';
import { orderOf } from './normalise-machine.js';
import { formatKey, type KeyPath } from './problems.js';
import type { PagePattern, PageState, PopulateLayer, Run } from './scenario.js';
import { PATTERN_KEYS } from './schema-pages.js';
import { formatShare } from './units.js';

/** The pattern of an action or layer on a span of so many pages; no pattern key means all pages. */
export function normalisePattern(context: Context, draft: DraftPattern, pages: number, path: KeyPath): PagePattern {
  const given = PATTERN_KEYS.filter((key) => draft[key] !== undefined);
  if (given.length > 1) {
    context.report([...path, given[1]], `${given.join(' and ')} both say which pages`, 'keep one of them', 'key');
  }
  const key = given[0];
  const at = [...path, key ?? 'pages'];
  const tableSize = 2 ** context.machine.pmdOrder;
  const within = (runs: readonly Run[], limit: number, what: string): readonly Run[] => {
    const beyond = runs.find((run) => run.first + run.count > limit);
    if (beyond !== undefined) {
      const message = `page ${beyond.first + beyond.count - 1} is outside the ${what}`;
      context.report(at, message, `its pages are 0 to ${limit - 1}`);
    }
    return runs;
  };
  if (draft.sparse !== undefined) {
    return { kind: 'sparse', fraction: draft.sparse.fraction, seed: draft.sparse.seed ?? null };
  }
  if (draft.stride !== undefined) {
    const { every, first = 0, count = 1 } = draft.stride;
    if (count > every) context.report(at, `count ${count} is more than every ${every}`, 'expected count <= every');
    return { kind: 'stride', every, first, count };
  }
  if (draft.runs !== undefined) return { kind: 'runs', runs: within(draft.runs, pages, 'range') };
  if (draft.bitmap !== undefined) {
    for (const table of draft.bitmap.tables) within(table, tableSize, 'page table');
    return { kind: 'bitmap', ...draft.bitmap };
  }
  if (draft.perTable !== undefined) {
    const { present, placement = 'random', seed = null } = draft.perTable;
    if (present > tableSize) {
      context.report(at, `${present} pages in each table`, `expected at most ${tableSize}, the pages of one table`);
    }
    return { kind: 'perTable', present, placement, seed };
  }
  if (draft.pages === undefined || draft.pages === 'full') return { kind: 'full' };
  return draft.pages === 'none' ? { kind: 'none' } : { kind: 'runs', runs: within(draft.pages, pages, 'range') };
}

/** About how many of `pages` pages a pattern names. */
export function expectedPages(pattern: PagePattern, pages: number, tableSize: number): number {
  switch (pattern.kind) {
    case 'full':
      return pages;
    case 'none':
      return 0;
    case 'sparse':
      return pages * pattern.fraction;
    case 'stride':
      return (Math.max(0, pages - pattern.first) / pattern.every) * pattern.count;
    case 'runs':
      return sum(pattern.runs.map((run) => run.count));
    case 'perTable':
      return (pages / tableSize) * pattern.present;
    case 'bitmap': {
      const set = sum(pattern.tables.flat().map((run) => run.count));
      return pattern.repeat ? (pages / tableSize) * (set / pattern.tables.length) : set;
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A populate layer of a VMA of so many pages. */
export function normaliseLayer(context: Context, draft: DraftLayer, pages: number, path: KeyPath): PopulateLayer {
  const { machine, report } = context;
  const order = draft.order === undefined ? 0 : orderOf(draft.order, machine, report, [...path, 'order']);
  if (order === 1) report([...path, 'order'], 'there are no anonymous folios of order 1', 'expected 0, or 2 and more');
  if (draft.mapped !== undefined && order !== machine.pmdOrder) {
    const hint = `set order: ${machine.pmdOrder}, or remove mapped`;
    report([...path, 'mapped'], 'mapped is only meaningful for folios of PMD size', hint, 'key');
  }
  if (draft.node !== undefined && draft.node >= machine.nodes.length) {
    report([...path, 'node'], `there is no node ${draft.node}`, `the machine has ${machine.nodes.length}, from 0`);
  }
  return {
    key: formatKey(path),
    pattern: normalisePattern(context, draft, pages, path),
    order,
    mapped: draft.mapped ?? 'pmd',
    states: normaliseStates(context, draft.state, [...path, 'state']),
    young: draft.young ?? 1,
    dirty: draft.dirty ?? null,
    writable: draft.writable ?? 1,
    uffdWp: draft.uffdWp ?? 0,
    lazyfree: draft.lazyfree ?? 0,
    pinned: draft.pinned ?? 0,
    locked: draft.locked ?? 0,
    offLru: draft.offLru ?? 0,
    node: draft.node ?? null,
    seed: draft.seed ?? null,
  };
}

function normaliseStates(context: Context, draft: DraftLayer['state'], path: KeyPath): PopulateLayer['states'] {
  if (draft === undefined) return [{ state: 'present', fraction: 1 }];
  if (typeof draft === 'string') return [{ state: draft, fraction: 1 }];
  const states = Object.entries(draft).map(([state, fraction]) => ({ state: state as PageState, fraction }));
  const total = sum(states.map((state) => state.fraction));
  if (Math.abs(total - 1) > 1e-9) {
    context.report(path, `the shares add up to ${formatShare(total)}`, 'expected 100%; use none for pages left out');
  }
  return states;
}
