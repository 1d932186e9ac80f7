import { describe, expect, it } from 'vitest';
import { damonRegions } from '../create.js';
import { damon618, damonMm } from '../profile.js';
import { addVma, fillBase, fillHuge, keepTouching, makeDamonWorld, makeProcess } from '../testing/damon-world.js';

const BASE = 0x80000;
const FAR = 0x7f0000000;

/** What regions know after some aggregations over base pages, huge pages, holes, and addresses that no machine has. */
function regionsSeen(locking: 'kernel' | 'batch', profile: typeof damonMm, seed: number): unknown {
  const w = makeDamonWorld();
  const { mm, vma } = makeProcess(w, BASE, 16 * 512);
  const far = addVma(w, mm, FAR, 8 * 512);
  fillBase(w, vma, BASE, 3 * 512);
  fillBase(w, vma, BASE + 8 * 512 + 100, 200);
  fillHuge(w, far, FAR + 1024, 4);
  keepTouching(w, mm, BASE, 700);
  keepTouching(w, mm, FAR + 1024, 513);
  const bytes = (start: number, pages: number): { start: number; end: number } => ({
    start: start * 4096,
    end: (start + pages) * 4096,
  });
  const regions = [bytes(BASE, 16 * 512), bytes(FAR, 8 * 512), { start: 2 ** 47, end: 2 ** 47 + 2 ** 21 }];
  const d = w.start({ operations: 'fvaddr', targets: [{ mm, regions }], locking, profile, seed });
  w.pass(1.05);
  return damonRegions(d).map(({ start, end, lastNrAccesses, age }) => ({ start, end, lastNrAccesses, age }));
}

describe('access checks of a batch', () => {
  it.each([
    ['mm-2026', damonMm],
    ['v6.18', damon618],
  ] as const)('see what checks page by page see (%s)', (_name, profile) => {
    for (const seed of [1, 2, 3]) {
      const seen = regionsSeen('batch', profile, seed);
      expect(seen).toEqual(regionsSeen('kernel', profile, seed));
      expect(JSON.stringify(seen)).toContain('"lastNrAccesses":20');
    }
  });
});
