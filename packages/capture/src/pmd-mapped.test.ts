import { describe, expect, it } from 'vitest';
import { PageColumns } from './page-columns.js';
import { NO_FRAME, ORDER_UNKNOWN, PageFlag, PageKind } from './page-kind.js';
import { markPmdMapped } from './pmd-mapped.js';
import type { SmapsField } from './smaps.js';

const PMD_ORDER = 2;
const SPAN = 4;

interface Row {
  readonly vpn: number;
  readonly kind?: number;
  readonly frame: number;
  readonly order?: number;
  readonly flags?: number;
}

function range(vpn: number, frame: number, over: Partial<Row> = {}, pages = SPAN): Row[] {
  return Array.from({ length: pages }, (_, i) => ({
    vpn: vpn + i,
    frame: frame === NO_FRAME ? frame : frame + i,
    order: PMD_ORDER,
    ...over,
  }));
}

function run(
  rows: readonly Row[],
  smapsRanges: Partial<Record<SmapsField, number>>,
): { exact: boolean; marked: number[] } {
  const columns = new PageColumns(rows.length, 1000);
  for (const row of rows) {
    columns.push(row.vpn, row.kind ?? PageKind.anon, row.frame, row.flags ?? 0);
    columns.order[columns.length - 1] = row.order ?? 0;
  }
  const smapsKb = Object.fromEntries(Object.entries(smapsRanges).map(([field, ranges]) => [field, ranges * SPAN * 4]));
  const exact = markPmdMapped({
    columns,
    firstRow: 0,
    rowCount: rows.length,
    pmdOrder: PMD_ORDER,
    pageSize: 4096,
    smapsKb,
  });
  const marked = rows.filter((_, row) => (columns.flags[row] & PageFlag.pmdMapped) !== 0).map((row) => row.vpn);
  return { exact, marked };
}

const vpns = (...starts: number[]): number[] => starts.flatMap((start) => [start, start + 1, start + 2, start + 3]);

describe('markPmdMapped', () => {
  it('marks whole aligned folios when smaps counts as many', () => {
    const rows = [...range(8, 16), ...range(12, 100, { order: 0 }), ...range(20, 4)];
    expect(run(rows, { AnonHugePages: 2 })).toEqual({ exact: true, marked: vpns(8, 20) });
  });

  it('marks nothing when smaps counts none: the folios are mapped page by page', () => {
    expect(run(range(8, 16), { AnonHugePages: 0 })).toEqual({ exact: true, marked: [] });
  });

  it('guesses the first ones, and says so, when smaps counts fewer', () => {
    expect(run([...range(8, 16), ...range(12, 24)], { AnonHugePages: 1 })).toEqual({ exact: false, marked: vpns(8) });
  });

  it.each<[string, Row[]]>([
    ['a range with a hole', range(8, 16, {}, 3)],
    ['an unaligned range', range(9, 16)],
    ['frames off by one', range(8, 17)],
    ['frames out of order', range(8, 16).map((row, i) => ({ ...row, frame: 16 + (i ^ 1) }))],
    ['single pages in a row', range(8, 16, { order: 0 })],
    ['pages of two kinds', range(8, 16).map((row, i) => ({ ...row, kind: i === 3 ? PageKind.swap : PageKind.anon }))],
  ])('does not take %s', (_name, rows) => {
    expect(run(rows, { AnonHugePages: 1 })).toEqual({ exact: false, marked: [] });
  });

  it('finds a range behind pages that are not aligned', () => {
    const rows = [
      ...range(5, 40, { order: 0 }, 3),
      ...range(8, 16),
      ...range(13, 60, { order: 0 }, 1),
      ...range(16, 20),
    ];
    expect(run(rows, { AnonHugePages: 2 }).marked).toEqual(vpns(8, 16));
  });

  it('holds shmem and file ranges to their own fields', () => {
    const rows = [
      ...range(8, 16, { kind: PageKind.shmem }),
      ...range(12, 24, { kind: PageKind.file }),
      ...range(16, 32),
    ];
    expect(run(rows, { ShmemPmdMapped: 1, AnonHugePages: 0, FilePmdMapped: 0 })).toEqual({
      exact: true,
      marked: vpns(8),
    });
  });

  it('marks the huge zero page, which smaps counts nowhere', () => {
    expect(run(range(8, 16, { kind: PageKind.zero }), {}).marked).toEqual(vpns(8));
    expect(run(range(8, 16, { kind: PageKind.zero, order: 0 }), {}).marked).toEqual([]);
  });

  it('without frames, takes full ranges of alike entries that smaps confirms, and learns their order', () => {
    const hidden = { order: ORDER_UNKNOWN, flags: PageFlag.exclusive };
    const rows = [...range(8, NO_FRAME, hidden), ...range(12, NO_FRAME, { ...hidden, kind: PageKind.file })];
    expect(run(rows, { AnonHugePages: 1 })).toEqual({ exact: true, marked: vpns(8) });
    expect(run(range(8, NO_FRAME, { ...hidden, kind: PageKind.zero }), {}).marked).toEqual([]);
  });
});
