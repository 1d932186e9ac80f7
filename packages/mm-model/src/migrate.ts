/**
 * Moving a folio to other frames, as asynchronous migration does it: only if nobody else holds the folio, and only if
 * every table that maps it is free to be changed right now.
 */
import type { MmId, Pfn, TableId, Vpn } from './brands.js';
import { FOLIO, PAGE } from './flags.js';
import { folioExpectedRefs, folioHas, folioMapcount, folioOrder } from './folio.js';
import { countVmEvent, type Machine } from './machine.js';
import { directoryOf, flushBlock, flushPtes, makePmdHuge, type PmdRef, pteCell } from './page-table.js';
import { rmapWalk } from './rmap.js';

/** A folio that may move: on the LRU, unlocked, without unexplained references, not tied to its place. */
export function canMigrate(m: Machine, head: Pfn): boolean {
  const flags = m.frame.flags[head];
  if ((flags & PAGE.UNMOVABLE) !== 0 || (flags & FOLIO.LRU) === 0) return false;
  if ((flags & (FOLIO.LOCKED | FOLIO.WRITEBACK | FOLIO.SWAPCACHE | FOLIO.KSM | FOLIO.DEFERRED)) !== 0) return false;
  const references = m.frame.refcount[head];
  // Memory of nobody modelled (page cache of others) has one reference and no mapping.
  if (m.frame.mapping[head] === 0) return references === 1;
  return (flags & FOLIO.ANON) !== 0 && references === folioExpectedRefs(m, head);
}

/** Moves the folio to `target`, an allocated block of the same order. False, and nothing changed, if it cannot move now. */
export function migrateFolio(m: Machine, head: Pfn, target: Pfn): boolean {
  if (!canMigrate(m, head)) return false;
  const places = mappedPlaces(m, head);
  if (places === undefined) {
    countVmEvent(m, 'pgmigrate_fail', 1 << folioOrder(m, head));
    return false;
  }
  for (const cell of places.cells) {
    m.pte.pfn[cell] = target + (m.pte.pfn[cell] - head);
    const slot = cell % m.ptes;
    flushPtes(m, ((cell - slot) / m.ptes) as TableId, slot, slot + 1);
  }
  for (const { pmd, mm, page } of places.pmds) {
    const entry = m.directory.entry[pmd];
    m.directory.entry[pmd] = makePmdHuge(m, target, entry & 0xf8);
    flushBlock(m, mm, page);
  }
  copyFrames(m, head, target, 1 << folioOrder(m, head));
  countVmEvent(m, 'pgmigrate_success', 1 << folioOrder(m, head));
  return true;
}

interface HugePlace {
  readonly pmd: PmdRef;
  readonly mm: MmId;
  readonly page: Vpn;
}

/** All entries that map the folio, or undefined if one is hidden or its table is locked. */
function mappedPlaces(m: Machine, head: Pfn): { cells: number[]; pmds: HugePlace[] } | undefined {
  const cells: number[] = [];
  const pmds: HugePlace[] = [];
  let busy = false;
  if (folioHas(m, head, FOLIO.ANON)) {
    rmapWalk(m, head, {
      pte(table: TableId, slot) {
        cells.push(pteCell(m, table, slot));
        busy ||= m.pte.lock[m.locks.pteLock.base(table)] !== 0;
      },
      pmd(pmd, vma, page) {
        pmds.push({ pmd, mm: m.vma.mm[vma] as MmId, page });
        busy ||= m.directory.lock[m.locks.pmdLock.base(directoryOf(m, pmd))] !== 0;
      },
    });
    if (cells.length + pmds.length !== folioMapcount(m, head)) return undefined;
  }
  return busy ? undefined : { cells, pmds };
}

/** The frames take over everything; the old ones keep only being allocated. */
function copyFrames(m: Machine, from: Pfn, to: Pfn, pages: number): void {
  const { flags, refcount, mapcount, stamp, mapping, index, memcg } = m.frame;
  for (const column of [refcount, mapcount, stamp, mapping, index, memcg]) column.copyWithin(to, from, from + pages);
  flags.copyWithin(to, from, from + pages);
  const order = folioOrder(m, from);
  refcount.fill(0, from, from + pages);
  mapcount.fill(0, from, from + pages);
  mapping.fill(0, from, from + pages);
  index.fill(0, from, from + pages);
  memcg[from] = 0;
  flags.fill(PAGE.ALLOCATED | order, from, from + pages);
}
