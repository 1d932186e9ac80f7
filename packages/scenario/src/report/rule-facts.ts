/** What the decisions about one PMD range depend on besides its entries: for a report that names the deciding rule. */

import { TVA, VM_UFFD, vmaAt } from '@thplab/mm-model';
import {
  collapsePossibleOrders,
  type Generation,
  type LimitContext,
  type OrderSet,
  readPtesSettings,
} from '@thplab/mthp-collapse';
import { anonOrderMasks } from '@thplab/sysfs-schema';
import type { World } from '../run/world.js';

/** See the head of the file. */
export interface RuleFacts {
  readonly generation: Generation;
  /** Orders that the kernel, sysfs and the VMA allow. */
  readonly enabledOrders: OrderSet;
  readonly alwaysOrders: OrderSet;
  /** Settings as they read at the end; the limits of khugepaged, or of MADV_COLLAPSE where khugepaged does not run. */
  readonly context: LimitContext;
}

/** The facts for the VMA at a page of a process; null if there is none any more. */
export function ruleFacts(world: World, processName: string, page: number): RuleFacts | null {
  const { m, generation, collapse, scenario } = world;
  const process = world.processes.all.find(({ name, exitNs }) => name === processName && exitNs === null);
  const vma = process === undefined ? 0 : vmaAt(m, process.mm, page);
  if (vma === 0) return null;
  const forced = !scenario.run.khugepaged;
  return {
    generation,
    enabledOrders: collapsePossibleOrders(collapse, vma, forced ? TVA.forcedCollapse : TVA.khugepaged),
    alwaysOrders: anonOrderMasks(m.setting.value, m.geometry).always,
    context: {
      pmdOrder: m.pmdOrder,
      settings: readPtesSettings(m),
      initiator: forced ? 'madvise' : 'khugepaged',
      // The choice does not get to know it, but for a generation with the defect B1; the scan does.
      uffdArmed: (m.vma.flags[vma] & VM_UFFD) !== 0,
    },
  };
}
