/** Plays the cases of golden-collapse.ts and golden-split.ts on a machine. */
import {
  checkMachine,
  handleMmFault,
  MADV,
  type MmId,
  madvise,
  type Pfn,
  PTE_WRITE,
  PTE_YOUNG,
  pinPages,
  placeFolio,
} from '@thplab/mm-model';
import { type Generation, legacy618 } from '@thplab/mthp-collapse';
import { type DamonProfile, damonMm, damonReviewed, damonRfcV2 } from '../profile.js';
import type { SchemeStats } from '../schemes/running.js';
import { applyOnce, BASE, folios, range } from './apply-once.js';
import { addVma, type DamonWorld, fillBase, makeDamonWorld, makeProcess, PAGE_SIZE, page } from './damon-world.js';
import type { ActionCase } from './golden-collapse.js';

/** Profiles by the names that cases have for them. */
export const PROFILES: Readonly<Record<ActionCase['profile'], DamonProfile>> = {
  'mm-2026': damonMm,
  'damon-rfc': damonRfcV2,
  'damon-reviewed': damonReviewed,
};

const GENERATIONS: Readonly<Record<NonNullable<ActionCase['generation']>, Generation>> = { 'legacy-6.18': legacy618 };

/** What came of a case. */
export interface ActionResult {
  readonly stats: SchemeStats;
  /** Anonymous folios by order, those of which there are any. */
  readonly folios: Readonly<Record<number, number>>;
  /** What is wrong with the machine. */
  readonly complaints: readonly string[];
}

/** Sets the memory up, applies the action, and looks. */
export function playActionCase(row: ActionCase): ActionResult {
  const w = makeDamonWorld({
    nodePages: [131_072],
    ...(row.thp === undefined ? {} : { commandLine: `transparent_hugepage=${row.thp}` }),
    ...(row.generation === undefined ? {} : { generation: GENERATIONS[row.generation] }),
  });
  const { mm, pins } = makeMemory(w, row);
  const { filter } = row;
  const coreFilters =
    filter === undefined
      ? []
      : [{ type: 'addr' as const, matching: true, allow: true, ...range(BASE + filter[0], filter[1]) }];
  const stats = applyOnce(
    w,
    mm,
    row.regions.map(([first, pages]) => range(BASE + first, pages)),
    { action: row.action, coreFilters, ...(row.targetOrder === undefined ? {} : { targetOrder: row.targetOrder }) },
    {
      profile: PROFILES[row.profile],
      rounds: row.rounds ?? 1,
      ...(row.minRegion === undefined ? {} : { minRegionSize: row.minRegion * PAGE_SIZE }),
    },
  );
  const found: Record<number, number> = {};
  for (let order = 2; order <= 9; order++) if (folios(w, order) > 0) found[order] = folios(w, order);
  return { stats, folios: found, complaints: checkMachine(w.m, { pins }) };
}

/** The process of a case, and the frames that are pinned. */
function makeMemory(w: DamonWorld, row: ActionCase): { readonly mm: MmId; readonly pins: readonly Pfn[] } {
  const [[first, pages], ...more] = row.vmas as [readonly [number, number], ...(readonly [number, number])[]];
  const { mm, vma } = makeProcess(w, BASE + first, pages);
  const vmas = [vma, ...more.map(([at, count]) => addVma(w, mm, BASE + at, count))];
  for (const { pages: where, order = 0, faulted = false } of row.mapped) {
    const owner = vmas[row.vmas.findIndex(([at, count]) => at <= where[0] && where[0] < at + count)];
    if (owner === undefined) throw new Error(`${row.row}: page ${where[0]} lies in no VMA`);
    if (faulted) {
      for (let at = where[0]; at < where[0] + where[1]; at++) {
        w.run(() => handleMmFault(w.m, mm, page(BASE + at), { write: true }));
      }
    } else if (order === 0) fillBase(w, owner, BASE + where[0], where[1]);
    for (let at = where[0]; order > 0 && at < where[0] + where[1]; at += 2 ** order) {
      placeFolio(w.m, owner, page(BASE + at), order, PTE_YOUNG | PTE_WRITE, { pmdMapped: order === w.m.pmdOrder });
    }
  }
  const { nohugepage, pinned } = row;
  if (nohugepage !== undefined) {
    w.run(() => madvise(w.m, mm, page(BASE + nohugepage[0]), nohugepage[1], MADV.NOHUGEPAGE));
  }
  if (pinned === undefined) return { mm, pins: [] };
  return { mm, pins: w.run(() => pinPages(w.m, mm, page(BASE + pinned), 1, { write: true })).frames };
}
