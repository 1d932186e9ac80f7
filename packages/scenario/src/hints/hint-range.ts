/** Adding a hint the way a producer in the kernel does: what is mapped is looked at under mmap_lock, the hint follows without. */
import { TableFullError } from '@thplab/arena';
import { type HintAddOutcome, khugepagedAddHint } from '@thplab/khugepaged-scheduler';
import {
  findPmd,
  folioHead,
  folioOrder,
  type Machine,
  type MmId,
  mmapReadLock,
  mmapReadUnlock,
  NO_PMD,
  PMD,
  pmdTable,
  pmdType,
  ptePfn,
  slotOf,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { type Procedure, spend } from '@thplab/sync';
import { scenarioError } from '../run/run-error.js';
import type { World } from '../run/world.js';

/** What to ask for. */
export interface RangeHint {
  readonly mm: MmId;
  /** A page of the range. */
  readonly page: number;
  readonly priority: number;
  /** Null: the order of the largest contiguous mapping that is there. */
  readonly maxOrder: number | null;
}

/**
 * Looks the range up and adds a hint for it. The caller keeps the address space alive (mm_users). Errors: ScenarioError for a
 * table of hints that is full.
 */
export function* hintRange(world: World, { mm, page, priority, maxOrder }: RangeHint): Procedure<HintAddOutcome> {
  const { m, k } = world;
  const first = (Math.floor(page / m.ptes) * m.ptes) as Vpn;
  yield* mmapReadLock(m, mm);
  const vma = vmaAt(m, mm, page);
  yield spend(m.costs.scanVisit);
  const order = maxOrder ?? largestMapping(m, mm, first);
  yield* mmapReadUnlock(m, mm);
  try {
    return yield* khugepagedAddHint(k, { mm, vma, page: first, priority, maxOrder: order });
  } catch (error) {
    if (!(error instanceof TableFullError) || error.table !== 'hint') throw error;
    const what = `${error.capacity} hints wait, and there is no room for another`;
    const hint = 'raise hints.limit, or let them be dropped as without memory: hints.whenFull: drop';
    throw scenarioError(world.locate, world.scenario.hints === null ? 'events' : 'hints', what, hint);
  }
}

/**
 * Order of the largest contiguous mapping in the range that begins at a page: a folio that is mapped whole, in its natural
 * place. 0 for base pages; -1 if nothing is mapped.
 */
export function largestMapping(m: Machine, mm: MmId, first: Vpn): number {
  const pmd = findPmd(m, mm, first);
  if (pmd === NO_PMD) return -1;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) return m.pmdOrder;
  if (pmdType(entry) !== PMD.table) return -1;
  const table = pmdTable(entry);
  let largest = -1;
  for (let slot = slotOf(m, first); slot < m.ptes; ) {
    const order = mappedWhole(m, table, slot);
    if (order > largest) largest = order;
    slot += 2 ** Math.max(0, order);
  }
  return largest;
}

/** Order of the folio that a slot begins, if all of it follows; 0 for any other page, -1 for none. */
function mappedWhole(m: Machine, table: ReturnType<typeof pmdTable>, slot: number): number {
  const pfn = ptePfn(m, table, slot);
  if (pfn <= 0) return -1;
  const head = folioHead(m, pfn);
  const order = folioOrder(m, head);
  if (order === 0 || pfn !== head || slot % 2 ** order !== 0) return 0;
  for (let i = 1; i < 2 ** order; i++) if (ptePfn(m, table, slot + i) !== pfn + i) return 0;
  return order;
}
