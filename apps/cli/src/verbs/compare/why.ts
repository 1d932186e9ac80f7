/** Where two variants part: the first range that fares differently, and in it the first decision, with the rule behind it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ExplainRow, RunOptions, Scenario } from '@thplab/scenario';
import { explainRanges, explainTable, ruleFacts } from '@thplab/scenario';
import type { Context } from '../../context.js';
import type { Progress } from '../../output/progress.js';
import { simulate } from '../../simulate.js';
import { type Decision, decisionOf, type Side } from './decision.js';

/** A variant that has run, with what became of its ranges. */
export interface KnownVariant {
  readonly name: string;
  readonly scenario: Scenario;
  readonly rows: readonly ExplainRow[];
}

/** Two variants and where they part; without a range they do not. */
export interface Parting {
  readonly first: string;
  readonly second: string;
  readonly range: string | null;
  readonly address: number | null;
  readonly outcomes: readonly [first: string, second: string] | null;
  readonly decision: Decision | null;
}

/** Ranges that are looked into where all outcomes are alike. */
const MOST_LOOKED_INTO = 32;

/** The first variant against each of the others. */
export async function partings(
  context: Context,
  variants: readonly KnownVariant[],
  options: Omit<RunOptions, 'zoom'>,
  progress: Progress,
): Promise<readonly Parting[]> {
  const [first, ...others] = variants;
  if (first === undefined) return [];
  const found: Parting[] = [];
  for (const second of others) {
    await nextTurn();
    found.push(await parting(context, first, second, options, progress));
  }
  return found;
}

async function parting(
  context: Context,
  first: KnownVariant,
  second: KnownVariant,
  options: Omit<RunOptions, 'zoom'>,
  progress: Progress,
): Promise<Parting> {
  const pairs = pairsOf(first.rows, second.rows);
  const outcome = pairs.find(([a, b]) => a.outcome !== b.outcome);
  const candidates = outcome === undefined ? pairs.slice(0, MOST_LOOKED_INTO) : [outcome];
  const zoom = candidates.map(([a]) => a);
  // The same runs again, now with every decision about these tables kept.
  const [a, b] = [
    await lookInto(context, first, zoom, options, progress),
    await lookInto(context, second, zoom, options, progress),
  ];
  const names = { first: first.name, second: second.name };
  for (const [rowA, rowB] of candidates) {
    const decision = decisionOf(a(rowA), b(rowB));
    if (decision === null && outcome === undefined) continue;
    return { ...names, range: rangeName(rowA), address: rowA.start, outcomes: [rowA.outcome, rowB.outcome], decision };
  }
  return { ...names, range: null, address: null, outcomes: null, decision: null };
}

/** Rows of the same place in both, in the order of the first. */
function pairsOf(a: readonly ExplainRow[], b: readonly ExplainRow[]): [ExplainRow, ExplainRow][] {
  const byPlace = new Map(b.map((row) => [placeOf(row), row]));
  return a.flatMap((row): [ExplainRow, ExplainRow][] => {
    const other = byPlace.get(placeOf(row));
    return row.block === null || other === undefined ? [] : [[row, other]];
  });
}

const placeOf = ({ process, start }: ExplainRow): string => `${process} ${start}`;

export function rangeName({ process, vma, block }: ExplainRow): string {
  return `${process}/${vma}:${block ?? 0}`;
}

async function lookInto(
  context: Context,
  { scenario, name }: KnownVariant,
  rows: readonly ExplainRow[],
  options: Omit<RunOptions, 'zoom'>,
  progress: Progress,
): Promise<(row: ExplainRow) => Side> {
  const { pageSize } = scenario.machine;
  const zoom = rows.map(({ process, start }) => ({ process, page: start / pageSize }));
  const { world } = await simulate(
    context,
    scenario,
    { ...options, zoom, checkInvariants: false },
    progress,
    `why ${name}`,
  );
  const known = [...explainRanges(world)];
  return (row) => {
    const own = known.find((one) => placeOf(one) === placeOf(row)) ?? row;
    return {
      row: own,
      looks: explainTable(world, own).looks,
      facts: ruleFacts(world, own.process, own.start / pageSize),
      pageSize,
    };
  };
}
