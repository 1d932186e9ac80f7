// First step of a capture: every entry of pagemap that is not none becomes a row, with what pagemap alone says of it.
import type { PageColumns } from './page-columns.js';
import { PageKind } from './page-kind.js';
import {
  entryFlags,
  entryKind,
  entryPfn,
  isCertainlyCounted,
  isEntry,
  PAGEMAP_READ_ENTRIES,
  PagemapReader,
} from './pagemap.js';
import type { ReadOnlyFile } from './proc-files.js';
import type { Pacer } from './progress.js';
import type { ReadPlanner, VmaReadPlan } from './read-plan.js';
import type { SnapshotVma } from './snapshot.js';

/** A VMA before its pages were read. */
export type VmaHead = Omit<SnapshotVma, 'firstRow' | 'rowCount' | 'skippedPages' | 'pmdMappedExact' | 'hasAnonVma'>;

/** Where the rows of a VMA are, and what was left out. */
export interface GatheredVma {
  readonly firstRow: number;
  readonly rowCount: number;
  readonly skippedPages: number;
  readonly reason: string | null;
}

/** What the step hands on. */
export interface Gathered {
  readonly vmas: readonly GatheredVma[];
  /** Whether the kernel showed the number of any page frame. */
  readonly framesVisible: boolean;
  /** Present pages, whether or not their frames were shown. */
  readonly presentPages: number;
}

/** Thrown by the reader when the address space has gone; the caller turns it into a CaptureError. */
export class AddressSpaceGone extends Error {
  override readonly name = 'AddressSpaceGone';
}

/**
 * Reads pagemap for all VMAs into the columns. Raw frame numbers stand in `columns.frame` (0: hidden or none).
 *
 * @throws AddressSpaceGone when pagemap ends early.
 */
export async function gatherPages(
  file: ReadOnlyFile,
  heads: readonly VmaHead[],
  planner: ReadPlanner,
  columns: PageColumns,
  pacer: Pacer,
): Promise<Gathered> {
  const reader = new PagemapReader(file);
  const plans: VmaReadPlan[] = [];
  const counts: GatherCounts = { framesVisible: false, presentPages: 0, counted: 0 };
  const vmas: GatheredVma[] = [];
  const total = heads.reduce((sum, head) => sum + Math.min(head.endVpn - head.startVpn, 2 ** 31), 0);
  let done = 0;
  for (const head of heads) {
    const plan = planner.plan(head);
    plans.push(plan);
    const firstRow = columns.length;
    counts.counted = 0;
    let read = 0;
    while (read < plan.pages && (plan.stopAfter === null || counts.counted < plan.stopAfter)) {
      const wanted = Math.min(PAGEMAP_READ_ENTRIES, plan.pages - read);
      const got = reader.read(head.startVpn + read, wanted);
      if (got < wanted) throw new AddressSpaceGone();
      appendEntries(reader.words, got, head.startVpn + read, head, columns, counts);
      read += got;
      if (pacer.due) await pacer.turn(Math.min(done + read, total), total);
    }
    planner.charge(plan, read);
    done += Math.min(head.endVpn - head.startVpn, 2 ** 31);
    const stoppedEarly = read < plan.pages;
    const skippedPages = head.name === '[vsyscall]' ? 0 : head.endVpn - head.startVpn - read;
    const reason = stoppedEarly ? 'everything that smaps counts had been found before' : plan.reason;
    vmas.push({ firstRow, rowCount: columns.length - firstRow, skippedPages, reason });
  }
  return { vmas, framesVisible: counts.framesVisible, presentPages: counts.presentPages };
}

interface GatherCounts {
  framesVisible: boolean;
  presentPages: number;
  /** Entries of the current VMA that certainly count in Rss or Swap. */
  counted: number;
}

function appendEntries(
  words: Int32Array,
  entries: number,
  firstVpn: number,
  head: VmaHead,
  columns: PageColumns,
  counts: GatherCounts,
): void {
  let used = 0;
  for (let i = 0; i < entries; i++) if (isEntry(words[2 * i + 1])) used++;
  if (used === 0) return;
  columns.reserve(used);
  const hasSwap = (head.smapsKb.Swap ?? 0) > 0;
  for (let i = 0; i < entries; i++) {
    const high = words[2 * i + 1];
    if (!isEntry(high)) continue;
    const low = words[2 * i];
    const kind = entryKind(low, high, head.kind, hasSwap);
    const pfn = entryPfn(low, high);
    if (pfn !== 0) counts.framesVisible = true;
    if (high < 0) counts.presentPages++;
    if (isCertainlyCounted(high) && kind !== PageKind.marker) counts.counted++;
    columns.push(firstVpn + i, kind, pfn, entryFlags(high));
  }
}
