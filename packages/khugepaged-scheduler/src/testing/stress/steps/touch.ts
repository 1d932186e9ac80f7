/** Processes read and write their memory. */
import {
  FAULT,
  type FaultResult,
  faultName,
  handleMmFault,
  type MmId,
  nextStamp,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import fc from 'fast-check';
import { type Expectation, must } from '../expectation.js';
import { readPage } from '../page-reader.js';
import type { Action } from '../step.js';
import type { Deed, Job, World } from '../world.js';
import { anyRange, chooseRange, type RangeChoice, rangeText } from './target.js';

/** Every how many pages of the range are touched. */
interface TouchChoice extends RangeChoice {
  readonly write: boolean;
  readonly stride: number;
}

/** What became of the access to one page. */
interface Touched {
  readonly page: number;
  readonly result: FaultResult;
  /** Stamp that was written. */
  readonly stamp: number;
  /** A fault for writing has succeeded, whatever came after. */
  readonly faulted: boolean;
}

const TRIES = 200;
const MAX_PAGES = 96;

class Touch implements Action {
  private readonly choice: TouchChoice;

  constructor(choice: TouchChoice) {
    this.choice = choice;
  }

  prepare(w: World): Job<Touched[]> {
    const { write, stride } = this.choice;
    const { id, mm, start, end } = chooseRange(w, this.choice);
    const step = w.rig.m.pmdOrder > 5 ? stride * 8 - 7 : stride;
    const pages: number[] = [];
    for (let page = start as number; page < end && pages.length < MAX_PAGES; page += step) pages.push(page);
    const mark = w.rig.m.machine.nextStamp[0];
    return {
      name: write ? 'write' : 'read',
      process: id,
      structural: false,
      run: () => touchPages(w, mm, pages, write),
      deeds: (touched) => touched.flatMap((one) => deedsOf(w, id, one, write, mark)),
    };
  }

  toString(): string {
    const { write, stride } = this.choice;
    return `${write ? 'Write' : 'Read'}(${rangeText(this.choice)}, stride ${stride})`;
  }
}

function* touchPages(w: World, mm: MmId, pages: readonly number[], write: boolean): Procedure<Touched[]> {
  const touched: Touched[] = [];
  for (const page of pages) touched.push(yield* touchPage(w, mm, page, write));
  return touched;
}

/** The access: a fault if the entry does not allow it, then the load or store itself, in one step. */
function* touchPage(w: World, mm: MmId, page: number, write: boolean): Procedure<Touched> {
  const { m } = w.rig;
  for (let i = 0; i < TRIES; i++) {
    const result = yield* handleMmFault(m, mm, page as Vpn, { write });
    const faulted = write && (i > 0 || result === FAULT.ok);
    if (result !== FAULT.ok) return { page, result, stamp: 0, faulted };
    const entry = readPage(m, mm, page);
    if (entry?.kind !== 'page' && entry?.kind !== 'zero') continue;
    if (!write) return { page, result, stamp: 0, faulted };
    if (entry.kind !== 'page' || !entry.writable) continue;
    must(!entry.wp, () => `page ${page} can be written to in spite of its userfaultfd write protection`);
    const stamp = nextStamp(m);
    m.frame.stamp[entry.where] = stamp;
    return { page, result, stamp, faulted };
  }
  throw new Error(`page ${page} of mm ${mm} could not be ${write ? 'written' : 'read'} in ${TRIES} tries`);
}

/** `mark`: stamp of the last write before. A fault for writing writes too, so that there may be two contents in turn. */
function deedsOf(w: World, id: number, touched: Touched, write: boolean, mark: number): Deed[] {
  const { page, stamp } = touched;
  const settle = (expected: Expectation): void => settleTouch(w, expected, id, touched, write);
  const access: Deed = { stamp, page, settle };
  if (!touched.faulted) return [access];
  const fault = (expected: Expectation): void => {
    must(((expected.page(id, page)?.flags ?? 0) & VM.WRITE) !== 0, () => `a write to page ${page} was let through`);
    expected.prefault(id, page, page + 1, mark);
  };
  return [{ stamp: mark, page, preliminary: true, settle: fault }, access];
}

function settleTouch(w: World, expected: Expectation, id: number, touched: Touched, write: boolean): void {
  const { page, result, stamp } = touched;
  const facts = expected.page(id, page);
  const flags = facts?.flags ?? 0;
  const allowed = facts !== undefined && facts.guard !== true && (flags & (write ? VM.WRITE : VM.READ)) !== 0;
  const what = (): string =>
    `${write ? 'writing to' : 'reading'} page ${page} of process ${id} gave ${faultName(result)}`;
  switch (result) {
    case FAULT.ok:
      must(allowed, () => `${what()}, which its rights do not allow`);
      // A page after MADV_FREE may be dropped meanwhile, and its protection with it.
      must(!write || !facts?.wp || facts.droppable, () => `${what()}, though it is write-protected by userfaultfd`);
      must(!facts?.hole || facts.shared !== undefined, () => `${what()}, though it is a hole of a userfaultfd VMA`);
      if (write) {
        expected.change(id, page, page + 1, (before) => ({ ...before, wp: false }));
        expected.write(id, page, stamp);
      }
      break;
    case FAULT.sigsegv:
      must(!allowed || facts?.guard === 'unknown', what);
      break;
    case FAULT.userfault:
      must(allowed && (flags & (VM.UFFD_MISSING | (write ? VM.UFFD_WP : 0))) !== 0, what);
      break;
    case FAULT.oom:
      must(w.memoryMayBeShort(), what);
      break;
    default:
      must(false, what);
  }
}

/** Reads and writes. */
export const touches: fc.Arbitrary<Action> = fc
  .tuple(anyRange, fc.constantFrom(true, true, true, false), fc.constantFrom(1, 1, 1, 1, 1, 2, 3, 5))
  .map(([range, write, stride]) => new Touch({ ...range, write, stride }));
