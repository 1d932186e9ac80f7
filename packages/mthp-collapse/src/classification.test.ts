import { describe, expect, it } from 'vitest';
import { chooseWindows } from './choice/choose-windows.js';
import type { Generation } from './generations/generation.js';
import { GENERATIONS, generationByName } from './generations/index.js';
import { SCAN, type ScanResult, type ScanResultName, scanResultName } from './results.js';
import { CLASSIFICATION_MATRIX, MATRIX_COLUMNS, OWN_LISTS, SAME_COLUMN } from './testing/classification-matrix.js';

type Cell = 'L' | 'T' | 'N' | 'S' | '-';

/** The column of a generation: each result with its cell. */
function columnOf(name: string): { result: ScanResultName; cell: Cell }[] {
  const column = MATRIX_COLUMNS.indexOf((SAME_COLUMN[name] ?? name) as (typeof MATRIX_COLUMNS)[number]);
  return CLASSIFICATION_MATRIX.flatMap(([results, cells]) =>
    results.split(' ').map((result) => ({ result: result as ScanResultName, cell: cells.split(' ')[column] as Cell })),
  );
}

/** A full table with orders 8 and 7: which window follows when the first one ends with `result`. */
function followsAfter(generation: Generation, result: ScanResult): string {
  const { attempts } = chooseWindows({
    generation,
    present: [[0, 512]],
    enabledOrders: [7, 8],
    settings: { maxPtesNone: 511 },
    attempt: ({ offset, order }) => (offset === 0 && order === 8 ? result : SCAN.SUCCEED),
  });
  const next = attempts[1];
  return next === undefined ? 'nothing' : `${next.offset}@${next.order}`;
}

const FOLLOWS = { L: '0@7', T: '0@7', N: '256@8', S: 'nothing' } as const;

const inMatrix = GENERATIONS.filter(({ name }) => !OWN_LISTS.includes(name));

describe.each(inMatrix)('what follows an attempt of $name', (generation) => {
  const column = columnOf(generation.name);

  it.each(column.filter(({ cell }) => cell !== '-'))('that ends with $result: $cell', ({ result, cell }) => {
    expect(followsAfter(generation, SCAN[result])).toBe(FOLLOWS[cell as keyof typeof FOLLOWS]);
  });

  it.each(column.filter(({ cell }) => cell === '-'))('cannot be $result, which it does not have', ({ result }) => {
    expect(generation.results).not.toContain(SCAN[result]);
  });
});

describe.each(['dev-v1', 'dev-v2'])('what follows an attempt of %s', (name) => {
  const generation = generationByName(name);

  it.each(generation.results.map((result) => [scanResultName(result), result] as const))(
    'that ends with %s: down, unless it is a success or a folio to step over',
    (_, result) => {
      const next = result === SCAN.SUCCEED || result === SCAN.PTE_MAPPED ? '256@8' : '0@7';
      expect(followsAfter(generation, result)).toBe(next);
    },
  );
});

describe('the matrix', () => {
  it('has a column for every generation, but those with a list of their own', () => {
    const missing = inMatrix.filter(
      ({ name }) => !MATRIX_COLUMNS.some((column) => column === (SAME_COLUMN[name] ?? name)),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('gives an effect to every result', () => {
    for (const generation of GENERATIONS) {
      for (const result of Object.values(SCAN) as ScanResult[]) {
        expect(generation.effects[result], scanResultName(result)).toMatch(/^(retryLower|nextRegion|stop)$/);
      }
    }
  });
});
