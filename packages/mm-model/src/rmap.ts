/**
 * Reverse mapping: from a folio to the page-table entries that map it.
 *
 * As in the kernel, an anonymous folio names an anon_vma and its page number in it; the anon_vma lists the VMAs that may
 * map its pages (its own, and those of forked children); each VMA gives one address to look at. Nothing is stored per
 * mapping. A walk visits candidates and checks that the entry really maps the folio.
 */
import { asBrand } from '@thplab/arena';
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { vmasOfFile } from './file-map.js';
import { FOLIO } from './flags.js';
import { folioHas, folioPages } from './folio.js';
import type { Machine } from './machine.js';
import { findPmd, NO_PMD, PMD, type PmdRef, pmdPfn, pmdTable, pmdType, ptePfn, slotOf } from './page-table.js';

/** Called for each place that maps (part of) the folio. */
export interface RmapVisitor {
  /** `count` consecutive slots of `table` from `slot` may map pages of the folio from page `page` of it on. */
  pte(table: TableId, slot: number, pfn: Pfn, vma: VmaId, page: Vpn): void;
  /** The whole folio is mapped by a huge PMD. */
  pmd(pmd: PmdRef, vma: VmaId, page: Vpn): void;
}

/** Visits all entries that map the folio (`rmap_walk`). Folios of files are walked by the VMAs of the file. */
export function rmapWalk(m: Machine, head: Pfn, visitor: RmapVisitor): void {
  const mapping = m.frame.mapping[head];
  if (mapping === 0) return;
  const pages = folioPages(m, head);
  const anon = folioHas(m, head, FOLIO.ANON);
  for (const vma of anon ? vmasOfAnonVma(m, mapping) : vmasOfFile(m, mapping)) visitVma(m, head, pages, vma, visitor);
}

/** VMAs that may map pages of an anon_vma, in the order of the chain. */
export function* vmasOfAnonVma(m: Machine, anonVma: number): Generator<VmaId, void, undefined> {
  let avc = m.anonVma.avcFirst[anonVma];
  while (avc !== 0) {
    const next = m.avc.anonNext[avc];
    yield asBrand(m.avc.vma[avc]);
    avc = next;
  }
}

function visitVma(m: Machine, head: Pfn, pages: number, vma: VmaId, visitor: RmapVisitor): void {
  const start = m.vma.start[vma];
  const size = m.vma.end[vma] - start;
  // The index is kept modulo 2^32; no VMA is that large, so the difference is exact as a signed number.
  let offset = (m.frame.index[head] - (m.vma.pgoff[vma] % 2 ** 32)) % 2 ** 32;
  if (offset > 2 ** 31) offset -= 2 ** 32;
  if (offset < -(2 ** 31)) offset += 2 ** 32;
  const from = Math.max(0, offset);
  const to = Math.min(size, offset + pages);
  const mm: MmId = asBrand(m.vma.mm[vma]);
  let page = start + from;
  const end = start + to;
  while (page < end) {
    const blockEnd = Math.min(end, page - (page % m.ptes) + m.ptes);
    visitBlock(m, mm, head + (page - start - offset), asBrand<Vpn>(page), blockEnd, head, vma, visitor);
    page = blockEnd;
  }
}

function visitBlock(
  m: Machine,
  mm: MmId,
  firstPfn: number,
  page: Vpn,
  end: number,
  head: Pfn,
  vma: VmaId,
  visitor: RmapVisitor,
): void {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) {
    if (pmdPfn(m, entry) === head) visitor.pmd(pmd, vma, page);
    return;
  }
  if (pmdType(entry) !== PMD.table) return;
  const table = pmdTable(entry);
  for (let p = page as number; p < end; p++) {
    const pfn = firstPfn + (p - page);
    const slot = slotOf(m, asBrand<Vpn>(p));
    if (ptePfn(m, table, slot) === pfn) visitor.pte(table, slot, asBrand<Pfn>(pfn), vma, asBrand<Vpn>(p));
  }
}
