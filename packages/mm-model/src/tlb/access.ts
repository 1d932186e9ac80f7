/**
 * One access by a program. A hit does not touch the page table. A miss walks it: reads the translation as it is now, sets
 * the accessed bit (and dirty on a write), and fills both levels. A write that hits an entry not known as dirty walks too.
 */
import { asBrand, getBit, setBits } from '@thplab/arena';
import type { MmId, Vpn } from '../brands.js';
import { NO_FRAME } from '../flags.js';
import { nextStamp } from '../machine.js';
import {
  findPmd,
  NO_PMD,
  PMD,
  PMD_DIRTY,
  PMD_WRITE,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  slotOf,
} from '../page-table.js';
import { touchMapped } from '../touch.js';
import { contiguousOrder } from './contiguous.js';
import { findEntry, insertEntry, switchMm, TLB_ORDER, TLB_WRITES, type Tlb, type TlbFill } from './tlb.js';

/** How an access went. `fault`: the page table does not allow it; it is to be tried again after the fault. */
export const TLB_ACCESS = { first: 0, second: 1, walkHuge: 2, walkBase: 3, fault: 4 } as const;
export type TlbAccess = (typeof TLB_ACCESS)[keyof typeof TLB_ACCESS];

/** Runs one access of `mm` on a processor. */
export function tlbAccess(tlb: Tlb, cpu: number, mm: MmId, page: Vpn, write: boolean): TlbAccess {
  const { m, t } = tlb;
  const clock = ++t.tlbCpu.clock[cpu];
  switchMm(tlb, cpu, mm);
  const levels = tlb.arrays[cpu];
  for (let level = 0; level < levels.length; level++) {
    for (const array of levels[level]) {
      const row = findEntry(tlb, array, mm, page);
      if (row < 0) continue;
      const e = t.tlbEntry;
      e.used[row] = clock;
      if (write && (e.attributes[row] & TLB_WRITES) === 0) return markDirty(tlb, cpu, mm, page);
      if (write) stampThrough(tlb, row, page);
      t.tlbCount.accesses[mm]++;
      if (level === 0) {
        t.tlbCount.firstHits[mm]++;
        return TLB_ACCESS.first;
      }
      t.tlbCount.secondHits[mm]++;
      fillLevel(tlb, cpu, 0, mm, page, entryAt(tlb, row), clock);
      return TLB_ACCESS.second;
    }
  }
  if (!touchMapped(m, mm, page, write)) return TLB_ACCESS.fault;
  t.tlbCount.accesses[mm]++;
  const fill = readTranslation(tlb, mm, page);
  for (let level = 0; level < levels.length; level++) fillLevel(tlb, cpu, level, mm, page, fill, clock);
  return countWalk(tlb, mm, fill);
}

/** A write through an entry that was read only, or clean: the walk marks the page dirty, or ends in a fault. */
function markDirty(tlb: Tlb, cpu: number, mm: MmId, page: Vpn): TlbAccess {
  if (!touchMapped(tlb.m, mm, page, true)) return TLB_ACCESS.fault;
  const fill = readTranslation(tlb, mm, page);
  for (const arrays of tlb.arrays[cpu]) {
    for (const array of arrays) {
      const row = findEntry(tlb, array, mm, page);
      if (row >= 0 && fill.writes) tlb.t.tlbEntry.attributes[row] |= TLB_WRITES;
    }
  }
  tlb.t.tlbCount.accesses[mm]++;
  tlb.t.tlbCount.dirtyWalks[mm]++;
  return countWalk(tlb, mm, fill);
}

function countWalk(tlb: Tlb, mm: MmId, fill: TlbFill): TlbAccess {
  const huge = fill.order === tlb.m.pmdOrder;
  const column = huge ? tlb.t.tlbCount.walksHuge : tlb.t.tlbCount.walksBase;
  column[mm]++;
  return huge ? TLB_ACCESS.walkHuge : TLB_ACCESS.walkBase;
}

/** Fills one level: the first of its arrays that takes the size; a block is held page by page where none does. */
function fillLevel(tlb: Tlb, cpu: number, level: number, mm: MmId, page: Vpn, fill: TlbFill, clock: number): void {
  for (const array of tlb.arrays[cpu][level]) {
    const row = insertEntry(tlb, array, mm, page, fill);
    if (row < 0) continue;
    tlb.t.tlbEntry.used[row] = clock;
    return;
  }
  if (fill.order === 0) return;
  const within = page % 2 ** fill.order;
  fillLevel(tlb, cpu, level, mm, page, { order: 0, pfn: fill.pfn + within, writes: fill.writes }, clock);
}

function entryAt(tlb: Tlb, row: number): TlbFill {
  const { attributes, pfn } = tlb.t.tlbEntry;
  return {
    order: attributes[row] & TLB_ORDER,
    pfn: pfn[row],
    writes: (attributes[row] & TLB_WRITES) !== 0,
  };
}

/** The content that a write leaves, through an entry. */
function stampThrough(tlb: Tlb, row: number, page: Vpn): void {
  const { attributes, pfn } = tlb.t.tlbEntry;
  if (pfn[row] === NO_FRAME) return;
  tlb.m.frame.stamp[pfn[row] + (page % 2 ** (attributes[row] & TLB_ORDER))] = nextStamp(tlb.m);
}

/**
 * The translation of a page that is mapped. The accessed bits of a contiguous block count as one (DAMON spec 1.10), so
 * the walk leaves all of them set.
 */
export function readTranslation(tlb: Tlb, mm: MmId, page: Vpn): TlbFill {
  const { m } = tlb;
  const pmd = findPmd(m, mm, page);
  const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) {
    const writes = (entry & (PMD_WRITE | PMD_DIRTY)) === (PMD_WRITE | PMD_DIRTY);
    return { order: m.pmdOrder, pfn: pmdPfn(m, entry), writes };
  }
  const table = pmdTable(entry);
  const slot = slotOf(m, page);
  const order = contiguousOrder(m, table, slot, tlb.contiguous, tlb.needsFolio);
  const from = slot - (slot % (1 << order));
  const bit = pteBit(m, table, slot);
  if (order > 0) {
    const first = pteBit(m, table, from);
    setBits(m.pte.young, first, first + (1 << order));
    if (getBit(m.pte.dirty, bit)) setBits(m.pte.dirty, first, first + (1 << order));
  }
  const writes = getBit(m.pte.write, bit) && getBit(m.pte.dirty, bit);
  return { order, pfn: m.pte.pfn[pteCell(m, table, from)], writes };
}

/** Checks that every entry says what the page tables say (a flush that was forgotten is a defect). */
export function checkTlb(tlb: Tlb): string[] {
  const found: string[] = [];
  const e = tlb.t.tlbEntry;
  for (let row = 0; row < e.capacity; row++) {
    if (e.mm[row] === 0) continue;
    const pages = 2 ** (e.attributes[row] & TLB_ORDER);
    const difference = differenceOf(tlb, row, e.tag[row] * pages, pages);
    if (difference !== '') found.push(`TLB entry ${row} (mm ${e.mm[row]}, page ${e.tag[row] * pages}): ${difference}`);
  }
  return found;
}

function differenceOf(tlb: Tlb, row: number, first: number, pages: number): string {
  const { m } = tlb;
  const e = tlb.t.tlbEntry;
  const mm = asBrand<MmId>(e.mm[row]);
  const writes = (e.attributes[row] & TLB_WRITES) !== 0;
  for (let page = first; page < first + pages; page++) {
    const pmd = findPmd(m, mm, asBrand<Vpn>(page));
    const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
    const expected = e.pfn[row] === NO_FRAME ? NO_FRAME : e.pfn[row] + (page - first);
    if (pmdType(entry) === PMD.huge) {
      if (pmdPfn(m, entry) + slotOf(m, asBrand<Vpn>(page)) !== expected) return `page ${page} has moved`;
      if (writes && (entry & PMD_WRITE) === 0) return `page ${page} is not writable any more`;
      continue;
    }
    if (pmdType(entry) !== PMD.table) return `page ${page} is not mapped any more`;
    const table = pmdTable(entry);
    const bit = pteBit(m, table, slotOf(m, asBrand<Vpn>(page)));
    if (!getBit(m.pte.present, bit)) return `page ${page} is not mapped any more`;
    if (m.pte.pfn[pteCell(m, table, slotOf(m, asBrand<Vpn>(page)))] !== expected) return `page ${page} has moved`;
    if (writes && !getBit(m.pte.write, bit)) return `page ${page} is not writable any more`;
  }
  return '';
}
