/**
 * What processes must see: for each page its access rights and its content, kept in plain maps and changed only by what
 * the system calls promise. Where two things happen at once and either may come first, a page may have several contents.
 */
import { type MmId, VM, VM_UFFD } from '@thplab/mm-model';
import type { SeenPage } from './page-reader.js';

/** A page of an object that processes share. */
export interface SharedPage {
  readonly object: number;
  /** Row of the object in the machine, which another one may have later. */
  readonly row: number;
  readonly index: number;
}

/** What is known of one mapped page. */
export interface PageFacts {
  /** Shared memory: the content is the object's, and `values` are not used. */
  readonly shared: SharedPage | undefined;
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
  readonly shared: SharedPage | undefined;
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
export function untouched(flags: number, shared?: SharedPage): PageFacts {
  const content = { values: [0], freshAbove: NEVER, droppable: false };
  return { flags: flags & SHOWN_FLAGS, shared, ...content, wp: false, guard: false, hole: false };
}

/** See the head of the file. */
export class Expectation {
  processes: ProcessFacts[] = [];
  pins: PinFacts[] = [];
  /** Contents of shared objects, by page; what is not listed is zero. */
  objects: Map<number, Map<number, readonly number[]>> = new Map();
  private nextId = 1;
  private nextObject = 1;

  /** A copy that can be changed on its own. */
  clone(): Expectation {
    const copy = new Expectation();
    copy.processes = this.processes.map((process) => ({ ...process, pages: new Map(process.pages) }));
    copy.pins = [...this.pins];
    copy.objects = new Map([...this.objects].map(([object, pages]) => [object, new Map(pages)]));
    copy.nextId = this.nextId;
    copy.nextObject = this.nextObject;
    return copy;
  }

  /** Takes over the state of another. */
  become(other: Expectation): void {
    this.processes = other.processes;
    this.pins = other.pins;
    this.objects = other.objects;
    this.nextId = other.nextId;
    this.nextObject = other.nextObject;
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

  /** Maps a range anew; `row`: of a new shared object. */
  map(id: number, start: number, end: number, flags: number, row = 0): void {
    this.detachPins(id, (page) => start <= page && page < end);
    const object = row === 0 ? 0 : this.nextObject++;
    if (object !== 0) this.objects.set(object, new Map());
    const { pages } = this.process(id);
    for (let page = start; page < end; page++) {
      pages.set(page, untouched(flags, object === 0 ? undefined : { object, row, index: page - start }));
    }
  }

  unmap(id: number, start: number, end: number): void {
    this.detachPins(id, (page) => start <= page && page < end);
    this.change(id, start, end, () => undefined);
  }

  /** The contents of the range are gone; what is mapped stays. */
  discard(id: number, start: number, end: number): void {
    this.detachPins(id, (page) => start <= page && page < end);
    this.change(id, start, end, (facts) => ({
      ...untouched(facts.flags, facts.shared),
      guard: facts.guard,
      hole: facts.hole,
    }));
  }

  /** The content of a page, or of the object's page behind it, is known. */
  setContent(facts: PageFacts, stamp: number): PageFacts {
    if (facts.shared !== undefined) this.objects.get(facts.shared.object)?.set(facts.shared.index, [stamp]);
    return { ...facts, values: [stamp], freshAbove: NEVER };
  }

  /** The process wrote to a page. */
  write(id: number, page: number, stamp: number): void {
    this.change(id, page, page + 1, (facts) => ({ ...this.setContent(facts, stamp), droppable: false }));
  }

  /** Pages may have been faulted in for writing, in writes with stamps above `mark`. */
  prefault(id: number, start: number, end: number, mark: number): void {
    this.change(id, start, end, (facts) => {
      if ((facts.flags & VM.WRITE) === 0) return facts;
      if (facts.shared !== undefined) this.freshForAll(facts.shared, mark);
      return { ...facts, freshAbove: mark };
    });
  }

  private freshForAll({ object, index }: SharedPage, mark: number): void {
    for (const { pages } of this.processes) {
      for (const [page, facts] of pages) {
        const same = facts.shared?.object === object && facts.shared.index === index;
        if (same) pages.set(page, { ...facts, freshAbove: mark });
      }
    }
  }

  /** Pins of pages that are no longer where they were keep their frames, but nothing has to map them. */
  detachPins(id: number, gone: (page: number) => boolean): void {
    this.pins = this.pins.map((pin) => (pin.process === id && gone(pin.page) ? { ...pin, process: 0 } : pin));
  }
}

/** Contents that a read may give. */
export function contentsOf(expected: Expectation, facts: PageFacts): readonly number[] {
  if (facts.shared === undefined) return facts.values;
  return expected.objects.get(facts.shared.object)?.get(facts.shared.index) ?? [0];
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
  for (const [object, pages] of b.objects) {
    const mine = both.objects.get(object) ?? new Map<number, readonly number[]>();
    for (const index of new Set([...mine.keys(), ...pages.keys()])) {
      mine.set(index, [...new Set([...(mine.get(index) ?? [0]), ...(pages.get(index) ?? [0])])]);
    }
    both.objects.set(object, mine);
  }
  return both;
}

function eitherPage(a: PageFacts, b: PageFacts): PageFacts {
  return {
    flags: a.flags,
    shared: a.shared,
    values: [...new Set([...a.values, ...b.values])],
    freshAbove: Math.min(a.freshAbove, b.freshAbove),
    droppable: a.droppable || b.droppable,
    wp: a.wp && b.wp,
    guard: a.guard,
    hole: a.hole && b.hole,
  };
}

/** A page of a shared object in memory. */
export interface CachedPage {
  readonly frame: number;
  readonly content: number;
}

/**
 * The facts after a look at the page, or in words what is wrong with it. `values`: the contents that are right. `cached`:
 * what the page cache has of a shared page.
 */
export function observe(
  facts: PageFacts,
  values: readonly number[],
  seen: SeenPage | undefined,
  cached: CachedPage | undefined,
): PageFacts | string {
  const shared = facts.shared !== undefined;
  const content = (shared ? cached?.content : seen?.content) ?? 0;
  if (shared && seen?.kind === 'page' && seen.where !== cached?.frame) return 'is not the page that the object has';
  const dropped = facts.droppable && content === 0;
  if (!values.includes(content) && content <= facts.freshAbove && !dropped) {
    return `content ${content} instead of ${values.join(' or ')}${facts.droppable ? ' or 0' : ''}`;
  }
  // A dropped page that was touched again is a new one.
  const lost = dropped || (facts.droppable && content > facts.freshAbove);
  if (facts.wp && seen?.wp !== true && !lost) return 'lost its write protection';
  if ((seen?.wp ?? false) && (facts.flags & VM.UFFD_WP) === 0)
    return 'is write-protected, but its VMA is not registered';
  const guard = seen?.kind === 'guard';
  if (facts.guard !== 'unknown' && facts.guard !== guard) {
    return guard ? 'has become a guard' : 'is no guard any more';
  }
  const empty = seen === undefined || seen.kind === 'guard' || seen.kind === 'marker';
  const missing = (facts.flags & VM.UFFD_MISSING) !== 0;
  // Others may fill a shared page.
  if (facts.hole && missing && !empty && !shared) return 'was a hole of a userfaultfd VMA, and has been filled';
  const wp = facts.wp && seen?.wp === true;
  const hole = missing && empty && cached === undefined;
  const droppable = facts.droppable && !(dropped && empty);
  const same = wp === facts.wp && hole === facts.hole && droppable === facts.droppable && guard === facts.guard;
  const settled = values.length === 1 && values[0] === content && facts.freshAbove === NEVER;
  return settled && same ? facts : { ...facts, values: [content], freshAbove: NEVER, droppable, wp, guard, hole };
}

/** Flags that a copy of the VMA for a child or for another place does not take along. */
export const NOT_MOVED: number = VM_UFFD;
