// Which ranges are mapped by one PMD entry. pagemap looks the same for a PMD-mapped folio and for one that is mapped by a
// full table of single entries; smaps knows the sum of the former per VMA. So: find the candidates, and compare.

import type { PageColumns } from './page-columns.js';
import { ORDER_UNKNOWN, PageFlag, PageKind } from './page-kind.js';
import type { SmapsField } from './smaps.js';

const FIELD_OF_KIND: Readonly<Record<number, SmapsField>> = {
  [PageKind.anon]: 'AnonHugePages',
  [PageKind.shmem]: 'ShmemPmdMapped',
  [PageKind.file]: 'FilePmdMapped',
};

/** The rows of one VMA and what smaps says of it. */
export interface PmdMappedInput {
  readonly columns: PageColumns;
  readonly firstRow: number;
  readonly rowCount: number;
  readonly pmdOrder: number;
  readonly pageSize: number;
  readonly smapsKb: Readonly<Partial<Record<SmapsField, number>>>;
}

/**
 * Sets {@link PageFlag.pmdMapped} on the rows of ranges that are mapped by a PMD. Candidates are aligned, full ranges
 * that map one whole PMD-sized folio in order (without access to frame numbers: full ranges of alike entries). If smaps
 * counts as many, or none, the answer is exact; if it counts fewer, the first candidates by address are taken and the
 * answer is a guess. Ranges of the huge zero page are always mapped by a PMD: it can be mapped in no other way.
 *
 * @returns whether the answer is exact.
 */
export function markPmdMapped(input: PmdMappedInput): boolean {
  const candidates = new Map<number, number[]>();
  for (const row of fullRanges(input)) {
    const kind = input.columns.kind[row];
    if (kind === PageKind.zero) {
      if (input.columns.order[row] === input.pmdOrder && mapsOneFolio(input, row)) mark(input, row);
    } else if (kind in FIELD_OF_KIND && mapsOneFolio(input, row)) {
      const rows = candidates.get(kind);
      if (rows === undefined) candidates.set(kind, [row]);
      else rows.push(row);
    }
  }
  let exact = true;
  for (const [kind, field] of Object.entries(FIELD_OF_KIND)) {
    const rows = candidates.get(Number(kind)) ?? [];
    const counted = Math.round(((input.smapsKb[field] ?? 0) * 1024) / (input.pageSize * 2 ** input.pmdOrder));
    if (counted !== 0 && counted !== rows.length) exact = false;
    for (const row of rows.slice(0, counted)) mark(input, row);
  }
  return exact;
}

/** The first rows of the aligned PMD ranges in which every page has a row of the same kind. */
function fullRanges(input: PmdMappedInput): number[] {
  const { vpn, kind } = input.columns;
  const span = 2 ** input.pmdOrder;
  const end = input.firstRow + input.rowCount;
  const found: number[] = [];
  let row = input.firstRow;
  while (row + span <= end) {
    const offset = vpn[row] % span;
    if (offset !== 0) {
      // At most this many rows until the next aligned page; holes make it fewer, so step over them one by one.
      row += vpn[row + span - offset] - vpn[row] === span - offset ? span - offset : 1;
    } else if (vpn[row + span - 1] - vpn[row] === span - 1) {
      const first = kind[row];
      let same = 1;
      while (same < span && kind[row + same] === first) same++;
      if (same === span) found.push(row);
      row += span;
    } else {
      row++;
    }
  }
  return found;
}

function mapsOneFolio(input: PmdMappedInput, row: number): boolean {
  const { frame, order, flags } = input.columns;
  const span = 2 ** input.pmdOrder;
  if (order[row] === ORDER_UNKNOWN) {
    for (let i = 1; i < span; i++) if (flags[row + i] !== flags[row]) return false;
    return true;
  }
  if (order[row] !== input.pmdOrder || frame[row] % span !== 0) return false;
  for (let i = 1; i < span; i++) if (frame[row + i] !== frame[row] + i) return false;
  return true;
}

function mark(input: PmdMappedInput, row: number): void {
  const { order, flags } = input.columns;
  for (let i = row; i < row + 2 ** input.pmdOrder; i++) {
    flags[i] |= PageFlag.pmdMapped;
    // Without kpageflags this is the one order that smaps gives away.
    order[i] = input.pmdOrder;
  }
}
