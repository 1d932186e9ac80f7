/**
 * The scan of a page table by word arithmetic: 32 entries at a time, as long as nothing in them can end the scan. It gives
 * exactly what scan-entry-by-entry.ts gives, counters and the place of the stop included.
 *
 * Why that is possible: only five things end a scan. Two are counts of bits (empty entries, non-present entries) and so is
 * a third (shared folios, mirrored from the folio into the table); the fourth is a uffd-wp bit; everything else about a
 * folio is one `attention` bit, see folio-mirror.ts of the model. A word in which no count passes its limit and no such
 * bit is set is decided by popcounts; any other word is looked at entry by entry.
 */
import type { Machine, TableId } from '@thplab/mm-model';
import { folioHead, nodeOf } from '@thplab/mm-model';
import { popcount32 } from '../bitmap.js';
import type { ScanResult } from '../results.js';
import { scanEntry } from './scan-entry-by-entry.js';
import type { TableScan } from './table-scan.js';

/** Scans all entries of a table whose lock the caller holds; `s` was reset and has its limits. */
export function scanPlanes(m: Machine, table: TableId, s: TableScan): ScanResult {
  const { present, zero, nonPresent, uffdWp, shared, attention } = m.pte;
  const { bitmap, noneLimit, swapLimit, sharedLimit } = s;
  const words = m.words;
  const base = table * words;
  const bits = Math.min(32, m.ptes);
  const lanes = bits === 32 ? -1 : (1 << bits) - 1;
  // Distances between nodes are looked at in the order of the entries.
  const inOrder = s.nodeReclaim !== undefined;
  let none = 0;
  let unmapped = 0;
  let sharedCount = 0;
  let lastCell = -1;
  for (let w = 0; w < words; w++) {
    const i = base + w;
    const swapped = nonPresent[i];
    const mapped = present[i] & ~zero[i];
    const empty = ~(mapped | swapped) & lanes;
    const noneHere = empty === 0 ? 0 : popcount32(empty);
    const unmappedHere = swapped === 0 ? 0 : popcount32(swapped);
    const sharedHere = shared[i] & mapped;
    const sharedCountHere = sharedHere === 0 ? 0 : popcount32(sharedHere);
    if (
      ((attention[i] & mapped) | (uffdWp[i] & ~empty)) !== 0 ||
      none + noneHere > noneLimit ||
      unmapped + unmappedHere > swapLimit ||
      sharedCount + sharedCountHere > sharedLimit ||
      inOrder
    ) {
      s.none = none;
      s.unmapped = unmapped;
      s.shared = sharedCount;
      if (lastCell >= 0) s.scanPfn = folioHead(m, m.pte.pfn[lastCell]);
      lastCell = -1;
      for (let slot = w * 32; slot < w * 32 + bits; slot++) if (!scanEntry(m, table, slot, s)) return s.result;
      none = s.none;
      unmapped = s.unmapped;
      sharedCount = s.shared;
      continue;
    }
    none += noneHere;
    unmapped += unmappedHere;
    sharedCount += sharedCountHere;
    bitmap[w] = mapped;
    if (s.empty !== undefined) s.empty[w] = empty;
    if (mapped !== 0) {
      takeMapped(m, table, w, mapped, bits - noneHere - unmappedHere, s);
      lastCell = table * m.ptes + w * 32 + 31 - Math.clz32(mapped);
    }
  }
  s.none = none;
  s.unmapped = unmapped;
  s.shared = sharedCount;
  s.scanned = m.ptes;
  if (lastCell >= 0) s.scanPfn = folioHead(m, m.pte.pfn[lastCell]);
  return s.conclude(m.ptes);
}

/** What a word of entries without anything unusual adds: referenced, writable, node load. */
function takeMapped(m: Machine, table: TableId, w: number, mapped: number, count: number, s: TableScan): void {
  const i = table * m.words + w;
  if (s.khugepaged) {
    const used = mapped & (m.pte.young[i] | m.pte.referenced[i]);
    s.referenced += used === -1 ? 32 : popcount32(used);
  }
  if (!s.writable && (mapped & m.pte.write[i]) !== 0) s.writable = true;
  if (m.nodes === 1) {
    s.nodeLoad[0] += count;
    return;
  }
  const cell = table * m.ptes + w * 32;
  for (let rest = mapped; rest !== 0; rest &= rest - 1) {
    s.nodeLoad[nodeOf(m, folioHead(m, m.pte.pfn[cell + 31 - Math.clz32(rest & -rest)]))]++;
  }
}
