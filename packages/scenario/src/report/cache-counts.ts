/** What the page cache has of the file range behind a PMD range: that, not the page table, is what a collapse goes by. */
import {
  type FileId,
  FOLIO,
  folioHas,
  folioHead,
  folioOrder,
  linearIndex,
  type Machine,
  type MmId,
  pageCacheLookup,
  pageCacheSwapSlot,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';

/** Pages of the range by where they are. */
export interface CacheCounts {
  readonly present: number;
  readonly swapped: number;
  readonly missing: number;
  /** Of those present: of regular files, written to and not yet written back. */
  readonly dirty: number;
  /** True if they are one folio of PMD size. */
  readonly huge: boolean;
}

/** The counts for the range that starts with a page; null if no file is mapped there. */
export function countCache(m: Machine, mm: MmId, page: number): CacheCounts | null {
  const vma = vmaAt(m, mm, page);
  const file = vma === 0 ? 0 : (m.vma.file[vma] as FileId);
  if (vma === 0 || file === 0) return null;
  const start = linearIndex(m, vma, page as Vpn);
  const counts = { present: 0, swapped: 0, dirty: 0 };
  let huge = false;
  for (let index = start; index < start + m.ptes; index++) {
    const pfn = pageCacheLookup(m, file, index);
    if (pfn === 0) {
      if (pageCacheSwapSlot(m, file, index) !== 0) counts.swapped++;
      continue;
    }
    const head = folioHead(m, pfn);
    counts.present++;
    if (m.file.shmem[file] === 0 && folioHas(m, head, FOLIO.DIRTY)) counts.dirty++;
    huge = folioOrder(m, head) === m.pmdOrder;
  }
  return { ...counts, missing: m.ptes - counts.present - counts.swapped, huge };
}
