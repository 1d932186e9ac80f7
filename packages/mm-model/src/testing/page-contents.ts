/** What a process would read: the content stamp behind each page, from the entries alone. */

import type { MmId, Vpn } from '../brands.js';
import { ENTRY_KIND, FOLIO, NO_FRAME } from '../flags.js';
import type { Machine } from '../machine.js';
import { findPmd, NO_PMD } from '../page-table.js';

/** Key of a page of an address space. */
export function pageKey(mm: number, page: number): string {
  return `${mm}:${page}`;
}

/** What processes would read. */
export interface PageContents {
  /** Content stamps of all anonymous pages that hold something other than zeroes, by `pageKey`. */
  readonly stamps: Map<string, number>;
  /** Those of them that the process gave up by MADV_FREE: they may turn to zeroes at any time. */
  readonly lazyfree: Set<string>;
}

/** Reads all pages of all processes. */
export function readAllPages(m: Machine): PageContents {
  const contents: PageContents = { stamps: new Map(), lazyfree: new Set() };
  const put = (mm: number, page: number, stamp: number, frame: number): void => {
    const flags = m.frame.flags[frame - (frame % (1 << (m.frame.flags[frame] & 0xf)))];
    if (stamp === 0 || (frame !== 0 && (flags & FOLIO.ANON) === 0)) return;
    contents.stamps.set(pageKey(mm, page), stamp);
    if (frame !== 0 && (flags & FOLIO.SWAPBACKED) === 0) contents.lazyfree.add(pageKey(mm, page));
  };
  for (const row of m.directory.pool.rows()) {
    if (m.directory.level[row] !== 1) continue;
    for (let slot = 0; slot < m.ptes; slot++) {
      const entry = m.directory.entry[row * m.ptes + slot];
      if ((entry & 7) === 1) readTable(m, entry >>> 8, put);
    }
  }
  for (const { mm, block, entry } of hugeBlocks(m)) {
    if ((entry & 0x80) !== 0) continue;
    const pfn = (entry >>> 8) * m.ptes;
    for (let i = 0; i < m.ptes; i++) put(mm, block * m.ptes + i, m.frame.stamp[pfn + i], pfn + i);
  }
  return contents;
}

type Put = (mm: number, page: number, stamp: number, frame: number) => void;

function readTable(m: Machine, table: number, put: Put): void {
  const first = m.pte.block[table] * m.ptes;
  for (let slot = 0; slot < m.ptes; slot++) {
    const word = table * m.words + (slot >>> 5);
    const bit = 1 << (slot & 31);
    const value = m.pte.pfn[table * m.ptes + slot];
    if ((m.pte.present[word] & bit) !== 0) {
      if (value !== 0 && value !== NO_FRAME) put(m.pte.mm[table], first + slot, m.frame.stamp[value], value);
    } else if ((m.pte.nonPresent[word] & bit) !== 0 && value >>> 28 === ENTRY_KIND.swap) {
      const place = value & 0x0fff_ffff;
      const cached = m.swap.cache[place];
      put(m.pte.mm[table], first + slot, cached === 0 ? m.swap.stamp[place] : m.frame.stamp[cached], cached);
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

/** What one page reads, whatever is under way: a page that is just being read from swap counts as its slot. */
export function readPage(m: Machine, mm: MmId, page: number): number {
  const pmd = findPmd(m, mm, page as Vpn);
  const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
  const slot = page % m.ptes;
  if ((entry & 7) === 2) return (entry & 0x80) !== 0 ? 0 : m.frame.stamp[(entry >>> 8) * m.ptes + slot];
  if ((entry & 7) !== 1) return 0;
  const word = (entry >>> 8) * m.words + (slot >>> 5);
  const value = m.pte.pfn[(entry >>> 8) * m.ptes + slot];
  if ((m.pte.present[word] & (1 << (slot & 31))) !== 0) return value === 0 ? 0 : m.frame.stamp[value];
  if (value >>> 28 !== ENTRY_KIND.swap) return 0;
  const place = value & 0x0fff_ffff;
  const cached = m.swap.cache[place];
  const head = cached - (cached % (1 << (m.frame.flags[cached] & 0xf)));
  return cached === 0 || (m.frame.flags[head] & FOLIO.UPTODATE) === 0 ? m.swap.stamp[place] : m.frame.stamp[cached];
}
