/** A quick count, for questions that are asked often. */
import { asBrand } from '@thplab/arena';
import { findPmd, type Machine, type MmId, NO_PMD, PMD, PMD_ZERO, pmdType, type Vpn } from '@thplab/mm-model';

/** PMD ranges wholly in [start, end) that a huge PMD maps. */
export function countHugeBlocks(m: Machine, mm: MmId, start: number, end: number): number {
  let count = 0;
  for (let page = Math.ceil(start / m.ptes) * m.ptes; page + m.ptes <= end; page += m.ptes) {
    const pmd = findPmd(m, mm, asBrand<Vpn>(page));
    if (pmd === NO_PMD) continue;
    const entry = m.directory.entry[pmd];
    if (pmdType(entry) === PMD.huge && (entry & PMD_ZERO) === 0) count++;
  }
  return count;
}
