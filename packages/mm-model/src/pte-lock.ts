import { acquire, type Procedure, release } from '@thplab/sync';
import type { MmId, TableId, Vpn } from './brands.js';
import type { Machine } from './machine.js';
import { findTable } from './page-table.js';

/**
 * Locks a PTE table that was found without a lock, and checks that it still is the one that maps the page
 * (`pte_offset_map_lock` and its re-check of the PMD). False, and nothing held, if it is not.
 */
export function* pteOffsetMapLock(m: Machine, mm: MmId, table: TableId, page: Vpn): Procedure<boolean> {
  const lock = m.locks.pteLock.ref(table);
  yield acquire(lock);
  if (findTable(m, mm, page) === table) return true;
  yield release(lock);
  return false;
}
