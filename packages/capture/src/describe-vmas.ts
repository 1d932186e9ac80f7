// VMAs of the snapshot from the entries of smaps, before and after their pages were read.
import type { GatheredVma, VmaHead } from './gather.js';
import type { PageColumns } from './page-columns.js';
import { PageKind } from './page-kind.js';
import { markPmdMapped } from './pmd-mapped.js';
import type { MapsEntry } from './smaps.js';
import type { SnapshotKernel, SnapshotVma } from './snapshot.js';
import { vmFlagName } from './vm-flags.js';
import { keptName, type NameDetail, vmaKind } from './vma-kind.js';

/** The heads of the VMAs in the order of smaps. */
export function describeHeads(
  entries: readonly MapsEntry[],
  pageSize: number,
  names: NameDetail,
  tmpfsDevices: ReadonlySet<string>,
): VmaHead[] {
  const fileIndices = new Map<string, number>();
  return entries.map((entry) => {
    const kind = vmaKind(entry, tmpfsDevices);
    let fileIndex = 0;
    if (entry.inode !== '0' && kind !== 'anon') {
      const identity = `${entry.dev} ${entry.inode}`;
      fileIndex = fileIndices.get(identity) ?? fileIndices.size + 1;
      fileIndices.set(identity, fileIndex);
    }
    return {
      startVpn: entry.start / pageSize,
      endVpn: entry.end / pageSize,
      kind,
      flags: entry.vmFlags.map(vmFlagName),
      pageOffset: Math.floor(entry.offset / pageSize),
      fileIndex,
      name: keptName(entry.name, names),
      thpEligible: entry.thpEligible,
      smapsKb: entry.fieldsKb,
    };
  });
}

/** The smallest KernelPageSize of all VMAs, in bytes: the base page size, as only hugetlb mappings have a larger one. */
export function basePageSize(entries: readonly MapsEntry[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const entry of entries) least = Math.min(least, (entry.fieldsKb.KernelPageSize ?? 4) * 1024);
  return Number.isFinite(least) ? least : 4096;
}

/** Finishes the VMAs once their rows are final; marks the PMD-mapped ranges on the way. */
export function finishVmas(
  heads: readonly VmaHead[],
  gathered: readonly GatheredVma[],
  columns: PageColumns,
  kernel: SnapshotKernel,
): SnapshotVma[] {
  return heads.map((head, index) => {
    const { firstRow, rowCount, skippedPages } = gathered[index];
    const { pageSize, pmdOrder } = kernel;
    const pmdMappedExact = markPmdMapped({ columns, firstRow, rowCount, pmdOrder, pageSize, smapsKb: head.smapsKb });
    const hasAnonVma = hasAnonymousRow(columns, firstRow, rowCount, head.kind);
    return { ...head, hasAnonVma, firstRow, rowCount, skippedPages, pmdMappedExact };
  });
}

function hasAnonymousRow(columns: PageColumns, firstRow: number, rowCount: number, vma: VmaHead['kind']): boolean {
  for (let row = firstRow; row < firstRow + rowCount; row++) {
    const kind = columns.kind[row];
    if (kind === PageKind.anon || kind === PageKind.ksm) return true;
    if (kind === PageKind.swap && vma !== 'shmem') return true;
  }
  return false;
}

/** Sentences on what was left out or is uncertain. */
export function describeNotes(
  vmas: readonly SnapshotVma[],
  gathered: readonly GatheredVma[],
  pageSize: number,
): string[] {
  const notes: string[] = [];
  const skipped = new Map<string, { count: number; pages: number }>();
  for (const { skippedPages, reason } of gathered) {
    if (skippedPages === 0 || reason === null) continue;
    const sum = skipped.get(reason) ?? { count: 0, pages: 0 };
    skipped.set(reason, { count: sum.count + 1, pages: sum.pages + skippedPages });
  }
  for (const [reason, { count, pages }] of skipped) {
    const gib = ((pages * pageSize) / 2 ** 30).toFixed(1);
    notes.push(`${gib} GiB of address space in ${count} mapping(s) were not read: ${reason}.`);
  }
  const guessed = vmas.filter((vma) => !vma.pmdMappedExact).length;
  if (guessed > 0) {
    notes.push(
      `In ${guessed} mapping(s) it is a guess which of the candidate ranges are PMD-mapped; their number is smaps'.`,
    );
  }
  return notes;
}
