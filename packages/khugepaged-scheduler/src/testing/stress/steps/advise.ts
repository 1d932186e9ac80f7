/** madvise. */
import { type Advice, ERRNO, MADV, madvise, VM } from '@thplab/mm-model';
import fc from 'fast-check';
import { type Expectation, must, type PageFacts } from '../expectation.js';
import type { Action } from '../step.js';
import { deed, type Job, type World } from '../world.js';
import { anyRange, chooseRange, firstHole, type RangeChoice, rangeText, type Target } from './target.js';

type AdviceName = keyof typeof MADV;

/** Advice that changes flags: those it sets, and those it clears. */
const FLAGS: Partial<Record<AdviceName, readonly [number, number]>> = {
  HUGEPAGE: [VM.HUGEPAGE, VM.NOHUGEPAGE],
  NOHUGEPAGE: [VM.NOHUGEPAGE, VM.HUGEPAGE],
  DONTFORK: [VM.DONTCOPY, 0],
  DOFORK: [0, VM.DONTCOPY],
  WIPEONFORK: [VM.WIPEONFORK, 0],
  KEEPONFORK: [0, VM.WIPEONFORK],
};
const TRANSPARENT: ReadonlySet<AdviceName> = new Set(['COLD', 'PAGEOUT', 'COLLAPSE']);

class Advise implements Action {
  private readonly choice: RangeChoice & { readonly advice: AdviceName };

  constructor(choice: RangeChoice & { readonly advice: AdviceName }) {
    this.choice = choice;
  }

  prepare(w: World): Job<number> {
    const { m } = w.rig;
    const { advice } = this.choice;
    const target = chooseRange(w, this.choice);
    const { id, mm, start, end } = target;
    const number: Advice = MADV[advice];
    const mark = m.machine.nextStamp[0];
    return {
      name: `MADV_${advice}`,
      process: id,
      structural: !TRANSPARENT.has(advice),
      run: () => madvise(m, mm, start, end - start, number),
      deeds: (result) => deed((expected) => settleAdvice(expected, target, advice, result, mark)),
    };
  }

  toString(): string {
    return `Advise(${this.choice.advice}, ${rangeText(this.choice)})`;
  }
}

function settleAdvice(expected: Expectation, target: Target, advice: AdviceName, result: number, mark: number): void {
  const { id, start, end } = target;
  const holes = firstHole(expected, target) < end;
  const what = (): string => `MADV_${advice} of [${start}, ${end}) gave ${result}`;
  const flags = FLAGS[advice];
  if (flags !== undefined) {
    const refused = advice === 'WIPEONFORK' ? firstShared(expected, target) : end;
    must(result === (refused < end ? -ERRNO.EINVAL : holes ? -ERRNO.ENOMEM : 0), what);
    expected.change(id, start, refused, (facts) => ({ ...facts, flags: (facts.flags | flags[0]) & ~flags[1] }));
  } else if (advice === 'DONTNEED' || advice === 'FREE') {
    const shared = advice === 'FREE' ? firstShared(expected, target) : end;
    const locked = Math.min(firstWith(expected, target, VM.LOCKED), shared);
    must(result === (locked < end ? -ERRNO.EINVAL : holes ? -ERRNO.ENOMEM : 0), what);
    if (advice === 'DONTNEED') expected.discard(id, start, locked);
    else expected.change(id, start, locked, (facts): PageFacts => ({ ...facts, droppable: true }));
  } else if (advice === 'GUARD_INSTALL') {
    if (result === -ERRNO.EAGAIN) {
      // Somebody kept touching the range: any part of it may be guarded or emptied.
      expected.detachPins(id, (page) => start <= page && page < end);
      const either = (facts: PageFacts): PageFacts => ({
        ...facts,
        values: [...facts.values, 0],
        wp: false,
        guard: 'unknown',
      });
      expected.change(id, start, end, either);
      return;
    }
    const locked = firstWith(expected, target, VM.LOCKED);
    must(result === (locked < end ? -ERRNO.EINVAL : holes ? -ERRNO.ENOMEM : 0), what);
    expected.discard(id, start, locked);
    expected.change(id, start, locked, (facts): PageFacts => ({ ...facts, guard: true }));
  } else if (advice === 'GUARD_REMOVE') {
    must(result === (holes ? -ERRNO.ENOMEM : 0), what);
    expected.change(id, start, end, (facts): PageFacts => ({ ...facts, guard: false }));
  } else if (advice === 'COLD' || advice === 'PAGEOUT') {
    const locked = firstWith(expected, target, VM.LOCKED);
    must(result === (locked < end ? -ERRNO.EINVAL : holes ? -ERRNO.ENOMEM : 0), what);
  } else if (advice === 'POPULATE_WRITE') {
    expected.prefault(id, start, end, mark);
  }
}

/** First page of the range with a flag; its end if there is none. */
function firstWith(expected: Expectation, target: Target, flag: number): number {
  const { pages } = expected.process(target.id);
  for (let page = target.start as number; page < target.end; page++) {
    if (((pages.get(page)?.flags ?? 0) & flag) !== 0) return page;
  }
  return target.end;
}

/** First page of the range that is shared memory; its end if there is none. */
function firstShared(expected: Expectation, target: Target): number {
  const { pages } = expected.process(target.id);
  for (let page = target.start as number; page < target.end; page++) {
    if (pages.get(page)?.shared !== undefined) return page;
  }
  return target.end;
}

const names: readonly (readonly [AdviceName, number])[] = [
  ['HUGEPAGE', 16],
  ['NOHUGEPAGE', 1],
  ['DONTNEED', 3],
  ['FREE', 3],
  ['COLD', 2],
  ['PAGEOUT', 5],
  ['COLLAPSE', 7],
  ['POPULATE_READ', 1],
  ['POPULATE_WRITE', 2],
  ['DONTFORK', 1],
  ['DOFORK', 1],
  ['WIPEONFORK', 1],
  ['KEEPONFORK', 1],
  ['GUARD_INSTALL', 1],
  ['GUARD_REMOVE', 2],
];

/** Advice of any kind. */
export const advices: fc.Arbitrary<Action> = fc
  .tuple(anyRange, fc.oneof(...names.map(([name, weight]) => ({ weight, arbitrary: fc.constant(name) }))))
  .map(([range, advice]) => new Advise({ ...range, advice }));

/** MADV_COLLAPSE alone. */
export const madviseCollapses: fc.Arbitrary<Action> = anyRange.map(
  (range) => new Advise({ ...range, aligned: true, advice: 'COLLAPSE' }),
);
