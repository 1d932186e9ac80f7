/**
 * What one entry of a TLB can cover around a page: a huge PMD; a block of PTEs that map frames in order, where the
 * processor has entries for such blocks; or the page alone.
 */
import { getBit } from '@thplab/arena';
import type { TableId } from '../brands.js';
import { NO_FRAME } from '../flags.js';
import type { Machine } from '../machine.js';
import { pteBit, pteCell } from '../page-table.js';

/**
 * Order of the largest block around a slot that one entry can cover: aligned in both addresses, all entries present, in
 * order, and alike in being writable. `orders` descending; `needsFolio`: of one folio.
 */
export function contiguousOrder(
  m: Machine,
  table: TableId,
  slot: number,
  orders: readonly number[],
  needsFolio: boolean,
): number {
  for (const order of orders) if (isContiguous(m, table, slot, order, needsFolio)) return order;
  return 0;
}

function isContiguous(m: Machine, table: TableId, slot: number, order: number, needsFolio: boolean): boolean {
  const size = 1 << order;
  const from = slot - (slot % size);
  const first = m.pte.pfn[pteCell(m, table, from)];
  if (first === NO_FRAME || first % size !== 0) return false;
  if (needsFolio && (m.frame.flags[first] & 0xf) < order) return false;
  const writable = getBit(m.pte.write, pteBit(m, table, from));
  for (let i = 0; i < size; i++) {
    const bit = pteBit(m, table, from + i);
    if (!getBit(m.pte.present, bit) || getBit(m.pte.zero, bit) || getBit(m.pte.write, bit) !== writable) return false;
    if (m.pte.pfn[pteCell(m, table, from + i)] !== first + i) return false;
  }
  return true;
}
