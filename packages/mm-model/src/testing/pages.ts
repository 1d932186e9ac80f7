/** What page tables say, for tests. */
import { getBit } from '@thplab/arena';
import type { MmId, Vpn } from '../brands.js';
import { entryKind } from '../flags.js';
import { findPmd, findTable, NO_PMD, type PmdType, pmdPfn, pmdType, pteBit, pteCell, slotOf } from '../page-table.js';
import type { World } from './world.js';

/** Names of the planes that describe a present entry. */
const BITS = ['write', 'dirty', 'young', 'uffdWp', 'shared', 'attention', 'referenced'] as const;
export type PteBitName = (typeof BITS)[number];

/** One entry as a test wants to see it. */
export interface PteView {
  readonly state: 'none' | 'page' | 'zero' | 'entry';
  /** Frame, or kind of the swap-type entry. */
  readonly value: number;
  readonly bits: readonly PteBitName[];
}

/** The PTE of a page; `none` where there is no table. */
export function pteView(w: World, page: number, mm: MmId = w.mm): PteView {
  const { m } = w;
  const table = findTable(m, mm, page as Vpn);
  if (table === 0) return { state: 'none', value: 0, bits: [] };
  const slot = slotOf(m, page as Vpn);
  const bit = pteBit(m, table, slot);
  const value = m.pte.pfn[pteCell(m, table, slot)];
  const bits = BITS.filter((name) => getBit(m.pte[name], bit));
  if (getBit(m.pte.present, bit)) return { state: getBit(m.pte.zero, bit) ? 'zero' : 'page', value, bits };
  return getBit(m.pte.nonPresent, bit)
    ? { state: 'entry', value: entryKind(value), bits }
    : { state: 'none', value: 0, bits };
}

/** Type of the PMD entry of a page; PMD.none also where a level above it is missing. */
export function pmdKind(w: World, page: number, mm: MmId = w.mm): PmdType {
  const pmd = findPmd(w.m, mm, page as Vpn);
  return pmd === NO_PMD ? 0 : pmdType(w.m.directory.entry[pmd]);
}

/** Raw PMD entry of a page. */
export function pmdEntry(w: World, page: number, mm: MmId = w.mm): number {
  return w.m.directory.entry[findPmd(w.m, mm, page as Vpn)];
}

/** Frame that a page is mapped to, by a PTE or a huge PMD; 0 if none (or the zero page). */
export function frameOf(w: World, page: number, mm: MmId = w.mm): number {
  if (pmdKind(w, page, mm) === 2) return pmdPfn(w.m, pmdEntry(w, page, mm)) + slotOf(w.m, page as Vpn);
  const pte = pteView(w, page, mm);
  return pte.state === 'page' ? pte.value : 0;
}

/** Content stamps of pages; 0 for pages that hold zeroes or are not mapped, -1 for swap-type entries. */
export function contents(w: World, start: number, end: number, mm: MmId = w.mm): number[] {
  const stamps: number[] = [];
  for (let page = start; page < end; page++) {
    const entry = pmdKind(w, page, mm) !== 2 && pteView(w, page, mm).state === 'entry';
    stamps.push(entry ? -1 : w.m.frame.stamp[frameOf(w, page, mm)]);
  }
  return stamps;
}
