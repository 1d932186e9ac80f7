/**
 * What every page must read (invariant I1): the number of the write that came last to it. Pages are followed from the
 * set-up on; those that an actor takes away from a process, or that several actors write, are let go.
 */
import { getBit } from '@thplab/arena';
import {
  ENTRY_KIND,
  entryKind,
  entryValue,
  type FileId,
  findPmd,
  findTable,
  linearIndex,
  type Machine,
  type MmId,
  NO_FRAME,
  NO_PMD,
  PMD,
  PMD_ZERO,
  pageCacheLookup,
  pageCacheSwapSlot,
  pmdPfn,
  pmdType,
  pteBit,
  pteCell,
  slotOf,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import type { AccessLog, Procedure } from '@thplab/sync';
import { BOOK_CELL } from './watched-machine.js';

/** A run of pages of one process. */
export interface BookedRange {
  readonly process: string;
  readonly vma: string;
  readonly mm: MmId;
  readonly start: number;
  readonly pages: number;
}

/** What a read of a page gives: a stamp, 0 for zeroes, -1 if there is nothing that can be read. */
export function contentOf(m: Machine, mm: MmId, page: Vpn): number {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return -1;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) {
    return (entry & PMD_ZERO) !== 0 ? 0 : m.frame.stamp[pmdPfn(m, entry) + slotOf(m, page)];
  }
  const table = findTable(m, mm, page);
  if (table === 0) return -1;
  const bit = pteBit(m, table, slotOf(m, page));
  const value = m.pte.pfn[pteCell(m, table, slotOf(m, page))];
  // A device's memory has no frame, and no content that anybody follows.
  if (getBit(m.pte.present, bit)) return getBit(m.pte.zero, bit) || value === NO_FRAME ? 0 : m.frame.stamp[value];
  if (!getBit(m.pte.nonPresent, bit) || entryKind(value) !== ENTRY_KIND.swap) return -1;
  const slot = entryValue(value);
  return m.swap.cache[slot] === 0 ? m.swap.stamp[slot] : m.frame.stamp[m.swap.cache[slot]];
}

const UNKNOWN = -2;
/** What `contentOf` says of a page that is not there. */
const HOLE = -1;

/** The page of a file that a place shows as long as its process has no copy of its own. */
interface FilePage {
  readonly file: FileId;
  readonly index: number;
}

export class ContentBook {
  private readonly m: Machine;
  private readonly log: AccessLog;
  private readonly ranges: readonly BookedRange[];
  private readonly places: Map<MmId, Map<number, number>> = new Map();
  private readonly names: string[] = [];
  private readonly mms: MmId[] = [];
  private readonly pages: Vpn[] = [];
  /** By place, where it shows a file's page at the start. */
  private readonly files: (FilePage | undefined)[] = [];
  private readonly initial: Int32Array;
  private readonly expected: Int32Array;

  /** Follows the pages of the ranges from what they hold now. */
  constructor(m: Machine, log: AccessLog, ranges: readonly BookedRange[]) {
    this.m = m;
    this.log = log;
    this.ranges = ranges;
    for (const range of ranges) for (let i = 0; i < range.pages; i++) this.add(range, i);
    this.initial = Int32Array.from(this.pages, (_, at) => this.content(at));
    this.expected = this.initial.slice();
  }

  /** A new schedule begins. */
  restart(): void {
    this.expected.set(this.initial);
  }

  /** Runs a procedure whose own writes all go to pages of a run, and follows them. Gives what it gives. */
  *following<T>(mm: MmId, first: Vpn, procedure: Procedure<T>, pages = 1): Procedure<T> {
    const { nextStamp } = this.m.machine;
    for (let input = 0; ; ) {
      const before = nextStamp[0];
      const made = procedure.next(input);
      if (nextStamp[0] !== before) this.wroteSince(before, mm, first, pages);
      if (made.done === true) return made.value;
      input = yield made.value;
    }
  }

  /** The step has written to some of the pages: their stamps are newer than `before`. */
  private wroteSince(before: number, mm: MmId, first: number, pages: number): void {
    if (pages === 1) {
      this.wrote(mm, first as Vpn, this.m.machine.nextStamp[0]);
      return;
    }
    for (let page = first; page < first + pages; page++) {
      const content = contentOf(this.m, mm, page as Vpn);
      if (content > before) this.wrote(mm, page as Vpn, content);
    }
  }

  /** The page was written with this stamp. */
  wrote(mm: MmId, page: Vpn, stamp: number): void {
    this.log.write(BOOK_CELL);
    const at = this.at(mm, page);
    // Who takes the page away may do so after this write as well.
    if (at === undefined) return;
    if (this.files[at] !== undefined && this.isInFile(at, stamp)) this.wroteFile(at, stamp);
    if (this.expected[at] !== UNKNOWN) this.expected[at] = stamp;
  }

  /** The write went to the file, not to a copy: all that show the same page of it read it now. */
  private isInFile(at: number, stamp: number): boolean {
    const { file, index } = this.files[at] as FilePage;
    const pfn = pageCacheLookup(this.m, file, index);
    return pfn !== 0 && this.m.frame.stamp[pfn] === stamp;
  }

  private wroteFile(at: number, stamp: number): void {
    const { file, index } = this.files[at] as FilePage;
    const before = this.expected[at];
    for (const [other, page] of this.files.entries()) {
      if (page?.file !== file || page.index !== index || this.expected[other] === UNKNOWN) continue;
      // Who has a copy reads something else than the file did, if that is known.
      if (before === UNKNOWN) this.expected[other] = UNKNOWN;
      else if (this.expected[other] === before) this.expected[other] = stamp;
    }
  }

  /** What the page must read now; undefined if nobody can say. */
  mustRead(mm: MmId, page: Vpn): number | undefined {
    this.log.read(BOOK_CELL);
    const at = this.at(mm, page);
    if (at === undefined || this.expected[at] === UNKNOWN) return undefined;
    return this.expected[at];
  }

  /** A page has moved to another place, which was empty; it leaves a hole. */
  move(mm: MmId, from: Vpn, to: Vpn): void {
    this.log.write(BOOK_CELL);
    const source = this.at(mm, from);
    const target = this.at(mm, to);
    if (target !== undefined)
      this.expected[target] = source === undefined ? UNKNOWN : (this.expected[source] as number);
    if (source !== undefined && this.expected[source] !== UNKNOWN) this.expected[source] = HOLE;
  }

  /** The pages are being taken away: from now on they may read anything. */
  forget(mm: MmId, start: number, pages: number): void {
    this.log.write(BOOK_CELL);
    for (let page = start; page < start + pages; page++) {
      const at = this.at(mm, page as Vpn);
      if (at !== undefined) this.expected[at] = UNKNOWN;
    }
  }

  /** As `forget`, for all pages of a process. */
  forgetAll(mm: MmId): void {
    for (const range of this.ranges) if (range.mm === mm) this.forget(mm, range.start, range.pages);
  }

  /** Pages that do not read what they must, in words. */
  check(): string[] {
    const { expected, initial } = this;
    const found: string[] = [];
    for (let at = 0; at < expected.length; at++) {
      const wanted = expected[at] as number;
      if (wanted === UNKNOWN) continue;
      const content = this.content(at);
      // A page that was not there may be filled with zeroes; what a file has on disk is not modelled.
      if (content === wanted || (wanted === HOLE && content === 0) || (content === HOLE && this.isOnDisk(at))) continue;
      const was = wanted === initial[at] ? 'what it held at the start' : `write ${wanted}`;
      found.push(`I1: ${this.names[at]} must read ${was}, but ${reading(content)}`);
    }
    return found;
  }

  /** What a read of a booked place gives: by its entry, or else from the file. */
  private content(at: number): number {
    const { m } = this;
    const mapped = contentOf(m, this.mms[at] as MmId, this.pages[at] as Vpn);
    const page = this.files[at];
    if (mapped !== HOLE || page === undefined) return mapped;
    const pfn = pageCacheLookup(m, page.file, page.index);
    if (pfn !== 0) return m.frame.stamp[pfn];
    const slot = pageCacheSwapSlot(m, page.file, page.index);
    return slot === 0 ? HOLE : m.swap.stamp[slot];
  }

  private isOnDisk(at: number): boolean {
    const page = this.files[at];
    return page !== undefined && this.m.file.shmem[page.file] === 0;
  }

  private filePage(mm: MmId, page: Vpn): FilePage | undefined {
    const { m } = this;
    const vma = vmaAt(m, mm, page);
    const file = (vma === 0 ? 0 : m.vma.file[vma]) as FileId;
    return vma === 0 || file === 0 ? undefined : { file, index: linearIndex(m, vma, page) };
  }

  private add({ process, vma, mm, start }: BookedRange, i: number): void {
    const page = (start + i) as Vpn;
    let places = this.places.get(mm);
    if (places === undefined) {
      places = new Map();
      this.places.set(mm, places);
    }
    places.set(page, this.pages.length);
    this.names.push(`page ${i} of ${process}:${vma}`);
    this.mms.push(mm);
    this.pages.push(page);
    this.files.push(this.filePage(mm, page));
  }

  private at(mm: MmId, page: Vpn): number | undefined {
    return this.places.get(mm)?.get(page);
  }
}

function reading(content: number): string {
  if (content === -1) return 'is gone';
  return content === 0 ? 'reads zeroes' : `reads write ${content}`;
}
