/** Memory of a process that none of its names means: what mremap moved in part, and the mappings of a capture that have none. */
import { firstVma, type Machine, nextVma } from '@thplab/mm-model';
import type { NamedRange, Process } from './process-table.js';

/** The parts of its VMAs that lie in no named range, ascending. */
export function unnamedRanges(m: Machine, process: Process): NamedRange[] {
  const named = [...process.vmas.values()].sort((a, b) => a.start - b.start);
  const found: NamedRange[] = [];
  for (let vma = firstVma(m, process.mm); vma !== 0; vma = nextVma(m, vma)) {
    const end = m.vma.end[vma];
    let at = m.vma.start[vma];
    for (const { start, pages } of named) {
      if (start >= end) break;
      if (start > at) found.push({ start: at, pages: start - at });
      at = Math.max(at, start + pages);
    }
    if (at < end) found.push({ start: at, pages: end - at });
  }
  return found;
}
