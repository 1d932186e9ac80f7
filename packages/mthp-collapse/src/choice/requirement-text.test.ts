import { describe, expect, it } from 'vitest';
import { GENERATIONS, generationByName } from '../generations/index.js';
import { defaultPtesSettings, type LimitContext } from '../limits.js';
import { orderRange, ordersOf } from '../orders.js';
import { chooseWindows } from './choose-windows.js';
import { requirementOf } from './requirement-text.js';

const ALL = orderRange(2, 9);

function context(maxPtesNone: number, over: Partial<LimitContext> = {}): LimitContext {
  return {
    pmdOrder: 9,
    initiator: 'khugepaged',
    uffdArmed: false,
    settings: { ...defaultPtesSettings(9), maxPtesNone },
    ...over,
  };
}

describe('the rule behind a number', () => {
  it.each([
    ['v12', 4, 511, 9, 'min(511, 255) >> (9 - 4) = 7 may be empty'],
    ['v12', 9, 300, 212, 'max_ptes_none 300: 300 may be empty'],
    [
      'merged',
      4,
      255,
      16,
      'max_ptes_none 255 is neither 0 nor 511 and counts as 0 below the PMD order: none may be empty',
    ],
    ['merged', 4, 511, 1, 'max_ptes_none 511: 15 may be empty'],
    ['merged', 9, 255, 257, 'max_ptes_none 255: 255 may be empty'],
    ['v15', 4, 100, null, 'max_ptes_none 100 is neither 0 nor 511: the table is left'],
    ['dev-v1', 4, 300, 7, '300 >> (9 - 4) = 9 may be empty'],
    ['dev-v2', 4, 300, null, 'max_ptes_none 300 is neither 0 nor 511: no mTHP'],
    ['rfc-v1', 5, 300, 1, '41 % of 4 chunks, rounded down, is 1'],
    ['rfc-v2', 5, 300, 2, 'more than (511 - 300) >> 7 = 1 chunks'],
    ['v6.18', 9, 64, 448, 'max_ptes_none 64: 64 may be empty'],
  ] as const)('%s, order %i, max_ptes_none %i: %s needed', (name, order, none, needed, text) => {
    expect(requirementOf(generationByName(name), order, ALL, 0, context(none))).toMatchObject({ needed, text });
  });

  it('is the number by which windows are passed over', () => {
    for (const generation of GENERATIONS) {
      for (const none of [0, 100, 255, 300, 510]) {
        const present = [[0, 3]] as const;
        const { skipped } = chooseWindows({ generation, present, enabledOrders: ALL, settings: { maxPtesNone: none } });
        for (const { order, required } of skipped) {
          const { needed, text } = requirementOf(generation, order, ALL, 0, context(none));
          expect([generation.name, order, needed]).toEqual([generation.name, order, required]);
          expect(text).not.toBe('');
        }
      }
    }
  });

  it('says when userfaultfd, MADV_COLLAPSE or a greedy order decides', () => {
    const v12 = generationByName('v12');
    expect(requirementOf(v12, 4, ALL, 0, context(511, { uffdArmed: true })).text).toContain('userfaultfd');
    expect(requirementOf(v12, 9, ALL, 0, context(0, { initiator: 'madvise' }))).toMatchObject({
      needed: 1,
      text: 'MADV_COLLAPSE: 511 may be empty',
    });
    expect(requirementOf(generationByName('rfc-v2'), 4, ALL, 1 << 4, context(0))).toMatchObject({
      needed: 0,
      unit: 'chunks',
    });
  });

  it('has words for every generation and order', () => {
    for (const generation of GENERATIONS) {
      for (const order of ordersOf(ALL)) {
        if (order < (generation.minOrder === 'pmd' ? 9 : generation.minOrder)) continue;
        expect(requirementOf(generation, order, ALL, 0, context(200)).text).toMatch(/\d/);
      }
    }
  });
});
