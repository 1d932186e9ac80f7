import { Random } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import { occupancyCount } from '../bitmap.js';
import { GENERATIONS, generationByName } from '../generations/index.js';
import { defaultPtesSettings } from '../limits.js';
import { orderRange, orderSet } from '../orders.js';
import { SCAN } from '../results.js';
import { addTable, emptyTotals } from './cover-study.js';
import { everyOrderSet } from './creep-study.js';
import { type Cover, type CoverGoal, isBetterCover, optimalCover } from './optimal-cover.js';
import { attemptResult, type StudyRules } from './study-rules.js';
import { StudyTable } from './study-table.js';
import { patternTable, TABLE_PATTERNS } from './table-patterns.js';
import { walkCover } from './walk-cover.js';

function rules(name: string, pmdOrder: number, orders: number, maxPtesNone: number): StudyRules {
  const settings = { ...defaultPtesSettings(pmdOrder), maxPtesNone };
  return { generation: generationByName(name), pmdOrder, enabledOrders: orders, alwaysOrders: 0, settings };
}

/** The best of all sets of disjoint windows, tried one by one. */
function bruteForce(r: StudyRules, table: StudyTable, goal: CoverGoal): Cover {
  const windows: { offset: number; order: number; present: number }[] = [];
  for (let order = 2; order <= r.pmdOrder; order++) {
    const isKnown = order >= (r.generation.minOrder === 'pmd' ? r.pmdOrder : r.generation.minOrder);
    if (!isKnown || ((r.enabledOrders >> order) & 1) === 0) continue;
    for (let offset = 0; offset < 1 << r.pmdOrder; offset += 1 << order) {
      if (attemptResult(r, table, offset, order) !== SCAN.SUCCEED) continue;
      windows.push({ offset, order, present: table.present(offset, order) });
    }
  }
  let best: Cover = { covered: 0, added: 0, windows: [] };
  for (let set = 1; set < 1 << windows.length; set++) {
    const chosen = windows.filter((_, i) => ((set >> i) & 1) === 1);
    const masks = chosen.map(({ offset, order }) => ((1 << (1 << order)) - 1) << offset);
    const union = masks.reduce((all, mask) => all | mask, 0);
    const size = chosen.reduce((sum, { order }) => sum + (1 << order), 0);
    if (occupancyCount(Uint32Array.of(union)) !== size) continue;
    const covered = chosen.reduce((sum, { present }) => sum + present, 0);
    const cover = { covered, added: size - covered, windows: chosen };
    if (isBetterCover(cover, best, goal)) best = cover;
  }
  return best;
}

const size = ({ covered, added, windows }: Cover): unknown => [covered, added, windows.length];

describe('the optimal cover', () => {
  it.each(['fewest', 'leanest'] as const)(
    'equals the best of all covers of every table of 8 entries, goal %s',
    (goal) => {
      for (const name of ['merged', 'v12', 'rfc-v1', 'v6.18']) {
        for (const orders of everyOrderSet(3)) {
          for (const none of [0, 1, 3, 4, 7]) {
            const r = rules(name, 3, orders, none);
            for (let bits = 0; bits < 256; bits++) {
              const table = StudyTable.of(3, Uint32Array.of(bits));
              if (bits % 8 === 3) table.swapped[0] = ~bits & 0x90;
              expect(size(optimalCover(r, table, goal))).toEqual(size(bruteForce(r, table, goal)));
            }
          }
        }
      }
    },
  );

  it('equals the best of all covers of tables of 16 entries', () => {
    const random = new Random(7);
    for (let i = 0; i < 400; i++) {
      const bits = random.nextU32() & random.nextU32() & 0xffff;
      const name = ['merged', 'v12', 'v4', 'dev-v1'][i % 4] as string;
      const r = rules(name, 4, (1 + random.below(7)) << 2, random.below(16));
      const table = StudyTable.of(4, Uint32Array.of(i % 2 === 0 ? bits : bits | (random.nextU32() & 0xffff)));
      for (const goal of ['fewest', 'leanest'] as const) {
        expect(size(optimalCover(r, table, goal))).toEqual(size(bruteForce(r, table, goal)));
      }
    }
  });

  it('is one huge page or the few windows with pages, by its goal', () => {
    const table = StudyTable.of(9, patternTable(9, 'random', 0, 1, 0));
    table.occupied[3] = 1;
    const r = rules('merged', 9, orderRange(2, 9), 511);
    expect(optimalCover(r, table, 'fewest')).toMatchObject({
      covered: 1,
      added: 3,
      windows: [{ offset: 96, order: 2 }],
    });
    table.occupied[9] = 1;
    expect(size(optimalCover(r, table, 'fewest'))).toEqual([2, 510, 1]);
    expect(size(optimalCover(r, table, 'leanest'))).toEqual([2, 6, 2]);
  });
});

describe.each(GENERATIONS.map(({ name }) => name))('the walk of %s', (name) => {
  it('never beats the optimal cover', () => {
    const random = new Random(11);
    for (let i = 0; i < 150; i++) {
      const pmdOrder = [3, 4, 9][i % 3] as number;
      const ceiling = (1 << pmdOrder) - 1;
      const none = [0, ceiling, random.below(ceiling + 1)][random.below(3)] as number;
      const orders = (1 + random.below((1 << (pmdOrder - 1)) - 1)) << 2;
      const r = { ...rules(name, pmdOrder, orders, none), alwaysOrders: i % 5 === 0 ? orders : 0 };
      const table = StudyTable.of(pmdOrder, patternTable(pmdOrder, 'mixed', null, 3, i));
      if (i % 4 === 0) table.swapped[0] = ~table.occupied[0] & 0x11;
      const walk = walkCover(r, table);
      for (const goal of ['fewest', 'leanest'] as const) {
        expect(isBetterCover(walk, optimalCover(r, table, goal), goal)).toBe(false);
      }
    }
  });
});

describe('the walk of merged', () => {
  it('covers as many pages as the optimum, with as few folios, where the scan accepts the table', () => {
    for (const none of [0, 511]) {
      const totals = emptyTotals();
      for (let i = 0; i < 100; i++) {
        const of = {
          name: `table ${i}`,
          table: StudyTable.of(9, patternTable(9, 'mixed', null, 5, i)),
          rules: rules('merged', 9, orderSet([2, 4, 6, 9]), none),
        };
        addTable(totals, of, 'fewest');
      }
      expect(totals).toMatchObject({ tables: 100, below: 0, worst: null });
      expect(totals.covered).toBe(totals.optimum);
      if (none === 0) expect(totals.folios).toBe(totals.optimumFolios);
    }
  });

  it('loses a table to one swapped entry too many, which the optimal cover goes around', () => {
    const table = StudyTable.of(9, patternTable(9, 'random', 1, 1, 0));
    for (const word of [0, 1, 2]) {
      table.swapped[word] = 0xffff_ffff;
      table.occupied[word] = 0;
    }
    const r = rules('merged', 9, orderRange(2, 9), 0);
    expect(walkCover(r, table)).toMatchObject({ covered: 0, attempts: [] });
    expect(optimalCover(r, table)).toMatchObject({ covered: 416, added: 0 });
  });
});

describe('generated tables', () => {
  it.each(TABLE_PATTERNS)(
    'of pattern %s are the same for the same seed and number, and as full as asked for',
    (pattern) => {
      const shares = [...Array(60).keys()].map((i) => occupancyCount(patternTable(9, pattern, 0.6, 2, i)) / 512);
      const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
      expect(mean).toBeGreaterThan(0.5);
      expect(mean).toBeLessThan(0.7);
      expect(patternTable(9, pattern, 0.6, 2, 7)).toEqual(patternTable(9, pattern, 0.6, 2, 7));
      expect(patternTable(9, pattern, 0.6, 2, 7)).not.toEqual(patternTable(9, pattern, 0.6, 3, 7));
    },
  );
});
