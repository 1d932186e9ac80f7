// DAMON with all its locks and several schemes beside a process that changes its memory and khugepaged's own collapse: the
// machine stays consistent, lockdep stays silent, nobody waits for ever.

import { Random } from '@thplab/arena';
import { checkMachine, dupMm, handleMmFault, MADV, type MmId, madvise, mmap, mmput, munmap } from '@thplab/mm-model';
import { type Procedure, sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { destroyDamon, stopDamon } from './create.js';
import { damonReviewed } from './profile.js';
import { schemeStats } from './schemes/running.js';
import { ANY_PATTERN, type SchemeInput } from './schemes/scheme.js';
import { type DamonWorld, makeDamonWorld, makeProcess, page } from './testing/damon-world.js';

const BASE = 0x80000;
const PAGES = 4 * 512;
const ADVICE = [MADV.DONTNEED, MADV.HUGEPAGE, MADV.NOHUGEPAGE, MADV.COLD, MADV.COLLAPSE, MADV.FREE] as const;

/** Faults, advice, holes, children, in an order drawn from the seed. */
function* busyProcess(w: DamonWorld, mm: MmId, seed: number): Procedure<void> {
  const random = new Random(seed);
  for (let step = 0; step < 300; step++) {
    const first = BASE + random.below(PAGES - 64);
    const what = random.below(12);
    if (what < 7) {
      for (let i = 0; i < 32; i++) yield* handleMmFault(w.m, mm, page(first + i), { write: random.below(2) === 0 });
    } else if (what < 10) {
      yield* madvise(w.m, mm, page(first), 1 + random.below(1_024), ADVICE[random.below(ADVICE.length)]);
    } else if (what === 10) {
      yield* munmap(w.m, mm, page(first), 16);
      yield* mmap(w.m, mm, { at: page(first), pages: 16, fixed: 'replace' });
    } else {
      const child = yield* dupMm(w.m, mm);
      yield* handleMmFault(w.m, child, page(first), { write: true });
      yield* mmput(w.m, child);
    }
    yield sleep(1_000 * random.below(3_000));
  }
}

const SCHEMES: readonly SchemeInput[] = [
  { action: 'collapse', pattern: { ...ANY_PATTERN, nrAccesses: { min: 2, max: 20 } } },
  {
    action: 'split',
    pattern: { ...ANY_PATTERN, nrAccesses: { min: 0, max: 1 } },
    targetOrder: 2,
    applyIntervalUs: 30_000,
  },
  { action: 'collapse', pattern: ANY_PATTERN, targetOrder: 4, applyIntervalUs: 50_000 },
  {
    action: 'pageout',
    pattern: { ...ANY_PATTERN, nrAccesses: { min: 0, max: 0 } },
    quota: { bytes: 2 ** 20, resetIntervalMs: 200 },
  },
];

/** One run; gives how often each scheme did something, those on physical addresses last. */
function appliedBeside(seed: number): number[] {
  const w = makeDamonWorld({ nodePages: [16_384], swapPages: 8_192 });
  const { mm } = makeProcess(w, BASE, PAGES);
  const config = { locking: 'kernel' as const, profile: damonReviewed, seed };
  const regions = [{ start: BASE * 4_096, end: (BASE + PAGES) * 4_096 }];
  const virtual = w.start({ ...config, operations: 'fvaddr', targets: [{ mm, regions }], schemes: SCHEMES });
  const physical = w.start({
    ...config,
    operations: 'paddr',
    targets: [{}],
    contextIndex: 1,
    schemes: [{ action: 'pageout', pattern: ANY_PATTERN, quota: { bytes: 2 ** 24, resetIntervalMs: 100 } }],
  });
  w.run(() => busyProcess(w, mm, seed));
  w.run(() => stopDamon(virtual));
  w.run(() => stopDamon(physical));
  expect(checkMachine(w.m)).toEqual([]);
  const applied = [...SCHEMES.keys()].map((index) => schemeStats(virtual, index).nrApplied);
  applied.push(schemeStats(physical, 0).nrApplied);
  destroyDamon(virtual);
  destroyDamon(physical);
  w.run(() => mmput(w.m, mm));
  expect(checkMachine(w.m)).toEqual([]);
  expect(virtual.t.damonRegion.pool.live).toBe(0);
  return applied;
}

describe('DAMON beside a busy process', () => {
  it('on virtual and physical addresses leaves a consistent machine, and every scheme did something', () => {
    const runs = [1, 2, 3, 4].map(appliedBeside);
    const sums = [0, 1, 2, 3, 4].map((scheme) => runs.reduce((sum, run) => sum + (run[scheme] as number), 0));
    for (const sum of sums) expect(sum).toBeGreaterThan(0);
  });
});
