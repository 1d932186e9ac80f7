// The snapshot's sums beside those of smaps and status. smaps was read some milliseconds before the pages, and the
// process ran on, so small differences are normal; large ones mean that the capture is not to be trusted.
import { isPresentKind, PageFlag, PageKind } from './page-kind.js';
import type { SmapsField } from './smaps.js';
import type { Snapshot } from './snapshot.js';

/** A sum that is compared. Shared and Private are the clean and dirty halves of smaps together. */
export type TotalsField =
  | 'Rss'
  | 'Anonymous'
  | 'AnonHugePages'
  | 'ShmemPmdMapped'
  | 'FilePmdMapped'
  | 'Swap'
  | 'Shared'
  | 'Private'
  | 'KSM'
  | 'LazyFree'
  | 'Hugetlb';

/** One sum, in kB. */
export interface TotalsRow {
  readonly field: TotalsField;
  readonly snapshotKb: number;
  readonly smapsKb: number;
  /** |difference| / smaps, 0 when both are 0; Infinity when only smaps' is 0. */
  readonly difference: number;
  /** False when the difference is over 1 %. */
  readonly withinOnePercent: boolean;
}

/** All sums that the snapshot can tell. Fields whose facts are missing (no privilege) are left out. */
export interface TotalsCheck {
  readonly rows: readonly TotalsRow[];
  /** The rows that differ by more than 1 %. */
  readonly differing: readonly TotalsRow[];
}

const SMAPS_OF: Readonly<Record<TotalsField, readonly SmapsField[]>> = {
  Rss: ['Rss'],
  Anonymous: ['Anonymous'],
  AnonHugePages: ['AnonHugePages'],
  ShmemPmdMapped: ['ShmemPmdMapped'],
  FilePmdMapped: ['FilePmdMapped'],
  Swap: ['Swap'],
  Shared: ['Shared_Clean', 'Shared_Dirty'],
  Private: ['Private_Clean', 'Private_Dirty'],
  KSM: ['KSM'],
  LazyFree: ['LazyFree'],
  Hugetlb: ['Shared_Hugetlb', 'Private_Hugetlb'],
};

/** Fields that need kpageflags. */
const NEEDS_FLAGS: readonly TotalsField[] = ['KSM', 'LazyFree'];
const TOLERANCE = 0.01;

/**
 * Compares the snapshot's pages with smaps, field by field. smaps counts swapped shmem pages in Swap although the page table
 * holds nothing for them, and does not count pages of VM_PFNMAP mappings and zero pages anywhere.
 */
export function checkTotals(snapshot: Snapshot): TotalsCheck {
  const pages = countPages(snapshot);
  const haveFlags = snapshot.missing.length === 0;
  const kbPerPage = snapshot.kernel.pageSize / 1024;
  const rows: TotalsRow[] = [];
  for (const field of Object.keys(SMAPS_OF) as TotalsField[]) {
    if (!haveFlags && NEEDS_FLAGS.includes(field)) continue;
    let smapsKb = 0;
    for (const vma of snapshot.vmas) for (const name of SMAPS_OF[field]) smapsKb += vma.smapsKb[name] ?? 0;
    const snapshotKb = pages[field] * kbPerPage;
    const apart = Math.abs(snapshotKb - smapsKb);
    const difference = apart === 0 ? 0 : apart / smapsKb;
    rows.push({ field, snapshotKb, smapsKb, difference, withinOnePercent: difference <= TOLERANCE });
  }
  return { rows, differing: rows.filter((row) => !row.withinOnePercent) };
}

function countPages(snapshot: Snapshot): Record<TotalsField, number> {
  const { length, kind, flags } = snapshot.pages;
  const count: Record<TotalsField, number> = {
    Rss: 0,
    Anonymous: 0,
    AnonHugePages: 0,
    ShmemPmdMapped: 0,
    FilePmdMapped: 0,
    Swap: 0,
    Shared: 0,
    Private: 0,
    KSM: 0,
    LazyFree: 0,
    Hugetlb: 0,
  };
  for (let row = 0; row < length; row++) {
    const k = kind[row];
    if (k === PageKind.swap) count.Swap++;
    else if (k === PageKind.hugetlb) count.Hugetlb++;
    if (!isPresentKind(k) || k === PageKind.hugetlb || k === PageKind.zero || k === PageKind.special) continue;
    const f = flags[row];
    count.Rss++;
    if ((f & PageFlag.exclusive) !== 0) count.Private++;
    else count.Shared++;
    const pmdMapped = (f & PageFlag.pmdMapped) !== 0;
    if (k === PageKind.anon || k === PageKind.ksm) {
      count.Anonymous++;
      if (k === PageKind.ksm) count.KSM++;
      else if ((f & PageFlag.swapBacked) === 0) count.LazyFree++;
      if (pmdMapped) count.AnonHugePages++;
    } else if (pmdMapped) {
      if (k === PageKind.shmem) count.ShmemPmdMapped++;
      else count.FilePmdMapped++;
    }
  }
  return count;
}
