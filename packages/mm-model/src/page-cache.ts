/**
 * The page cache: which frame holds page `index` of a file. An open-addressed hash table in the arena (linear probing,
 * deletion by moving later entries back), sized by the limit 'pageCache'. A large folio has one entry for each of its
 * pages, where the kernel has one for all. A shmem page that is swapped out has an entry that names its slot (the value
 * entries of the kernel). What the entries mean for counters and references is in file-pages.ts.
 */
import type { FileId, Pfn } from './brands.js';
import type { Machine } from './machine.js';

/** Marks an entry that names a swap slot. */
const SWAP_VALUE = 0x8000_0000;

/** Frame of a file's page, or 0 if it is not in memory. */
export function pageCacheLookup(m: Machine, file: FileId, index: number): Pfn | 0 {
  const at = findSlot(m, file, index);
  if (m.pageCache.file[at] === 0) return 0;
  const value = m.pageCache.pfn[at];
  return value >= SWAP_VALUE ? 0 : (value as Pfn);
}

/** Swap slot of a shmem page that is swapped out, or 0. */
export function pageCacheSwapSlot(m: Machine, file: FileId, index: number): number {
  const at = findSlot(m, file, index);
  if (m.pageCache.file[at] === 0) return 0;
  const value = m.pageCache.pfn[at];
  return value >= SWAP_VALUE ? value - SWAP_VALUE : 0;
}

/** True if the page cache can take so many pages more. */
export function pageCacheHasRoom(m: Machine, pages: number): boolean {
  return m.machine.pageCachePages[0] + pages <= m.pageCache.capacity * 0.75;
}

/** Says that a page is swapped out. Errors: as for `pageCacheAdd`. */
export function pageCacheAddSwap(m: Machine, file: FileId, index: number, slot: number): void {
  pageCacheAdd(m, file, index, (slot + SWAP_VALUE) as Pfn);
}

/** Adds a page. Errors: the table is three quarters full. */
export function pageCacheAdd(m: Machine, file: FileId, index: number, pfn: Pfn): void {
  const used = m.machine.pageCachePages[0];
  if (used >= m.pageCache.capacity * 0.75) {
    throw new RangeError(`the page cache holds ${used} pages; raise the limit 'pageCache' (${m.pageCache.capacity})`);
  }
  const at = findSlot(m, file, index);
  if (m.pageCache.file[at] === 0) m.machine.pageCachePages[0] = used + 1;
  m.pageCache.file[at] = file;
  m.pageCache.index[at] = index;
  m.pageCache.pfn[at] = pfn;
}

/** Removes a page. */
export function pageCacheRemove(m: Machine, file: FileId, index: number): void {
  const { file: files, index: indexes, pfn } = m.pageCache;
  const size = m.pageCache.capacity;
  let hole = findSlot(m, file, index);
  if (files[hole] === 0) return;
  m.machine.pageCachePages[0] = m.machine.pageCachePages[0] - 1;
  files[hole] = 0;
  for (let at = (hole + 1) % size; files[at] !== 0; at = (at + 1) % size) {
    const home = hash(files[at], indexes[at], size);
    // An entry may fill the hole unless its home lies behind the hole on the way to where it is now.
    const homeIsBetween = hole <= at ? home > hole && home <= at : home > hole || home <= at;
    if (homeIsBetween) continue;
    files[hole] = files[at];
    indexes[hole] = indexes[at];
    pfn[hole] = pfn[at];
    files[at] = 0;
    hole = at;
  }
}

function findSlot(m: Machine, file: number, index: number): number {
  const { file: files, index: indexes } = m.pageCache;
  const size = m.pageCache.capacity;
  let at = hash(file, index, size);
  while (files[at] !== 0 && (files[at] !== file || indexes[at] !== index)) at = (at + 1) % size;
  return at;
}

function hash(file: number, index: number, size: number): number {
  let x = Math.imul(file ^ (index * 0x9e37_79b1), 0x85eb_ca6b) ^ Math.imul(index, 0xc2b2_ae35);
  x ^= x >>> 15;
  return (x >>> 0) % size;
}
