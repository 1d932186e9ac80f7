import type { Generation } from '../generations/generation.js';
import { defaultPtesSettings } from '../limits.js';
import type { OrderSet } from '../orders.js';
import { type CreepCase, creepKind, findCreep } from './creep.js';
import { type CreepStart, everyStart, MOST_EXHAUSTIVE_ORDER, sampledStarts } from './creep-starts.js';
import type { StudyRules } from './study-rules.js';
import { StudyTable } from './study-table.js';

/** What is asked: does this generation climb, for which settings? */
export interface CreepQuestion {
  readonly generation: Generation;
  /** Tables have 2^pmdOrder entries; up to 16 entries all of them are tried. */
  readonly pmdOrder: number;
  /** Values of max_ptes_none, one row of the answer each. */
  readonly maxPtesNone: readonly number[];
  /** Sets of enabled orders, each tried with every value. */
  readonly orderSets: readonly OrderSet[];
  /** The enabled orders are set to `always` in files of their own: matters to greedy generations (RFC v2, v4). */
  readonly always: boolean;
  /** Tables by chance for each setting, where not all are tried. */
  readonly samples: number;
  readonly seed: number;
}

/** The answer for one value of max_ptes_none, over all sets of orders. */
export interface CreepRow {
  readonly maxPtesNone: number;
  readonly verdict: 'no' | 'together' | 'alone';
  /** Pairs of table and set of orders that were looked at; with all bitmaps of a small table, how many those are. */
  readonly cases: number;
  /** Those of them in which some scan climbed, and in which a single folio did. */
  readonly climbing: number;
  readonly alone: number;
  /** Scans until nothing changed, at most. */
  readonly mostScans: number;
  /** The case that shows it best; null if there is none. */
  readonly example: CreepCase | null;
}

/** How far a study is. */
export interface CreepProgress {
  readonly done: number;
  readonly total: number;
  /** Rows that are complete. */
  readonly rows: readonly CreepRow[];
}

/** True if every bitmap is tried: then a row without a climb is a proof. */
export function isExhaustive({ pmdOrder }: Pick<CreepQuestion, 'pmdOrder'>): boolean {
  return pmdOrder <= MOST_EXHAUSTIVE_ORDER;
}

/**
 * Looks for creep (khugepaged spec 16): scans each table again and again, under every setting asked for. Yields after each
 * setting, so that the caller can show progress, or stop and keep the rows so far.
 */
export function* studyCreep(question: CreepQuestion): Generator<CreepProgress, readonly CreepRow[], void> {
  const { generation, pmdOrder, maxPtesNone, orderSets } = question;
  const total = maxPtesNone.length * orderSets.length;
  const every = isExhaustive(question) ? everyStart(generation, pmdOrder) : null;
  const table = new StudyTable(pmdOrder);
  const rows: CreepRow[] = [];
  let done = 0;
  for (const none of maxPtesNone) {
    const row = emptyRow(none);
    for (const enabledOrders of orderSets) {
      const rules = rulesOf(question, none, enabledOrders);
      tryStarts(rules, every ?? sampledStarts(rules, question.samples, question.seed), table, row);
      done += 1;
      yield { done, total, rows };
    }
    rows.push(row);
  }
  return rows;
}

function rulesOf(
  { generation, pmdOrder, always }: CreepQuestion,
  maxPtesNone: number,
  enabledOrders: OrderSet,
): StudyRules {
  const settings = { ...defaultPtesSettings(pmdOrder), maxPtesNone };
  return { generation, pmdOrder, enabledOrders, alwaysOrders: always ? enabledOrders : 0, settings };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function emptyRow(maxPtesNone: number): Mutable<CreepRow> {
  return { maxPtesNone, verdict: 'no', cases: 0, climbing: 0, alone: 0, mostScans: 0, example: null };
}

function tryStarts(rules: StudyRules, starts: readonly CreepStart[], table: StudyTable, row: Mutable<CreepRow>): void {
  for (const { bitmap, weight } of starts) {
    row.cases += weight;
    const found = findCreep(rules, bitmap, table);
    if (found === null) continue;
    row.climbing += weight;
    row.mostScans = Math.max(row.mostScans, found.scans.length);
    const kind = creepKind(found);
    if (kind === 'alone') row.alone += weight;
    if (kind === 'alone' || row.verdict === 'no') row.verdict = kind;
    if (row.example === null || isBetter(found, row.example)) row.example = found;
  }
}

/** A single folio that climbs shows more than several, more scans show more than few, and few pages more than many. */
function isBetter(a: CreepCase, b: CreepCase): boolean {
  const kinds = Number(creepKind(a) === 'alone') - Number(creepKind(b) === 'alone');
  if (kinds !== 0) return kinds > 0;
  return a.scans.length > b.scans.length;
}

/** Every set of orders from 2 to the PMD order but the empty one. */
export function everyOrderSet(pmdOrder: number): readonly OrderSet[] {
  const sets: OrderSet[] = [];
  for (let set = 4; set < 2 << pmdOrder; set += 4) sets.push(set);
  return sets;
}
