/** Mapping, unmapping and moving memory; new processes and their end. */
import { dupMm, ERRNO, type MmId, mmAlloc, mmap, mmput, mremap, munmap, VM, type Vpn } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import fc from 'fast-check';
import { type Expectation, must, NOT_MOVED, type PageFacts, untouched } from '../expectation.js';
import type { Action } from '../step.js';
import type { Job, World } from '../world.js';
import {
  anyProcess,
  anyRange,
  areaBlocks,
  areaStart,
  chooseProcess,
  chooseRange,
  firstHole,
  type ProcessChoice,
  pageLimit,
  type RangeChoice,
  rangeText,
} from './target.js';

const MAX_PROCESSES = 4;

interface MapChoice extends ProcessChoice {
  readonly eighths: number;
  /** Place in the area, in eighths of a PMD range; none: the kernel chooses. */
  readonly at: number | null;
  readonly flags: number;
}

class Map_ implements Action {
  private readonly choice: MapChoice;

  constructor(choice: MapChoice) {
    this.choice = choice;
  }

  prepare(w: World): Job<number> | undefined {
    const { m } = w.rig;
    const { eighths, at, flags } = this.choice;
    const { id, mm, pages: mapped } = chooseProcess(w, this.choice);
    const pages = Math.max(1, (eighths * m.ptes) >> 3);
    if (mapped.size + pages > pageLimit(w)) return undefined;
    const place = at === null ? {} : placeAt(w, at, pages);
    return {
      name: 'mmap',
      process: id,
      kind: 'structural',
      run: () => mmap(m, mm, { pages, flags, ...place }),
      settle: (expected, start) => {
        must(start > 0, () => `mmap gave ${start}`);
        expected.map(id, start, start + pages, flags);
      },
    };
  }

  toString(): string {
    const { process, eighths, at, flags } = this.choice;
    return `Map(process ${process}, ${eighths}/8, at ${at}, flags ${flags.toString(16)})`;
  }
}

function placeAt(w: World, at: number, pages: number): { at: Vpn; fixed: 'replace' } {
  const { ptes } = w.rig.m;
  const last = areaStart(w) + areaBlocks(w) * ptes - pages;
  return { at: Math.min(last, areaStart(w) + ((at * ptes) >> 3)) as Vpn, fixed: 'replace' };
}

class Unmap implements Action {
  private readonly choice: RangeChoice;

  constructor(choice: RangeChoice) {
    this.choice = choice;
  }

  prepare(w: World): Job<number> {
    const { id, mm, start, end } = chooseRange(w, this.choice);
    return {
      name: 'munmap',
      process: id,
      kind: 'structural',
      run: () => munmap(w.rig.m, mm, start, end - start),
      settle: (expected, result) => {
        must(result === 0, () => `munmap gave ${result}`);
        expected.unmap(id, start, end);
      },
    };
  }

  toString(): string {
    return `Unmap(${rangeText(this.choice)})`;
  }
}

interface MoveChoice extends RangeChoice {
  /** Eighths of a PMD range of the new length; none: the old length. */
  readonly newEighths: number | null;
  /** Place as for mmap; none: MREMAP_MAYMOVE only. */
  readonly to: number | null;
  readonly dontUnmap: boolean;
}

class Move implements Action {
  private readonly choice: MoveChoice;

  constructor(choice: MoveChoice) {
    this.choice = choice;
  }

  prepare(w: World): Job<number> | undefined {
    const { m } = w.rig;
    const { newEighths, to, dontUnmap } = this.choice;
    const target = chooseRange(w, this.choice);
    const { id, mm, start, pages } = target;
    const oldPages = Math.max(1, oneVma(target) - start);
    const newPages = newEighths === null || dontUnmap ? oldPages : Math.max(1, (newEighths * m.ptes) >> 3);
    if (pages.size + newPages > pageLimit(w)) return undefined;
    const place = to === null ? {} : { to: placeAt(w, to, newPages).at };
    return {
      name: 'mremap',
      process: id,
      kind: 'structural',
      run: () => mremap(m, mm, start, oldPages, newPages, { mayMove: true, dontUnmap, ...place }),
      settle: (expected, result) => {
        if (result < 0) settleRefusal(expected, id, start, oldPages, result, place.to, newPages);
        else moveFacts(expected, id, { start, oldPages, newPages, to: result, dontUnmap });
      },
    };
  }

  toString(): string {
    const { newEighths, to, dontUnmap } = this.choice;
    return `Move(${rangeText(this.choice)}, to ${to}, ${newEighths}/8${dontUnmap ? ', dontUnmap' : ''})`;
  }
}

/** End of the part of the range that has one sort of memory, and so surely lies in one VMA if it was mapped as one. */
function oneVma({ pages, start, end }: { pages: ReadonlyMap<number, PageFacts>; start: number; end: number }): number {
  const flags = pages.get(start)?.flags;
  let at = start;
  while (at < end && pages.get(at)?.flags === flags) at++;
  return at;
}

/** Only what cannot be done is refused: overlapping places, and ranges of several VMAs. */
function settleRefusal(
  expected: Expectation,
  id: number,
  start: number,
  oldPages: number,
  result: number,
  to: number | undefined,
  newPages: number,
): void {
  if (result === -ERRNO.EINVAL) {
    const overlaps = to !== undefined && to < start + oldPages && start < to + newPages;
    must(overlaps, () => `mremap of ${oldPages} pages at ${start} to ${to} gave EINVAL`);
    return;
  }
  // Memory that was mapped in several calls may look alike and still be several VMAs.
  must(result === -ERRNO.EFAULT, () => `mremap of ${oldPages} pages at ${start} gave ${result}`);
  must(expected.process(id) !== undefined, () => 'no process');
}

interface Moved {
  readonly start: number;
  readonly oldPages: number;
  readonly newPages: number;
  readonly to: number;
  readonly dontUnmap: boolean;
}

function moveFacts(expected: Expectation, id: number, move: Moved): void {
  const { start, oldPages, newPages, to, dontUnmap } = move;
  const kept = Math.min(oldPages, newPages);
  const facts: PageFacts[] = [];
  for (let i = 0; i < kept; i++) facts.push(mustBe(expected.page(id, start + i), start + i));
  const flags = (facts[0] as PageFacts).flags;
  if (to === start) {
    if (newPages < oldPages) expected.unmap(id, start + newPages, start + oldPages);
    else if (newPages > oldPages) expected.map(id, start + oldPages, start + newPages, flags);
    return;
  }
  const pins = expected.pins.filter((pin) => pin.process === id && start <= pin.page && pin.page < start + kept);
  expected.map(id, to, to + newPages, flags & ~NOT_MOVED);
  expected.unmap(id, start, start + oldPages);
  expected.edit(id, (pages) => {
    facts.forEach((page, i) => {
      pages.set(to + i, { ...page, flags: page.flags & ~NOT_MOVED, wp: false, hole: false });
    });
  });
  expected.pins = expected.pins.map((pin, i) => (pins.includes(pin) ? pin : pin));
  expected.movePins(pins, id, to - start);
  if (dontUnmap) expected.edit(id, (pages) => restore(pages, start, facts));
}

/** MREMAP_DONTUNMAP leaves the old place mapped, empty and not locked. */
function restore(pages: Map<number, PageFacts>, start: number, facts: readonly PageFacts[]): void {
  facts.forEach((page, i) => {
    pages.set(start + i, untouched(page.flags & ~VM.LOCKED));
  });
}

function mustBe(facts: PageFacts | undefined, page: number): PageFacts {
  must(facts !== undefined, () => `page ${page} was moved, but is not mapped`);
  return facts as PageFacts;
}

class Fork implements Action {
  private readonly choice: ProcessChoice;

  constructor(choice: ProcessChoice) {
    this.choice = choice;
  }

  prepare(w: World): Job<MmId> | undefined {
    if (w.expected.processes.length >= MAX_PROCESSES) return undefined;
    const { id, mm } = chooseProcess(w, this.choice);
    return {
      name: 'fork',
      process: id,
      kind: 'structural',
      run: () => dupMm(w.rig.m, mm),
      settle: (expected, child) => {
        const pages = new Map<number, PageFacts>();
        for (const [page, facts] of expected.process(id).pages) {
          if ((facts.flags & VM.DONTCOPY) !== 0) continue;
          const flags = facts.flags & ~(NOT_MOVED | VM.LOCKED);
          const wiped = (facts.flags & VM.WIPEONFORK) !== 0;
          pages.set(page, wiped ? untouched(flags) : { ...facts, flags, wp: false, hole: false });
        }
        expected.addProcess(child, pages);
      },
    };
  }

  toString(): string {
    return `Fork(process ${this.choice.process})`;
  }
}

class Exit implements Action {
  private readonly choice: ProcessChoice;

  constructor(choice: ProcessChoice) {
    this.choice = choice;
  }

  prepare(w: World): Job<MmId> {
    const { m } = w.rig;
    const { id, mm } = chooseProcess(w, this.choice);
    const last = w.expected.processes.length === 1;
    return {
      name: 'exit',
      process: id,
      kind: 'structural',
      run: () => exit(w, mm, last),
      settle: (expected, next) => {
        must(m.mm.users[mm] === 0 || !m.mm.pool.isLive(mm) || next === mm, () => `mm ${mm} still has users`);
        expected.removeProcess(id);
        if (last) expected.addProcess(next);
      },
    };
  }

  toString(): string {
    return `Exit(process ${this.choice.process})`;
  }
}

/** The last process leaves a new one behind, so that steps always find one. */
function* exit(w: World, mm: MmId, last: boolean): Procedure<MmId> {
  yield* mmput(w.rig.m, mm);
  return last ? mmAlloc(w.rig.m) : mm;
}

const eighths = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(8, 16, 24, 32, 40));
const at = fc.option(fc.nat(127), { freq: 3 });
const rw = VM.READ | VM.WRITE;

const maps: fc.Arbitrary<Action> = fc
  .tuple(anyProcess, eighths, at, fc.constantFrom(rw, rw, rw, rw | VM.HUGEPAGE, VM.READ, 0))
  .map(([choice, length, place, flags]) => new Map_({ ...choice, eighths: length, at: place, flags }));
const moves: fc.Arbitrary<Action> = fc
  .tuple(anyRange, fc.option(eighths), at, fc.boolean())
  .map(([range, newEighths, to, dontUnmap]) => new Move({ ...range, newEighths, to, dontUnmap }));

/** Everything that changes which pages a process has. */
export const mappings: { readonly map: fc.Arbitrary<Action>; readonly change: fc.Arbitrary<Action> } = {
  map: maps,
  change: fc.oneof(
    { weight: 3, arbitrary: anyRange.map((range) => new Unmap(range)) },
    { weight: 3, arbitrary: moves },
    { weight: 3, arbitrary: anyProcess.map((choice) => new Fork(choice)) },
    { weight: 1, arbitrary: anyProcess.map((choice) => new Exit(choice)) },
  ),
};
