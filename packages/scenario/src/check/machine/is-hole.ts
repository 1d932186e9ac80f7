import {
  blockOf,
  findPmd,
  isPteNone,
  type Machine,
  type MmId,
  NO_PMD,
  PMD,
  pmdTable,
  pmdType,
  slotOf,
  type Vpn,
} from '@thplab/mm-model';

/** True if nothing is mapped at a page, and no table that might say otherwise is out of its PMD just now. */
export function isHole(m: Machine, mm: MmId, page: Vpn): boolean {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return true;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.table) return isPteNone(m, pmdTable(entry), slotOf(m, page));
  return entry === PMD.none && !hasDetachedTable(m, mm, blockOf(m, page));
}

function hasDetachedTable(m: Machine, mm: MmId, block: number): boolean {
  for (const table of m.pte.pool.rows()) if (m.pte.mm[table] === mm && m.pte.block[table] === block) return true;
  return false;
}
