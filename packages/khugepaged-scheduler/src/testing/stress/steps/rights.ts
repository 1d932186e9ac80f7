/** Access rights, locked memory and userfaultfd. */
import {
  ERRNO,
  mlock,
  mprotect,
  munlock,
  userfaultfdRegister,
  userfaultfdUnregister,
  userfaultfdWriteProtect,
  VM,
  VM_UFFD,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import fc from 'fast-check';
import { type Expectation, must } from '../expectation.js';
import { readPage } from '../page-reader.js';
import type { Action } from '../step.js';
import { deed, type Job, type World } from '../world.js';
import { anyRange, chooseRange, firstHole, type RangeChoice, rangeText, type Target } from './target.js';

const RIGHTS = VM.READ | VM.WRITE;

class Protect implements Action {
  private readonly choice: RangeChoice & { readonly access: number };

  constructor(choice: RangeChoice & { readonly access: number }) {
    this.choice = choice;
  }

  prepare(w: World): Job<number> {
    const { access } = this.choice;
    const target = chooseRange(w, this.choice);
    const { id, mm, start, end } = target;
    return {
      name: 'mprotect',
      process: id,
      structural: true,
      run: () => mprotect(w.rig.m, mm, start, end - start, access),
      deeds: (result) =>
        deed((expected) => {
          const hole = expectHole(expected, target, result, 'mprotect');
          expected.change(id, start, hole, (facts) => ({ ...facts, flags: (facts.flags & ~RIGHTS) | access }));
        }),
    };
  }

  toString(): string {
    return `Protect(${rangeText(this.choice)}, access ${this.choice.access})`;
  }
}

/** Calls that change all up to the first hole, and then give ENOMEM. Gives the hole, or the end of the range. */
function expectHole(expected: Expectation, target: Target, result: number, name: string): number {
  const hole = firstHole(expected, target);
  const wanted = hole === target.end ? 0 : -ERRNO.ENOMEM;
  must(result === wanted, () => `${name} of [${target.start}, ${target.end}) gave ${result} instead of ${wanted}`);
  return hole;
}

class Lock implements Action {
  private readonly choice: RangeChoice & { readonly lock: boolean };

  constructor(choice: RangeChoice & { readonly lock: boolean }) {
    this.choice = choice;
  }

  prepare(w: World): Job<number> {
    const { m } = w.rig;
    const { lock } = this.choice;
    const target = chooseRange(w, this.choice);
    const { id, mm, start, end } = target;
    const mark = m.machine.nextStamp[0];
    const hole = firstHole(w.expected, target);
    return {
      name: lock ? 'mlock' : 'munlock',
      process: id,
      structural: true,
      run: () => (lock ? mlock(m, mm, start, end - start) : munlock(m, mm, start, end - start)),
      deeds: (result) =>
        deed((expected) => {
          // Locking brings pages in, which may fail for want of memory or of a userfaultfd handler.
          const mayFail = lock && hole === end;
          must(
            mayFail || result === (hole === end ? 0 : -ERRNO.ENOMEM),
            () => `${lock ? 'mlock' : 'munlock'} gave ${result}`,
          );
          const flag = lock ? VM.LOCKED : 0;
          expected.change(id, start, hole, (facts) => ({ ...facts, flags: (facts.flags & ~VM.LOCKED) | flag }));
          if (mayFail) expected.prefault(id, start, end, mark);
        }),
    };
  }

  toString(): string {
    return `${this.choice.lock ? 'Lock' : 'Unlock'}(${rangeText(this.choice)})`;
  }
}

class Register implements Action {
  private readonly choice: RangeChoice & { readonly mode: number };

  constructor(choice: RangeChoice & { readonly mode: number }) {
    this.choice = choice;
  }

  prepare(w: World): Job<number> {
    const { m } = w.rig;
    const { id, mm, start, end } = chooseRange(w, this.choice);
    const pages = end - start;
    const mode = withoutLeftovers(w.expected, id, start, end, this.choice.mode);
    return {
      name: 'userfaultfd',
      process: id,
      structural: true,
      run: () =>
        mode === 0 ? userfaultfdUnregister(m, mm, start, pages) : userfaultfdRegister(m, mm, start, pages, mode),
      deeds: (result) =>
        deed((expected) => {
          const empty = mappedPages(expected, id, start, end) === 0;
          must(
            result === (empty ? -ERRNO.EINVAL : 0),
            () => `registering [${start}, ${end}) with userfaultfd gave ${result}`,
          );
          expected.change(id, start, end, (facts) => {
            // Registered for that and more already: it stays as it is.
            if (mode !== 0 && (facts.flags & mode) === mode) return facts;
            const wp = facts.wp && (mode & VM.UFFD_WP) !== 0;
            return { ...facts, flags: (facts.flags & ~VM_UFFD) | mode, wp, hole: false };
          });
        }),
    };
  }

  toString(): string {
    return `Userfaultfd(${rangeText(this.choice)}, mode ${this.choice.mode.toString(16)})`;
  }
}

/**
 * The mode, with write protection where a VMA of the range is registered for that alone: registering it for missing pages instead
 * would leave entries protected that nobody is registered for.
 */
function withoutLeftovers(expected: Expectation, id: number, start: number, end: number, mode: number): number {
  if (mode !== VM.UFFD_MISSING) return mode;
  for (let page = start; page < end; page++) {
    if (((expected.page(id, page)?.flags ?? 0) & VM_UFFD) === VM.UFFD_WP) return mode | VM.UFFD_WP;
  }
  return mode;
}

function mappedPages(expected: Expectation, id: number, start: number, end: number): number {
  let count = 0;
  for (let page = start; page < end; page++) if (expected.page(id, page) !== undefined) count++;
  return count;
}

interface WpChoice extends RangeChoice {
  readonly protect: boolean;
  readonly unpopulated: boolean;
}

/** What a call to write-protect left behind. */
interface WpResult {
  readonly result: number;
  /** Pages of the range that are protected now. */
  readonly wp: ReadonlySet<number>;
  /** Pages of the range that are not, though something was mapped there all the time: faults may fill holes meanwhile. */
  readonly open: ReadonlySet<number>;
}

class WriteProtect implements Action {
  private readonly choice: WpChoice;

  constructor(choice: WpChoice) {
    this.choice = choice;
  }

  prepare(w: World): Job<WpResult> {
    const { protect } = this.choice;
    const target = chooseRange(w, this.choice);
    const { id, start, end } = target;
    return {
      name: 'userfaultfd wp',
      process: id,
      structural: true,
      run: () => this.call(w, target),
      deeds: ({ result, wp, open }) =>
        deed((expected) => {
          let registered = start as number;
          while (registered < end && ((expected.page(id, registered)?.flags ?? 0) & VM.UFFD_WP) !== 0) registered++;
          // Holes between VMAs are passed over, so only what lies below the first page that is not registered is certain.
          if (result !== 0) must(registered < end, () => `write-protecting [${start}, ${end}) gave ${result}`);
          if (result === 0 && protect) must(open.size === 0, () => `pages ${[...open]} were not write-protected`);
          if (result === 0 && !protect) must(wp.size === 0, () => `pages ${[...wp]} are still write-protected`);
          expected.change(id, start, end, (facts, page) => ({ ...facts, wp: wp.has(page) }));
        }),
    };
  }

  *call(w: World, target: Target): Procedure<WpResult> {
    const { m } = w.rig;
    const { protect, unpopulated } = this.choice;
    const { mm, start, end } = target;
    const filled = new Set<number>();
    for (let page = start as number; page < end; page++) if (readPage(m, mm, page) !== undefined) filled.add(page);
    const result = yield* userfaultfdWriteProtect(m, mm, start, end - start, protect, { unpopulated });
    const wp = new Set<number>();
    const open = new Set<number>();
    for (let page = start as number; page < end; page++) {
      const seen = readPage(m, mm, page);
      if (seen?.wp === true) wp.add(page);
      else if (seen !== undefined && seen.kind !== 'guard' && filled.has(page)) open.add(page);
    }
    return { result, wp, open };
  }

  toString(): string {
    const { protect, unpopulated } = this.choice;
    return `WriteProtect(${rangeText(this.choice)}, ${protect}${unpopulated ? ', unpopulated' : ''})`;
  }
}

const modes = [VM.UFFD_MISSING, VM.UFFD_WP, VM.UFFD_MISSING | VM.UFFD_WP, 0, 0];
const registering: fc.Arbitrary<Action> = fc
  .tuple(anyRange, fc.constantFrom(...modes))
  .map(([range, mode]) => new Register({ ...range, mode }));
const writeProtecting: fc.Arbitrary<Action> = fc
  .tuple(anyRange, fc.boolean(), fc.boolean())
  .map(([range, protect, unpopulated]) => new WriteProtect({ ...range, protect, unpopulated }));

/** Changes of rights, locks, and userfaultfd. */
export const rights: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(anyRange, fc.constantFrom(RIGHTS, RIGHTS, VM.READ, 0))
      .map(([range, access]) => new Protect({ ...range, access })),
  },
  { weight: 2, arbitrary: fc.tuple(anyRange, fc.boolean()).map(([range, lock]) => new Lock({ ...range, lock })) },
  { weight: 2, arbitrary: registering },
  { weight: 2, arbitrary: writeProtecting },
);
