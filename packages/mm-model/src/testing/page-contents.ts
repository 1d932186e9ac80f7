/** What a process would read: the content stamp behind each page, from the entries alone. */
import { ENTRY_KIND, NO_FRAME } from '../flags.js';
import type { Machine } from '../machine.js';

/** Key of a page of an address space. */
export function pageKey(mm: number, page: number): string {
  return `${mm}:${page}`;
}

/** Content stamps of all pages that hold something other than zeroes, by `pageKey`. */
export function readAllPages(m: Machine): Map<string, number> {
  const contents = new Map<string, number>();
  const put = (mm: number, page: number, stamp: number): void => {
    if (stamp !== 0) contents.set(pageKey(mm, page), stamp);
  };
  for (const row of m.directory.pool.rows()) {
    if (m.directory.level[row] !== 1) continue;
    for (let slot = 0; slot < m.ptes; slot++) {
      const entry = m.directory.entry[row * m.ptes + slot];
      // A huge page's table is deposited, so its block number is known only from a neighbour: see blocksOf.
      if ((entry & 7) === 1) readTable(m, entry >>> 8, put);
    }
  }
  for (const { mm, block, entry } of hugeBlocks(m)) {
    if ((entry & 0x80) !== 0) continue;
    const pfn = (entry >>> 8) * m.ptes;
    for (let i = 0; i < m.ptes; i++) put(mm, block * m.ptes + i, m.frame.stamp[pfn + i]);
  }
  return contents;
}

function readTable(m: Machine, table: number, put: (mm: number, page: number, stamp: number) => void): void {
  const first = m.pte.block[table] * m.ptes;
  for (let slot = 0; slot < m.ptes; slot++) {
    const word = table * m.words + (slot >>> 5);
    const bit = 1 << (slot & 31);
    const value = m.pte.pfn[table * m.ptes + slot];
    if ((m.pte.present[word] & bit) !== 0) {
      if (value !== 0 && value !== NO_FRAME) put(m.pte.mm[table], first + slot, m.frame.stamp[value]);
    } else if ((m.pte.nonPresent[word] & bit) !== 0 && value >>> 28 === ENTRY_KIND.swap) {
      const place = value & 0x0fff_ffff;
      const cached = m.swap.cache[place];
      put(m.pte.mm[table], first + slot, cached === 0 ? m.swap.stamp[place] : m.frame.stamp[cached]);
    }
  }
}

function* hugeBlocks(m: Machine): Generator<{ mm: number; block: number; entry: number }> {
  for (const mm of m.mm.pool.rows()) {
    if (m.mm.pgd[mm] !== 0) yield* hugeBlocksUnder(m, mm, m.mm.pgd[mm], m.levels - 1, 0);
  }
}

function* hugeBlocksUnder(
  m: Machine,
  mm: number,
  row: number,
  level: number,
  block: number,
): Generator<{ mm: number; block: number; entry: number }> {
  for (let slot = 0; slot < m.ptes; slot++) {
    const entry = m.directory.entry[row * m.ptes + slot];
    if (entry === 0) continue;
    const at = block + slot * m.ptes ** (level - 1);
    if (level > 1) yield* hugeBlocksUnder(m, mm, entry, level - 1, at);
    else if ((entry & 7) === 2) yield { mm, block: at, entry };
  }
}
