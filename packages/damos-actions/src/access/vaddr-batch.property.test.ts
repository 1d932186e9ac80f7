// Whatever a process has mapped, and takes away meanwhile: checks of all regions at once do what checks page by page do.

import { Random } from '@thplab/arena';
import { type MmId, munmap, PTE_WRITE, PTE_YOUNG, placeFolio } from '@thplab/mm-model';
import { sleep } from '@thplab/sync';
import { GEOMETRY_4K, GEOMETRY_64K, GEOMETRY_TINY, type Geometry } from '@thplab/sysfs-schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damonRegions } from '../create.js';
import { type DamonProfile, damon618, damonMm } from '../profile.js';
import { type DamonWorld, fillBase, makeDamonWorld, makeProcess, page, touch } from '../testing/damon-world.js';

/** What a PMD range of a process holds, and what becomes of it. */
interface Block {
  readonly holds: 'nothing' | 'base pages' | 'huge page';
  readonly touched: boolean;
  readonly unmapped: boolean;
}

interface Case {
  readonly geometry: Geometry;
  readonly profile: DamonProfile;
  readonly processes: readonly (readonly Block[])[];
  readonly regions: number;
  /** Accesses are worked out when somebody looks, as in large runs. */
  readonly settles: boolean;
  readonly seed: number;
}

const block: fc.Arbitrary<Block> = fc.record({
  holds: fc.constantFrom('nothing', 'base pages', 'huge page'),
  touched: fc.boolean(),
  unmapped: fc.boolean(),
});

const someCase: fc.Arbitrary<Case> = fc.record({
  geometry: fc.oneof(
    { weight: 3, arbitrary: fc.constant(GEOMETRY_4K) },
    // Tables smaller than a word of a plane.
    { weight: 3, arbitrary: fc.constant(GEOMETRY_TINY) },
    // Three levels, not four.
    { weight: 1, arbitrary: fc.constant(GEOMETRY_64K) },
  ),
  profile: fc.constantFrom(damonMm, damon618),
  processes: fc.array(fc.array(block, { minLength: 4, maxLength: 12 }), { minLength: 1, maxLength: 2 }),
  regions: fc.integer({ min: 3, max: 40 }),
  settles: fc.boolean(),
  seed: fc.nat(),
});

const MS = 1e6;

/** Maps a process as said; a task touches it between the samples, another one unmaps some of it after a while. */
function runProcess(w: DamonWorld, blocks: readonly Block[]): { readonly mm: MmId; readonly end: number } {
  const { ptes } = w.m;
  const start = 16 * ptes;
  const { mm, vma } = makeProcess(w, start, blocks.length * ptes);
  blocks.forEach(({ holds }, i) => {
    const first = start + i * ptes;
    if (holds === 'huge page')
      placeFolio(w.m, vma, page(first), w.m.pmdOrder, PTE_YOUNG | PTE_WRITE, { pmdMapped: true });
    else if (holds === 'base pages') fillBase(w, vma, first + 1, Math.min(ptes - 2, 300));
  });
  w.executor.spawn('toucher', function* () {
    for (yield sleep(MS / 2); ; yield sleep(7 * MS)) {
      blocks.forEach(({ touched }, i) => {
        if (touched) touch(w.m, mm, start + i * ptes, ptes);
      });
    }
  });
  w.executor.spawn('unmapper', function* () {
    yield sleep(152.3 * MS);
    for (const [i, { unmapped }] of blocks.entries()) {
      if (unmapped) yield* munmap(w.m, mm, page(start + i * ptes), ptes);
    }
  });
  return { mm, end: start + blocks.length * ptes };
}

/** Pages are touched when they are looked at, by chance; a huge page once at a time, as `settleAccess` promises. */
function touchWhenSettled({ m }: DamonWorld, seed: number): void {
  const random = new Random(seed);
  const settledAt = new Map<number, number>();
  m.hooks.settleAccess = (mm, at) => {
    const block = mm * 2 ** 40 + Math.floor(at / m.ptes);
    if (at >= m.addressPages || settledAt.get(block) === m.current.nowNs) return;
    settledAt.set(block, m.current.nowNs);
    if (random.below(2) === 0) touch(m, mm, at);
  };
}

function sumOf(words: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < words.length; i++) sum = (Math.imul(sum, 31) + words[i]) | 0;
  return sum;
}

/** What DAMON knows and has done at the end. */
function outcome({ geometry, profile, processes, regions, settles, seed }: Case, locking: 'kernel' | 'batch'): unknown {
  const w = makeDamonWorld({
    geometry,
    nodePages: [geometry.pmdOrder > 9 ? 2 ** 18 : 2 ** 14],
    costs: { scanVisit: 0 },
  });
  if (settles) touchWhenSettled(w, seed);
  const bytes = 2 ** geometry.pageShift;
  const targets = processes.map((blocks) => {
    const { mm, end } = runProcess(w, blocks);
    const far = { start: 2 ** 46, end: 2 ** 46 + 2 ** 34 };
    return { mm, regions: [{ start: 8 * w.m.ptes * bytes, end: end * bytes }, far] };
  });
  const attributes = { minNrRegions: regions, maxNrRegions: 4 * regions };
  const d = w.start({ operations: 'fvaddr', targets, locking, profile, seed, attributes });
  w.pass(0.42);
  return {
    regions: processes.map((_, i) => damonRegions(d, i)),
    samples: d.t.damonContext.samplesTaken[d.context],
    nextRandom: d.random.nextU32(),
    entries: [...w.m.directory.entry.filter((entry) => entry !== 0)],
    young: sumOf(w.m.pte.young),
    flags: sumOf(w.m.frame.flags),
  };
}

describe('access checks of a batch', () => {
  it('do what checks page by page do', () => {
    fc.assert(
      fc.property(someCase, (one) => {
        expect(outcome(one, 'batch')).toEqual(outcome(one, 'kernel'));
      }),
      { numRuns: 20 },
    );
  });
});
