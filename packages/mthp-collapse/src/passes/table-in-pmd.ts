/**
 * Taking a page table out of its PMD and putting it back (khugepaged spec 10 steps 9, 12, 16). While it is out, neither the
 * hardware, nor a fault, nor the reverse map, nor lockless GUP can reach its entries. The PMD lock is held around each of
 * these functions.
 */
import { clearBitAtomic, getBit, setBitAtomic } from '@thplab/arena';
import {
  FOLIO,
  flushBlock,
  folioHead,
  type Machine,
  NO_FRAME,
  PMD,
  pteBit,
  pteCell,
  type TableId,
} from '@thplab/mm-model';
import type { CollapseAttempt } from '../collapse-attempt.js';
import { CollapseInvariantError } from '../errors.js';

/**
 * Clears the PMD entry and keeps it in the attempt. The whole range disappears, even for a window of four pages: lockless
 * GUP must not walk into a table whose entries move (khugepaged spec 24).
 */
export function detachTable(m: Machine, a: CollapseAttempt): void {
  a.entry = m.directory.entry[a.pmd];
  m.directory.entry[a.pmd] = PMD.none;
  flushBlock(m, a.mm, a.tableStart);
}

/** Puts the old entry back. */
export function attachTable(m: Machine, a: CollapseAttempt): void {
  requireEmptyPmd(m, a);
  m.directory.entry[a.pmd] = a.entry;
  if (a.table !== 0) refreshMirrors(m, a.table);
}

/** Nobody may have put anything into the PMD meanwhile: a fault that got past the VMA's write lock would have. */
export function requireEmptyPmd(m: Machine, a: CollapseAttempt): void {
  const entry = m.directory.entry[a.pmd];
  if (entry !== PMD.none) {
    throw new CollapseInvariantError(
      `PMD of page ${a.tableStart}: entry ${entry} appeared while its table was taken out for a collapse`,
    );
  }
}

/**
 * Makes the mirror planes of a table agree with its folios. While a table is out of the PMD the reverse map does not find
 * it, so what others do to its folios is not written into it. The table is in the PMD again already, so that every later
 * change finds it; a bit that differs is settled against the folio's own record.
 */
function refreshMirrors(m: Machine, table: TableId): void {
  const { present, zero, shared, attention, referenced, pfn } = m.pte;
  const { flags } = m.frame;
  const cell = pteCell(m, table, 0);
  const base = table * m.words;
  for (let w = 0; w < m.words; w++) {
    const s = shared[base + w];
    const a = attention[base + w];
    const r = referenced[base + w];
    for (let rest = present[base + w] & ~zero[base + w]; rest !== 0; rest &= rest - 1) {
      const lane = 31 - Math.clz32(rest & -rest);
      const frame = pfn[cell + w * 32 + lane];
      if (frame === NO_FRAME) continue;
      const shown =
        (((s >>> lane) & 1) * FOLIO.MIRROR_SHARED) |
        (((a >>> lane) & 1) * FOLIO.MIRROR_ATTENTION) |
        (((r >>> lane) & 1) * FOLIO.MIRROR_REFERENCED);
      const head = folioHead(m, frame);
      if ((flags[head] & MIRRORS) !== shown) settleMirrors(m, pteBit(m, table, w * 32 + lane), head);
    }
  }
}

const MIRRORS = FOLIO.MIRROR_SHARED | FOLIO.MIRROR_ATTENTION | FOLIO.MIRROR_REFERENCED;

function settleMirrors(m: Machine, bit: number, head: number): void {
  const { shared, attention, referenced } = m.pte;
  for (;;) {
    const flags = m.frame.flags[head];
    settle(shared, bit, (flags & FOLIO.MIRROR_SHARED) !== 0);
    settle(attention, bit, (flags & FOLIO.MIRROR_ATTENTION) !== 0);
    settle(referenced, bit, (flags & FOLIO.MIRROR_REFERENCED) !== 0);
    if (m.frame.flags[head] === flags) return;
  }
}

function settle(plane: Uint32Array, bit: number, on: boolean): void {
  if (getBit(plane, bit) === on) return;
  if (on) setBitAtomic(plane, bit);
  else clearBitAtomic(plane, bit);
}
