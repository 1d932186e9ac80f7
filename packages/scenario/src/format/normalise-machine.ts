/** Defaults and checks of the machine. */

import type { Report } from './context.js';
import type { DraftFragmentation, DraftMachine, DraftOrder } from './draft.js';
import type { KeyPath } from './problems.js';
import type { Fragmentation, Machine } from './scenario.js';
import { formatSize } from './units.js';

const PMD_ORDER: Readonly<Record<Machine['pageSize'], number>> = { 4096: 9, 16384: 11, 65536: 13 };

/** Folio order of an order or size of the file; reports one that the machine does not have. */
export function orderOf(
  draft: DraftOrder,
  geometry: Pick<Machine, 'pageSize' | 'pmdOrder'>,
  report: Report,
  path: KeyPath,
): number {
  const order = 'order' in draft ? draft.order : Math.log2(draft.size / geometry.pageSize);
  if (order >= 0 && order <= geometry.pmdOrder) return order;
  const largest = formatSize(geometry.pageSize * 2 ** geometry.pmdOrder);
  report(
    path,
    `this machine has no folios of ${'order' in draft ? `order ${order}` : formatSize(draft.size)}`,
    `expected an order from 0 to ${geometry.pmdOrder}, or a size from ${formatSize(geometry.pageSize)} to ${largest}`,
  );
  return 0;
}

/** The machine with all defaults. */
export function normaliseMachine(draft: DraftMachine, report: Report): Machine {
  const pageSize = draft.pageSize ?? 4096;
  const pmdOrder = draft.pmdOrder ?? PMD_ORDER[pageSize];
  const geometry = { pageSize, pmdOrder };
  const blockSize = pageSize * 2 ** pmdOrder;
  const fragmentation = (one: DraftFragmentation | undefined, path: KeyPath): Fragmentation | null =>
    one === undefined || one.fraction === 0
      ? null
      : {
          fraction: one.fraction,
          order: one.order === undefined ? 0 : orderOf(one.order, geometry, report, [...path, 'order']),
          movable: one.movable ?? 0,
          seed: one.seed ?? null,
        };
  const shared = fragmentation(draft.fragmentation, ['machine', 'fragmentation']);
  const nodes = (draft.memory ?? [{ size: Math.max(2 ** 30, 8 * blockSize) }]).map((node, index) => {
    const path = ['machine', 'memory', index];
    if (node.size % pageSize !== 0 || node.size < 4 * blockSize) {
      const hint = `expected a multiple of the page size, and at least 4 blocks (${formatSize(4 * blockSize)})`;
      report(path, `a node of ${formatSize(node.size)} is too small or no whole number of pages`, hint);
    }
    const own = node.fragmentation;
    return { size: node.size, fragmentation: own ? fragmentation(own, [...path, 'fragmentation']) : shared };
  });
  return {
    nodes,
    ...geometry,
    blockSize,
    kernel: draft.kernel ?? 'merged',
    cpus: draft.cpus ?? 2,
    swap: draft.swap ?? 0,
    boot: draft.boot ?? '',
    readOnlyThpForFs: draft.readOnlyThpForFs ?? false,
    // Whether one is modelled depends on who accesses memory: normalise.ts.
    tlb: null,
  };
}
