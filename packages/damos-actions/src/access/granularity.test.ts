import { PTE_WRITE, PTE_YOUNG, placeFolio, type Vpn } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { damonRegions } from '../create.js';
import { fillBase, fillHuge, makeDamonWorld, makeProcess, touch } from '../testing/damon-world.js';
import { ACCESS_GRANULARITY } from '../testing/golden-access.js';

const BASE = 0x80000;
const PAGE = 4096;

/** Pages out of 512 whose region of one page counts an access when only one page of the block is used. */
function pagesSeen(mapping: (typeof ACCESS_GRANULARITY)[number]['mapping'], used: number): number {
  const w = makeDamonWorld();
  const { mm, vma } = makeProcess(w, BASE, 512);
  const attributes = PTE_YOUNG | PTE_WRITE;
  if (mapping === 'pages') fillBase(w, vma, BASE, 512);
  else if (mapping === 'pmd') fillHuge(w, vma, BASE, 1);
  else {
    const order = mapping === 'mthp' ? 4 : 9;
    for (let at = 0; at < 512; at += 2 ** order)
      placeFolio(w.m, vma, (BASE + at) as Vpn, order, attributes, { pmdMapped: false });
  }
  const regions = Array.from({ length: 512 }, (_, i) => ({ start: (BASE + i) * PAGE, end: (BASE + i + 1) * PAGE }));
  const d = w.start({
    operations: 'fvaddr',
    targets: [{ mm, regions }],
    // One sample in an aggregation, and nothing is merged: neighbours of one page differ by 1 or are alike.
    attributes: { sampleIntervalUs: 10_000, aggrIntervalUs: 10_000, minNrRegions: 512, maxNrRegions: 1_024 },
  });
  w.pass(0.005);
  touch(w.m, mm, BASE + used);
  w.pass(0.007);
  return damonRegions(d).reduce(
    (sum, region) => sum + (region.lastNrAccesses > 0 ? (region.end - region.start) / PAGE : 0),
    0,
  );
}

describe('what one page in use makes look used', () => {
  it.each(ACCESS_GRANULARITY)('$row: of $mapping: $seen pages', ({ mapping, seen }) => {
    for (const used of [0, 17, 511]) expect(pagesSeen(mapping, used)).toBe(seen);
  });
});
