import { describe, expect, it } from 'vitest';
import { GENERATIONS } from './generations/index.js';
import { SCAN, type ScanResult, type ScanResultName, scanResultName } from './results.js';

/**
 * The matrix of khugepaged spec 15.10: what a result means, per generation. L: smaller windows of the same region;
 * N: next region; S: stop; T: failed without classification, which is L; -: the generation has no such result.
 */
const GROUPS = ['rfc-v2', 'v12', 'v15', 'v17', 'v18', 'merged'] as const;
const MATRIX: readonly (readonly [results: string, effects: string])[] = [
  ['SUCCEED', 'N N N N N N'],
  ['PTE_MAPPED_HUGEPAGE', 'T N N N N N'],
  ['ALLOC_HUGE_PAGE_FAIL', 'T L L L L L'],
  ['LACK_REFERENCED_PAGE EXCEED_NONE_PTE EXCEED_SWAP_PTE EXCEED_SHARED_PTE', 'T L L L L L'],
  ['PAGE_LOCK PAGE_COUNT PAGE_NULL DEL_PAGE_LRU', 'T L L L L L'],
  ['PTE_NON_PRESENT PTE_UFFD_WP', 'T L L L L L'],
  ['PAGE_LRU', 'T L L S S S'],
  ['PAGE_LAZYFREE', '- - S L L L'],
  ['CGROUP_CHARGE_FAIL', 'T S S S S S'],
  ['COPY_MC VMA_NULL VMA_CHECK ADDRESS_RANGE ANY_PROCESS PAGE_ANON PMD_MAPPED SCAN_ABORT FAIL', 'T S S S S S'],
  ['NO_PTE_TABLE', '- - S S S S'],
  ['PMD_NULL PMD_NONE', 'T S - - - -'],
  ['INVALID_PTES_NONE', '- - - S - -'],
];

const EFFECT = { L: 'retryLower', T: 'retryLower', N: 'nextRegion', S: 'stop' } as const;

const cells = MATRIX.flatMap(([results, effects]) =>
  results.split(' ').flatMap((result) =>
    effects.split(' ').map((effect, column) => ({
      result: result as ScanResultName,
      generation: GROUPS[column] as string,
      effect: effect as keyof typeof EFFECT | '-',
    })),
  ),
);

const known = GENERATIONS.map((generation) => generation.name);

describe.each(GENERATIONS.filter((generation) => (GROUPS as readonly string[]).includes(generation.name)))(
  'classification of $name',
  (generation) => {
    const column = cells.filter((cell) => cell.generation === generation.name && cell.effect !== '-');

    it.each(column)('$result: $effect', ({ result, effect }) => {
      expect(generation.effects[SCAN[result]]).toBe(EFFECT[effect as keyof typeof EFFECT]);
    });
  },
);

describe('classification', () => {
  it('has a column for every generation that walks over more than one order', () => {
    // v4 has a list of its own, tested with the generation; with hints the classes are those of merged.
    const own = GENERATIONS.filter(({ name, hints }) => name !== 'v4' && !hints);
    const walking = own.filter(({ walk }) => walk !== 'single').map(({ name }) => name);
    expect(walking.filter((name) => !(GROUPS as readonly string[]).includes(name))).toEqual([]);
    expect(known).toContain('merged');
  });

  it('gives an effect to every result', () => {
    for (const generation of GENERATIONS) {
      for (const result of Object.values(SCAN) as ScanResult[]) {
        expect(generation.effects[result], scanResultName(result)).toMatch(/^(retryLower|nextRegion|stop)$/);
      }
    }
  });
});
