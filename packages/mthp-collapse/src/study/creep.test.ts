import { describe, expect, it } from 'vitest';
import { createOccupancy, occupyRange } from '../bitmap.js';
import { GENERATIONS, generationByName } from '../generations/index.js';
import { defaultPtesSettings } from '../limits.js';
import { orderRange, orderSet } from '../orders.js';
import { SCAN } from '../results.js';
import { creepKind, findCreep, replayCreep } from './creep.js';
import { everyStart, sampledStarts } from './creep-starts.js';
import { type CreepRow, everyOrderSet, studyCreep } from './creep-study.js';
import { scanTable } from './scan-table.js';
import type { StudyRules } from './study-rules.js';
import { StudyTable } from './study-table.js';

function rules(name: string, pmdOrder: number, orders: number, maxPtesNone: number): StudyRules {
  const settings = { ...defaultPtesSettings(pmdOrder), maxPtesNone };
  return { generation: generationByName(name), pmdOrder, enabledOrders: orders, alwaysOrders: 0, settings };
}

function rowsOf(
  name: string,
  pmdOrder: number,
  maxPtesNone: readonly number[],
  orderSets: readonly number[],
): readonly CreepRow[] {
  const generation = generationByName(name);
  const study = studyCreep({ generation, pmdOrder, maxPtesNone, orderSets, always: false, samples: 10, seed: 1 });
  for (;;) {
    const step = study.next();
    if (step.done === true) return step.value;
  }
}

const values = (upTo: number): number[] => [...Array(upTo + 1).keys()];
const verdicts = (rows: readonly CreepRow[]): string[] => rows.map(({ verdict }) => verdict);

describe('creep in every table of 16 entries, at every max_ptes_none, with every set of orders', () => {
  it.each(['v6.13', 'v6.18', 'dev-v2', 'v15', 'v17', 'v18', 'merged'])('%s does not climb', (name) => {
    const rows = rowsOf(name, 4, values(15), everyOrderSet(4));
    expect(new Set(verdicts(rows))).toEqual(new Set(['no']));
    expect(rows[0]?.cases).toBe(7 * 65_536);
  });

  it('a limit that shifts with the order lets a single folio climb from half of the table on, but not at the ceiling', () => {
    const rows = rowsOf('dev-v1', 4, values(15), everyOrderSet(4));
    expect(verdicts(rows.slice(8, 15))).toEqual(Array(7).fill('alone'));
    expect(rows.slice(0, 8).some(({ verdict }) => verdict === 'alone')).toBe(false);
    expect(rows[15]?.verdict).toBe('no');
  });

  it('the cap of v12 keeps a single folio from climbing below the PMD order, not several together', () => {
    const below = rowsOf('v12', 4, values(15), [orderSet([2, 3])]);
    expect(below.some(({ verdict }) => verdict === 'alone')).toBe(false);
    const all = rowsOf('v12', 4, values(15), everyOrderSet(4));
    expect(verdicts(all.slice(0, 8))).toEqual([
      'no',
      'no',
      'together',
      'together',
      'together',
      'together',
      'together',
      'together',
    ]);
  });
});

describe('creep in tables of 512 entries', () => {
  it('under shift scaling a single folio climbs exactly from max_ptes_none 256 to 510 (khugepaged spec 16)', () => {
    const none = [0, 1, 64, 128, 200, 254, 255, 256, 257, 300, 384, 450, 509, 510, 511];
    const rows = rowsOf('dev-v1', 9, none, [orderRange(2, 9)]);
    expect(rows.filter(({ verdict }) => verdict === 'alone').map(({ maxPtesNone }) => maxPtesNone)).toEqual([
      256, 257, 300, 384, 450, 509, 510,
    ]);
  });

  it('at 256 two pages end as a huge page, one order per scan', () => {
    const start = createOccupancy(9);
    occupyRange(start, 0, 2);
    const { scans, climbs } = replayCreep(rules('dev-v1', 9, orderRange(2, 9), 256), start);
    expect(scans.map((scan) => scan.find(({ result }) => result === SCAN.SUCCEED)?.order)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(climbs.map(({ order, kind }) => `${order} ${kind}`)).toEqual([
      '3 alone',
      '4 alone',
      '5 alone',
      '6 alone',
      '7 alone',
      '8 alone',
      '9 alone',
    ]);
  });

  it('merged does not climb in any of the samples', () => {
    const rows = rowsOf('merged', 9, [0, 1, 100, 255, 256, 400, 510, 511], [orderRange(2, 9), orderRange(2, 8)]);
    expect(new Set(verdicts(rows))).toEqual(new Set(['no']));
  });

  it('several folios climb together under v12 at settings far below its cap, from 2 on', () => {
    const kindAt = (none: number): string | null => {
      const r = rules('v12', 9, orderRange(2, 9), none);
      const found = sampledStarts(r, 0, 1)
        .map(({ bitmap }) => findCreep(r, bitmap))
        .find((one) => one !== null);
      return found == null ? null : creepKind(found);
    };
    expect([0, 1, 2, 3, 4, 64, 200].map(kindAt)).toEqual([null, null, ...Array(5).fill('together')]);
  });
});

describe('classes of bitmaps', () => {
  it.each(GENERATIONS.map(({ name }) => name))('of %s stand for all bitmaps of 8 entries', (name) => {
    const generation = generationByName(name);
    for (const orders of everyOrderSet(3)) {
      for (const none of [0, 1, 2, 3, 4, 6, 7]) {
        const r = rules(name, 3, orders, none);
        let [byClass, byBitmap] = [0, 0];
        for (const { bitmap, weight } of everyStart(generation, 3))
          if (findCreep(r, bitmap) !== null) byClass += weight;
        for (let bits = 0; bits < 256; bits++) if (findCreep(r, Uint32Array.of(bits)) !== null) byBitmap++;
        expect(byClass).toBe(byBitmap);
      }
    }
  });

  it.each([
    ['v12', 5],
    ['rfc-v2', 12],
  ])('of %s stand for all bitmaps of 16 entries', (name, none) => {
    const r = rules(name, 4, orderSet([2, 3, 4]), none);
    const table = new StudyTable(4);
    let [byClass, byBitmap] = [0, 0];
    for (const { bitmap, weight } of everyStart(r.generation, 4))
      if (findCreep(r, bitmap, table) !== null) byClass += weight;
    for (let bits = 0; bits < 65_536; bits++) if (findCreep(r, Uint32Array.of(bits), table) !== null) byBitmap++;
    expect(byClass).toBe(byBitmap);
    expect(byClass).toBeGreaterThan(0);
  });

  it('weigh as much as there are bitmaps', () => {
    for (const generation of GENERATIONS) {
      const weights = everyStart(generation, 4).reduce((sum, { weight }) => sum + weight, 0);
      expect(weights).toBe(65_536);
    }
  });
});

describe('a studied scan', () => {
  it('fills what it collapses and finds it again in the next scan', () => {
    const r = rules('merged', 4, orderSet([2, 4]), 0);
    const table = StudyTable.of(4, Uint32Array.of(0b0000_0000_1111_0111));
    expect(scanTable(r, table).map(({ offset, order }) => [offset, order])).toEqual([[4, 2]]);
    expect(table.letters()).toBe('000.2222........');
    expect(findCreep(r, Uint32Array.of(0b1111_0111))).toBeNull();
  });
});
