/**
 * What processes must see: for each page its access rights and its content, kept in plain maps and changed only by what
 * the system calls promise. Where two things happen at once and either may come first, a page may have several contents.
 */
import { type MmId, VM, VM_UFFD } from '@thplab/mm-model';
import type { SeenPage } from './page-reader.js';

/** What is known of one mapped page. */
export interface PageFacts {
  /** VM bits of its VMA, of those in `SHOWN_FLAGS`. */
  readonly flags: number;
  /** Contents that a read may give: one, unless it is not known who came first. */
  readonly values: readonly number[];
  /** Contents with a higher stamp are right too: a fault for writing on behalf of the process counts as a write. */
  readonly freshAbove: number;
  /** MADV_FREE: the page may become all zeroes until it is written to. */
  readonly droppable: boolean;
  /** Write-protected by userfaultfd, which must last. */
  readonly wp: boolean;
  /** A guard region: touching it gives SIGSEGV. Not known if others touched the page while it was installed. */
  readonly guard: boolean | 'unknown';
  /** Was seen empty in a VMA with userfaultfd mode missing: nobody may fill it (invariant I6 of khugepaged spec 19). */
  readonly hole: boolean;
}

/** One process. */
export interface ProcessFacts {
  readonly id: number;
  readonly mm: MmId;
  readonly pages: Map<number, PageFacts>;
}

/** A pin, as its holder knows it. */
export interface PinFacts {
  readonly pfn: number;
  /** Who maps the page; 0 if nobody has to any more. */
  readonly process: number;
  readonly page: number;
  /** The holder writes to the page. */
  readonly write: boolean;
}

/** Flags of VMAs that are compared. */
export const SHOWN_FLAGS: number =
  VM.READ |
  VM.WRITE |
  VM.HUGEPAGE |
  VM.NOHUGEPAGE |
  VM.LOCKED |
  VM.UFFD_MISSING |
  VM.UFFD_WP |
  VM.DONTCOPY |
  VM.WIPEONFORK;

/** What happened cannot have happened, in this order at least. */
export class Contradiction extends Error {
  override readonly name: string = 'Contradiction';
}

/** Says that something must hold. */
export function must(holds: boolean, what: () => string): void {
  if (!holds) throw new Contradiction(what());
}

const NEVER = Number.POSITIVE_INFINITY;

/** A page that nobody has touched. */
export function untouched(flags: number): PageFacts {
  const content = { values: [0], freshAbove: NEVER, droppable: false };
  return { flags: flags & SHOWN_FLAGS, ...content, wp: false, guard: false, hole: false };
}

/** See the head of the file. */
export class Expectation {
  processes: ProcessFacts[] = [];
  pins: PinFacts[] = [];
  private nextId = 1;

  /** A copy that can be changed on its own. */
  clone(): Expectation {
    const copy = new Expectation();
    copy.processes = this.processes.map((process) => ({ ...process, pages: new Map(process.pages) }));
    copy.pins = [...this.pins];
    copy.nextId = this.nextId;
    return copy;
  }

  /** Takes over the state of another. */
  become(other: Expectation): void {
    this.processes = other.processes;
    this.pins = other.pins;
    this.nextId = other.nextId;
  }

  process(id: number): ProcessFacts {
    const found = this.processes.find((process) => process.id === id);
    if (found === undefined) throw new Contradiction(`process ${id} is gone`);
    return found;
  }

  page(id: number, page: number): PageFacts | undefined {
    return this.process(id).pages.get(page);
  }

  addProcess(mm: MmId, pages: Map<number, PageFacts> = new Map()): number {
    this.processes.push({ id: this.nextId, mm, pages });
    return this.nextId++;
  }

  removeProcess(id: number): void {
    this.process(id);
    this.processes = this.processes.filter((process) => process.id !== id);
    this.detachPins(id, () => true);
  }

  /** Gives each page of the range that is mapped new facts; undefined: it is not mapped any more. */
  change(id: number, start: number, end: number, by: (facts: PageFacts, page: number) => PageFacts | undefined): void {
    const { pages } = this.process(id);
    for (let page = start; page < end; page++) {
      const facts = pages.get(page);
      if (facts === undefined) continue;
      const next = by(facts, page);
      if (next === undefined) pages.delete(page);
      else pages.set(page, next);
    }
  }

  /** Maps a range anew. */
  map(id: number, start: number, end: number, flags: number): void {
    this.detachPins(id, (page) => start <= page && page < end);
    const { pages } = this.process(id);
    for (let page = start; page < end; page++) pages.set(page, untouched(flags));
  }

  unmap(id: number, start: number, end: number): void {
    this.detachPins(id, (page) => start <= page && page < end);
    this.change(id, start, end, () => undefined);
  }

  /** The contents of the range are gone; what is mapped stays. */
  discard(id: number, start: number, end: number): void {
    this.detachPins(id, (page) => start <= page && page < end);
    this.change(id, start, end, (facts) => ({ ...untouched(facts.flags), guard: facts.guard, hole: facts.hole }));
  }

  /** The process wrote to a page. */
  write(id: number, page: number, stamp: number): void {
    this.change(id, page, page + 1, (facts) => ({ ...facts, values: [stamp], freshAbove: NEVER, droppable: false }));
  }

  /** Pages may have been faulted in for writing, in writes with stamps above `mark`. */
  prefault(id: number, start: number, end: number, mark: number): void {
    this.change(id, start, end, (facts) => ((facts.flags & VM.WRITE) === 0 ? facts : { ...facts, freshAbove: mark }));
  }

  /** Pins of pages that are no longer where they were keep their frames, but nothing has to map them. */
  detachPins(id: number, gone: (page: number) => boolean): void {
    this.pins = this.pins.map((pin) => (pin.process === id && gone(pin.page) ? { ...pin, process: 0 } : pin));
  }
}

/** Contents that either of two expectations allows. They come from the same jobs in another order. */
export function eitherOf(a: Expectation, b: Expectation): Expectation {
  const both = a.clone();
  for (const process of a.processes) {
    const other = b.process(process.id);
    const { pages } = both.process(process.id);
    for (const [page, facts] of pages) {
      const alternative = other.pages.get(page);
      if (alternative !== undefined) pages.set(page, eitherPage(facts, alternative));
    }
  }
  return both;
}

function eitherPage(a: PageFacts, b: PageFacts): PageFacts {
  return {
    flags: a.flags,
    values: [...new Set([...a.values, ...b.values])],
    freshAbove: Math.min(a.freshAbove, b.freshAbove),
    droppable: a.droppable || b.droppable,
    wp: a.wp && b.wp,
    guard: a.guard,
    hole: a.hole && b.hole,
  };
}

/** The facts after a look at the page, or in words what is wrong with it. */
export function observe(facts: PageFacts, seen: SeenPage | undefined): PageFacts | string {
  const content = seen?.content ?? 0;
  const dropped = facts.droppable && content === 0;
  if (!facts.values.includes(content) && content <= facts.freshAbove && !dropped) {
    return `content ${content} instead of ${facts.values.join(' or ')}${facts.droppable ? ' or 0' : ''}`;
  }
  const lost = facts.droppable && seen === undefined;
  if (facts.wp && seen?.wp !== true && !lost) return 'lost its write protection';
  if ((seen?.wp ?? false) && (facts.flags & VM.UFFD_WP) === 0)
    return 'is write-protected, but its VMA is not registered';
  const guard = seen?.kind === 'guard';
  if (facts.guard !== 'unknown' && facts.guard !== guard) {
    return guard ? 'has become a guard' : 'is no guard any more';
  }
  const empty = seen === undefined || seen.kind === 'guard' || seen.kind === 'marker';
  const missing = (facts.flags & VM.UFFD_MISSING) !== 0;
  if (facts.hole && missing && !empty) return 'was a hole of a userfaultfd VMA, and has been filled';
  const wp = facts.wp && seen?.wp === true;
  const hole = missing && empty;
  const droppable = facts.droppable && !(dropped && empty);
  const settled = facts.values.length === 1 && facts.values[0] === content && facts.freshAbove === NEVER;
  if (settled && wp === facts.wp && hole === facts.hole && droppable === facts.droppable && guard === facts.guard)
    return facts;
  return { ...facts, values: [content], freshAbove: NEVER, droppable, wp, guard, hole };
}

/** Flags that a copy of the VMA for a child or for another place does not take along. */
export const NOT_MOVED: number = VM_UFFD;
