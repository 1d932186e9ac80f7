// Second step of a capture, with the privilege to see frames: kpageflags and kpagecount for every frame that is mapped,
// folio orders, final kinds, new frame numbers.
import { type FrameFacts, OrderFinder, renumberFrames } from './folios.js';
import { FrameSet } from './frame-set.js';
import { KPF, KpageReader, kpfWord, pageFlagsOf } from './kpage-files.js';
import type { PageColumns } from './page-columns.js';
import { MAPCOUNT_MAX, NO_FRAME, ORDER_UNKNOWN, PageKind } from './page-kind.js';
import type { ReadOnlyFile } from './proc-files.js';
import type { Pacer } from './progress.js';

/** The machine-wide files; null where they cannot be read. */
export interface KpageFiles {
  readonly kpageflags: ReadOnlyFile | null;
  readonly kpagecount: ReadOnlyFile | null;
}

/** Rows of hugetlb VMAs, whose folio order smaps gives. */
export interface HugetlbRows {
  readonly firstRow: number;
  readonly rowCount: number;
  readonly order: number;
}

/**
 * Completes the columns: kind, flags, order, mapcount, and new numbers in `frame`.
 * @returns the number of new frame numbers.
 */
export async function resolveFrames(
  columns: PageColumns,
  files: KpageFiles,
  pmdOrder: number,
  hugetlb: readonly HugetlbRows[],
  pacer: Pacer,
): Promise<number> {
  const set = new FrameSet();
  for (let row = 0; row < columns.length; row++) if (columns.frame[row] !== 0) set.add(columns.frame[row]);
  set.seal();
  const frames = set.sorted();
  const facts: FrameFacts = { frames, kpf: new Int32Array(frames.length), order: new Uint8Array(frames.length) };
  if (files.kpageflags === null) facts.order.fill(ORDER_UNKNOWN);
  else await readFlags(facts, new KpageReader(files.kpageflags), pmdOrder, pacer);
  const mapcounts = new Uint16Array(frames.length);
  if (files.kpagecount !== null) await readCounts(frames, mapcounts, new KpageReader(files.kpagecount), pacer);
  pacer.begin('assemble', columns.length);
  for (const rows of hugetlb) {
    for (let row = rows.firstRow; row < rows.firstRow + rows.rowCount; row++) {
      if (columns.frame[row] !== 0) facts.order[set.rank(columns.frame[row])] = rows.order;
    }
  }
  // Where kpageflags cannot be read, orders are not known, but the alignment of whatever folios there are is still kept.
  const unknown = files.kpageflags === null;
  const { newFrame, frameCount } = renumberFrames(
    frames,
    unknown ? new Uint8Array(frames.length) : facts.order,
    unknown ? pmdOrder : 0,
  );
  for (let row = 0; row < columns.length; row++) {
    const pfn = columns.frame[row];
    if (pfn === 0) {
      columns.frame[row] = NO_FRAME;
      continue;
    }
    const rank = set.rank(pfn);
    const kpf = facts.kpf[rank];
    if (files.kpageflags !== null) columns.kind[row] = refinedKind(columns.kind[row], kpf);
    columns.flags[row] |= pageFlagsOf(kpf);
    columns.order[row] = facts.order[rank];
    columns.mapcount[row] = mapcounts[rank];
    columns.frame[row] = newFrame[rank];
  }
  return frameCount;
}

/**
 * The kind of a present page in the light of kpageflags. pagemap's word on anonymous or not is kept: the entry was read
 * before the flags, and a page that was freed in between must not turn into something else.
 */
export function refinedKind(kind: number, kpf: number): number {
  if (kind === PageKind.hugetlb) return kind;
  if ((kpf & KPF.nopage) !== 0) return PageKind.special;
  if (kind === PageKind.anon) {
    if ((kpf & KPF.zeroPage) !== 0) return PageKind.zero;
    return (kpf & KPF.ksm) !== 0 ? PageKind.ksm : PageKind.anon;
  }
  const swapBackedFile = (kpf & (KPF.swapBacked | KPF.anon | KPF.lru)) === (KPF.swapBacked | KPF.lru);
  return kind === PageKind.file && swapBackedFile ? PageKind.shmem : kind;
}

async function readFlags(facts: FrameFacts, reader: KpageReader, pmdOrder: number, pacer: Pacer): Promise<void> {
  const { frames, kpf } = facts;
  const total = frames.length;
  pacer.begin('kpageflags', total);
  const visit = (index: number, low: number, high: number): void => {
    kpf[index] = kpfWord(low, high);
  };
  for (let from = 0; from < total; ) {
    from = reader.readRun(frames, from, visit);
    if (pacer.due) await pacer.turn(from, total);
  }
  const finder = new OrderFinder(pmdOrder, reader);
  for (let from = 0; from < total; ) {
    from = finder.findInBlock(facts, from);
    if (pacer.due) await pacer.turn(from, total);
  }
}

async function readCounts(frames: Uint32Array, counts: Uint16Array, reader: KpageReader, pacer: Pacer): Promise<void> {
  const total = frames.length;
  pacer.begin('kpagecount', total);
  const visit = (index: number, low: number, high: number): void => {
    counts[index] = high !== 0 || low < 0 || low > MAPCOUNT_MAX ? MAPCOUNT_MAX : low;
  };
  for (let from = 0; from < total; ) {
    from = reader.readRun(frames, from, visit);
    if (pacer.due) await pacer.turn(from, total);
  }
}
