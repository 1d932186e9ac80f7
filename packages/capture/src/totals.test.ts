import { describe, expect, it } from 'vitest';
import { PageFlag, PageKind } from './page-kind.js';
import { samplePages, sampleSnapshot, sampleVma } from './testing/sample-snapshot.js';
import { checkTotals } from './totals.js';

const backed = PageFlag.swapBacked;
const pages = samplePages([
  { vpn: 1, kind: PageKind.anon, flags: PageFlag.exclusive | backed },
  { vpn: 2, kind: PageKind.anon, flags: backed },
  { vpn: 3, kind: PageKind.anon, flags: PageFlag.exclusive },
  { vpn: 4, kind: PageKind.ksm, flags: backed },
  { vpn: 5, kind: PageKind.file },
  { vpn: 6, kind: PageKind.zero },
  { vpn: 7, kind: PageKind.swap },
  { vpn: 8, kind: PageKind.guard },
  { vpn: 9, kind: PageKind.special },
  { vpn: 10, kind: PageKind.hugetlb },
]);
const smapsKb = {
  Rss: 20,
  Anonymous: 16,
  Shared_Clean: 4,
  Shared_Dirty: 8,
  Private_Dirty: 8,
  KSM: 4,
  LazyFree: 4,
  Swap: 4,
  Private_Hugetlb: 4,
};
const vma = (kb: Record<string, number>) => [
  sampleVma({ startVpn: 1, endVpn: 20, rowCount: pages.length, smapsKb: kb }),
];

describe('checkTotals', () => {
  it('counts as smaps does: zero pages, guards and device memory nowhere, hugetlb by itself', () => {
    const { rows, differing } = checkTotals(sampleSnapshot(vma(smapsKb), pages));
    expect(differing).toEqual([]);
    const snapshotKb = Object.fromEntries(rows.map((row) => [row.field, row.snapshotKb]));
    expect(snapshotKb).toEqual({
      Rss: 20,
      Anonymous: 16,
      AnonHugePages: 0,
      ShmemPmdMapped: 0,
      FilePmdMapped: 0,
      Swap: 4,
      Shared: 12,
      Private: 8,
      KSM: 4,
      LazyFree: 4,
      Hugetlb: 4,
    });
  });

  it('reports what is more than one percent apart', () => {
    const { differing } = checkTotals(sampleSnapshot(vma({ ...smapsKb, Rss: 24, Swap: 0 }), pages));
    expect(differing.map((row) => [row.field, row.difference])).toEqual([
      ['Rss', 4 / 24],
      ['Swap', Number.POSITIVE_INFINITY],
    ]);
  });

  it('does not compare what it cannot know without kpageflags', () => {
    const { rows } = checkTotals(sampleSnapshot(vma(smapsKb), pages, { missing: ['page flags'] }));
    expect(rows.map((row) => row.field)).not.toContain('LazyFree');
  });
});
