/** Mapping, unmapping and moving memory; new processes and their end. */
import {
  dupMm,
  ERRNO,
  type Machine,
  type MmId,
  mmAlloc,
  mmap,
  mmput,
  mremap,
  munmap,
  VM,
  VMA_KIND,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import fc from 'fast-check';
import { type Expectation, must, NOT_MOVED, type PageFacts, untouched } from '../expectation.js';
import type { Action } from '../step.js';
import { deed, type Job, type World } from '../world.js';
import {
  anyProcess,
  anyRange,
  areaBlocks,
  areaStart,
  chooseProcess,
  chooseRange,
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
  /** Shared anonymous memory. */
  readonly shared: boolean;
}

class Map_ implements Action {
  private readonly choice: MapChoice;

  constructor(choice: MapChoice) {
    this.choice = choice;
  }

  prepare(w: World): Job<{ start: number; row: number }> | undefined {
    const { m } = w.rig;
    const { eighths, at, flags, shared } = this.choice;
    const { id, mm, pages: mapped } = chooseProcess(w, this.choice);
    const pages = Math.max(1, (eighths * m.ptes) >> 3);
    if (mapped.size + pages > pageLimit(w)) return undefined;
    const place = at === null ? {} : placeAt(w, at, pages);
    const sort = shared ? { kind: VMA_KIND.shmem, flags: flags | VM.SHARED } : { flags };
    return {
      name: 'mmap',
      process: id,
      structural: true,
      *run() {
        const start = yield* mmap(m, mm, { pages, ...sort, ...place });
        return { start, row: shared && start > 0 ? m.vma.file[vmaAt(m, mm, start)] : 0 };
      },
      deeds: ({ start, row }) =>
        deed((expected) => {
          must(start > 0, () => `mmap gave ${start}`);
          expected.map(id, start, start + pages, flags, row);
        }),
    };
  }

  toString(): string {
    const { process, eighths, at, flags, shared } = this.choice;
    return `Map(process ${process}, ${eighths}/8, at ${at}, flags ${flags.toString(16)}${shared ? ', shared' : ''})`;
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
      structural: true,
      run: () => munmap(w.rig.m, mm, start, end - start),
      deeds: (result) =>
        deed((expected) => {
          must(result === 0, () => `munmap gave ${result}`);
          expected.unmap(id, start, end);
        }),
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
    const { newEighths, to } = this.choice;
    const target = chooseRange(w, this.choice);
    const { id, mm, start, pages } = target;
    // The kernel takes VM_LOCKED from all of the VMA then, whatever part of it moves.
    const dontUnmap = this.choice.dontUnmap && ((pages.get(start)?.flags ?? 0) & VM.LOCKED) === 0;
    const oldPages = Math.max(1, oneVma(m, target) - start);
    // A shared object does not grow with its mapping.
    const fixed = newEighths === null || dontUnmap || pages.get(start)?.shared !== undefined;
    const newPages = fixed ? oldPages : Math.max(1, (newEighths * m.ptes) >> 3);
    if (pages.size + newPages > pageLimit(w)) return undefined;
    const place = to === null ? {} : { to: placeAt(w, to, newPages).at };
    const mark = m.machine.nextStamp[0];
    return {
      name: 'mremap',
      process: id,
      structural: true,
      run: () => mremap(m, mm, start, oldPages, newPages, { mayMove: true, dontUnmap, ...place }),
      deeds: (result) =>
        deed((expected) => {
          if (result < 0) settleRefusal(expected, id, { start, oldPages, newPages, to: place.to ?? 0 }, result);
          else moveFacts(expected, id, { start, oldPages, newPages, to: result, dontUnmap }, mark);
        }),
    };
  }

  toString(): string {
    const { newEighths, to, dontUnmap } = this.choice;
    return `Move(${rangeText(this.choice)}, to ${to}, ${newEighths}/8${dontUnmap ? ', dontUnmap' : ''})`;
  }
}

/** End of the part of the range that lies in one VMA. */
function oneVma(m: Machine, { mm, start, end }: { mm: MmId; start: number; end: number }): number {
  for (let vma = m.mm.vmaFirst[mm]; vma !== 0; vma = m.vma.next[vma]) {
    if (m.vma.start[vma] <= start && start < m.vma.end[vma]) return Math.min(end, m.vma.end[vma]);
  }
  return end;
}

/** Only what cannot be done is refused: overlapping places, and memory that is not mapped. */
function settleRefusal(expected: Expectation, id: number, move: Omit<Moved, 'dontUnmap'>, result: number): void {
  const { start, oldPages, newPages, to } = move;
  const overlaps = to > 0 && to < start + oldPages && start < to + newPages;
  const unmapped = expected.page(id, start) === undefined;
  must(result === (overlaps ? -ERRNO.EINVAL : -ERRNO.EFAULT) && (overlaps || unmapped), () => {
    return `mremap of ${oldPages} pages at ${start} to ${newPages} at ${to} gave ${result}`;
  });
}

interface Moved {
  readonly start: number;
  readonly oldPages: number;
  readonly newPages: number;
  readonly to: number;
  readonly dontUnmap: boolean;
}

/** `mark`: stamp of the last write before. What a locked mapping grows by is faulted in for writing. */
function moveFacts(expected: Expectation, id: number, move: Moved, mark: number): void {
  const { start, oldPages, newPages, to, dontUnmap } = move;
  const kept = Math.min(oldPages, newPages);
  const facts: PageFacts[] = [];
  for (let i = 0; i < kept; i++) facts.push(mustBe(expected.page(id, start + i), start + i));
  const flags = (facts[0] as PageFacts).flags;
  if (to === start) {
    if (newPages < oldPages) expected.unmap(id, start + newPages, start + oldPages);
    else if (newPages > oldPages) expected.map(id, start + oldPages, start + newPages, flags);
    if ((flags & VM.LOCKED) !== 0) expected.prefault(id, start + oldPages, start + newPages, mark);
    return;
  }
  expected.unmap(id, start + kept, start + oldPages);
  expected.map(id, to, to + newPages, flags & ~NOT_MOVED);
  const moves = (page: number): boolean => start <= page && page < start + kept;
  expected.pins = expected.pins.map((pin) =>
    pin.process === id && moves(pin.page) ? { ...pin, page: pin.page + to - start } : pin,
  );
  const { pages } = expected.process(id);
  facts.forEach((page, i) => {
    pages.delete(start + i);
    pages.set(to + i, { ...page, flags: page.flags & ~NOT_MOVED, wp: false, hole: false });
  });
  if ((flags & VM.LOCKED) !== 0) expected.prefault(id, to + kept, to + newPages, mark);
  if (dontUnmap) restore(pages, start, facts);
}

/** MREMAP_DONTUNMAP leaves the old place mapped, empty and not locked. */
function restore(pages: Map<number, PageFacts>, start: number, facts: readonly PageFacts[]): void {
  facts.forEach((page, i) => {
    pages.set(start + i, untouched(page.flags & ~VM.LOCKED, page.shared));
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
      structural: true,
      run: () => dupMm(w.rig.m, mm),
      deeds: (child) =>
        deed((expected) => {
          // Only the copy of a pinned page needs memory that may not be there.
          must(child !== 0 || (expected.pins.length > 0 && w.memoryMayBeShort()), () => 'fork found no memory');
          if (child === 0) return;
          const pages = new Map<number, PageFacts>();
          for (const [page, facts] of expected.process(id).pages) {
            if ((facts.flags & VM.DONTCOPY) !== 0) continue;
            const flags = facts.flags & ~(NOT_MOVED | VM.LOCKED);
            const wiped = (facts.flags & VM.WIPEONFORK) !== 0;
            pages.set(page, wiped ? untouched(flags) : { ...facts, flags, wp: false, hole: false });
          }
          expected.addProcess(child, pages);
        }),
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
      exits: true,
      lane: 'exit',
      structural: true,
      run: () => exit(w, mm, last),
      deeds: (next) =>
        deed((expected) => {
          must(m.mm.users[mm] === 0 || !m.mm.pool.isLive(mm) || next === mm, () => `mm ${mm} still has users`);
          expected.removeProcess(id);
          if (last) expected.addProcess(next);
        }),
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

const eighths = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.constantFrom(8, 16, 24, 32, 40), fc.constantFrom(16, 24));
const at = fc.option(
  fc.oneof(
    fc.nat(127),
    fc.nat(15).map((block) => block * 8),
  ),
  { freq: 3 },
);
const rw = VM.READ | VM.WRITE;

const maps: fc.Arbitrary<Action> = fc
  .tuple(anyProcess, eighths, at, fc.constantFrom(rw, rw, rw, rw | VM.HUGEPAGE, VM.READ, 0), fc.nat(9))
  .map(([choice, length, place, flags, dice]) => {
    return new Map_({ ...choice, eighths: length, at: place, flags, shared: dice === 9 });
  });
const moves: fc.Arbitrary<Action> = fc
  .tuple(anyRange, fc.option(eighths), at, fc.boolean())
  .map(([range, newEighths, to, dontUnmap]) => new Move({ ...range, newEighths, to, dontUnmap }));

/** Everything that changes which pages a process has. */
export const mappings: { readonly map: fc.Arbitrary<Action>; readonly change: fc.Arbitrary<Action> } = {
  map: maps,
  change: fc.oneof(
    { weight: 3, arbitrary: anyRange.map((range) => new Unmap(range)) },
    { weight: 3, arbitrary: moves },
    { weight: 2, arbitrary: anyProcess.map((choice) => new Fork(choice)) },
    { weight: 1, arbitrary: anyProcess.map((choice) => new Exit(choice)) },
  ),
};
