/** Looks at a process through pagemap, kpageflags, PAGEMAP_SCAN, smaps and its memory. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Libc } from '@thplab/live-kernel';
import { BASE_PAGE, RANGE, WINDOW_PAGES } from '../case.js';
import type { ProcessView } from '../outcome.js';
import { MARK, numberRuns, PAGE, runs } from '../page-letters.js';
import { KPF, OpenFile, PAGE_BYTES, PM, PM_PFN, ProcessFiles } from './proc-files.js';

/** Frames read at once although not all were asked for. */
const GAP = 32;

/** See the head of the file. */
export class RealView {
  private readonly libc: Libc;
  private readonly kpageflags: OpenFile = new OpenFile('/proc/kpageflags');

  constructor(libc: Libc) {
    this.libc = libc;
  }

  /**
   * Processes as they are now. All page tables are read before any content: reading a page through the kernel makes it the
   * process's own again where it is shared, which changes what the other one maps. So contents can be left out.
   */
  of(pids: readonly number[], ranges: readonly number[], withContents = true): ProcessView[] {
    const seen = pids.map((pid) => this.tablesOf(pid, ranges));
    return seen.map(({ entries, ...view }, i) => {
      if (!withContents) return { ...view, contents: '' };
      const contents = ranges.flatMap((range, n) => this.contentsOf(pids[i], range, entries[n]));
      return { ...view, contents: numberRuns(contents) };
    });
  }

  private tablesOf(
    pid: number,
    ranges: readonly number[],
  ): Omit<ProcessView, 'contents'> & { readonly entries: readonly BigUint64Array[] } {
    const files = new ProcessFiles(pid);
    const huge: number[] = [];
    const letters: string[] = [];
    const all: BigUint64Array[] = [];
    for (const range of ranges) {
      const entries = files.entries(BASE_PAGE + range);
      const isHuge = files.isHuge(this.libc, BASE_PAGE + range) === true;
      if (isHuge) huge.push(range);
      const flags = this.flagsOf(entries);
      for (let i = 0; i < RANGE; i++) letters.push(letterOf(entries[i], flags[i], isHuge));
      all.push(entries);
    }
    const rss = files.residentPages(BASE_PAGE, BASE_PAGE + WINDOW_PAGES);
    files.close();
    return { rss, huge, pages: runs(letters), entries: all };
  }

  private flagsOf(entries: BigUint64Array): BigUint64Array {
    const flags = new BigUint64Array(entries.length);
    for (let i = 0; i < entries.length; ) {
      if ((entries[i] & PM.present) === 0n) {
        i++;
        continue;
      }
      const first = Number(entries[i] & PM_PFN);
      let end = i + 1;
      let reach = first;
      for (; end < entries.length && (entries[end] & PM.present) !== 0n; end++) {
        const pfn = Number(entries[end] & PM_PFN);
        if (pfn < first || pfn > reach + GAP) break;
        reach = Math.max(reach, pfn);
      }
      const words = this.kpageflags.words(first, reach - first + 1);
      for (; i < end; i++) flags[i] = words[Number(entries[i] & PM_PFN) - first];
    }
    return flags;
  }

  /** The first word of each present page, -1 for others. */
  private contentsOf(pid: number, range: number, entries: BigUint64Array): number[] {
    const contents: number[] = Array(RANGE).fill(-1);
    const present = [...entries.keys()].filter((i) => (entries[i] & PM.present) !== 0n);
    const words = new BigUint64Array(present.length);
    const pieces = present.map((i) => ({ address: (BASE_PAGE + range + i) * PAGE_BYTES, bytes: 8 }));
    const bytes = new Uint8Array(words.buffer);
    const got = present.length === 0 ? 0 : Math.max(0, this.libc.readOther(pid, pieces, bytes));
    if (got < words.byteLength) readForced(pid, pieces, words, Math.floor(got / 8));
    for (const [n, i] of present.entries()) contents[i] = Number(words[n]);
    return contents;
  }
}

/** Pages without read access: /proc/PID/mem shows them all the same. */
function readForced(pid: number, pieces: readonly { address: number }[], words: BigUint64Array, from: number): void {
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  for (let i = from; i < pieces.length; i++) readSync(fd, words, i * 8, 8, pieces[i].address);
  closeSync(fd);
}

function letterOf(entry: bigint, flags: bigint, isHuge: boolean): string {
  const wp = (entry & PM.wp) !== 0n ? MARK.wp : '';
  if ((entry & PM.present) === 0n) {
    if ((entry & PM.guard) !== 0n) return PAGE.guard;
    return (entry & PM.swap) !== 0n ? PAGE.marker + wp : PAGE.none;
  }
  if ((flags & KPF.zeroPage) !== 0n) return (isHuge ? PAGE.hugeZero : PAGE.zero) + wp;
  const anon = (flags & KPF.anon) !== 0n;
  const lazyfree = anon && (flags & KPF.swapBacked) === 0n ? MARK.lazyfree : '';
  const marks = wp + ((flags & KPF.mlocked) !== 0n ? MARK.mlocked : '') + lazyfree;
  if (isHuge) return (anon ? PAGE.huge : PAGE.fileHuge) + marks;
  const large = (flags & KPF.compound) !== 0n;
  return (anon ? (large ? PAGE.part : PAGE.small) : large ? PAGE.filePart : PAGE.fileSmall) + marks;
}
