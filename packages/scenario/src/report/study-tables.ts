/** The page tables of a scenario before anything has run, for studies of a policy without a machine. */

import { TVA, thpVmaAllowableOrders, VMA_KIND, vmaAt } from '@thplab/mm-model';
import {
  MIN_MTHP_ORDER,
  type OrderSet,
  orderRange,
  type PtesSettings,
  readPtesSettings,
  StudyTable,
} from '@thplab/mthp-collapse';
import { anonOrderMasks } from '@thplab/sysfs-schema';
import type { Scenario } from '../format/index.js';
import { type AssembleOptions, assembleMachine } from '../run/assemble.js';
import { viewTable } from './table-slots.js';

/** One page table of anonymous memory that lies wholly in a VMA. */
export interface FoundTable {
  /** `app/heap:3`, or `process/vma:block` in general. */
  readonly name: string;
  readonly table: StudyTable;
  /** Orders that sysfs and the VMA allow khugepaged, whatever the kernel knows to build. */
  readonly enabledOrders: OrderSet;
  /** Those whose own file says `always`. */
  readonly alwaysOrders: OrderSet;
}

/** All tables of a scenario at its start. */
export interface FoundTables {
  readonly name: string;
  readonly pmdOrder: number;
  readonly settings: PtesSettings;
  readonly tables: readonly FoundTable[];
}

/**
 * Sets a scenario's machine up and reads its page tables; events do not happen. Folios that are large already and entries that
 * are neither pages nor swapped stay as they are seen: large folios as such, others as empty. Errors: ScenarioError.
 */
export function tablesOfScenario(scenario: Scenario, options: AssembleOptions = {}): FoundTables {
  const world = assembleMachine(scenario, options);
  const { m } = world;
  const alwaysOrders = anonOrderMasks(m.setting.value, m.geometry).always;
  const tables: FoundTable[] = [];
  for (const process of world.processes.live()) {
    for (const [name, range] of process.vmas) {
      const vma = vmaAt(m, process.mm, range.start);
      if (vma === 0 || m.vma.kind[vma] !== VMA_KIND.anon) continue;
      const enabledOrders = thpVmaAllowableOrders(m, vma, TVA.khugepaged, orderRange(MIN_MTHP_ORDER, m.pmdOrder));
      const first = Math.ceil(range.start / m.ptes) * m.ptes;
      for (let page = first; page + m.ptes <= range.start + range.pages; page += m.ptes) {
        const view = viewTable(m, process.mm, page);
        if (view.pmd !== 'table') continue;
        const table = new StudyTable(m.pmdOrder);
        view.slots.forEach(({ kind, order }, slot) => {
          if (kind === 'page') table.occupied[slot >>> 5] |= 1 << (slot & 31);
          else if (kind === 'swap') table.swapped[slot >>> 5] |= 1 << (slot & 31);
          if (kind !== 'page' || order === 0) return;
          table.folioOrder[slot] = order;
          table.hasForeignFolios = true;
        });
        tables.push({ name: `${process.name}/${name}:${(page - first) / m.ptes}`, table, enabledOrders, alwaysOrders });
      }
    }
  }
  return { name: scenario.name, pmdOrder: m.pmdOrder, settings: readPtesSettings(m), tables };
}
