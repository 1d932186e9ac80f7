import { describe, expect, it } from 'vitest';
import { SCAN, type ScanResultName } from '../results.js';
import { chooseWindows, type WindowChoice } from './choose-windows.js';

/** Conformance vectors W1 to W13 (khugepaged spec 9): `o@n` is order n at offset o; results but SUCCEED are named. */
interface Vector {
  readonly id: string;
  readonly enabled: readonly number[];
  readonly present: readonly (readonly [number, number])[];
  readonly none: readonly number[];
  readonly unmapped?: number;
  readonly fails?: Readonly<Record<string, ScanResultName>>;
  readonly attempts: readonly string[];
  readonly result: ScanResultName;
  readonly collapsed: number;
}

const MTHP = [2, 3, 4, 5, 6, 7, 8];
const ALL = [...MTHP, 9];
const ANY = [0, 1, 64, 255, 511];
const SPARSE = [
  [0, 16],
  [100, 104],
] as const;

const VECTORS: readonly Vector[] = [
  { id: 'W1', enabled: [9], present: [[0, 512]], none: ANY, attempts: ['0@9'], result: 'SUCCEED', collapsed: 512 },
  {
    id: 'W2',
    enabled: [9, 4],
    present: SPARSE,
    none: [511],
    fails: { '0@9': 'ALLOC_HUGE_PAGE_FAIL' },
    attempts: ['0@9', '0@4', '96@4'],
    result: 'SUCCEED',
    collapsed: 32,
  },
  { id: 'W3', enabled: [4], present: SPARSE, none: [511], attempts: ['0@4', '96@4'], result: 'SUCCEED', collapsed: 32 },
  {
    id: 'W4',
    enabled: [4, 2],
    present: SPARSE,
    none: [0],
    attempts: ['0@4', '100@2'],
    result: 'SUCCEED',
    collapsed: 20,
  },
  {
    id: 'W5',
    enabled: ALL,
    present: [[0, 20]],
    none: [0, 100],
    attempts: ['0@4', '16@2'],
    result: 'SUCCEED',
    collapsed: 20,
  },
  { id: 'W6', enabled: ALL, present: [[0, 20]], none: [511], attempts: ['0@9'], result: 'SUCCEED', collapsed: 512 },
  { id: 'W7', enabled: MTHP, present: [[0, 20]], none: [511], attempts: ['0@8'], result: 'SUCCEED', collapsed: 256 },
  { id: 'W8', enabled: [3, 2], present: [[3, 11]], none: [0], attempts: ['4@2'], result: 'SUCCEED', collapsed: 4 },
  {
    id: 'W9',
    enabled: [4, 3, 2],
    present: [[0, 32]],
    none: [0],
    fails: { '0@4': 'LACK_REFERENCED_PAGE' },
    attempts: ['0@4', '0@3', '8@3', '16@4'],
    result: 'SUCCEED',
    collapsed: 32,
  },
  {
    id: 'W10',
    enabled: [4],
    present: [[0, 64]],
    none: [0],
    fails: { '16@4': 'VMA_CHECK' },
    attempts: ['0@4', '16@4'],
    result: 'SUCCEED',
    collapsed: 16,
  },
  {
    id: 'W11',
    enabled: [9, 4],
    present: [[0, 64]],
    none: [511],
    fails: { '0@9': 'ALLOC_HUGE_PAGE_FAIL', '0@4': 'VMA_CHECK' },
    attempts: ['0@9', '0@4'],
    result: 'ALLOC_HUGE_PAGE_FAIL',
    collapsed: 0,
  },
  {
    id: 'W12',
    enabled: [4],
    present: [[0, 16]],
    none: [0],
    fails: { '0@4': 'PTE_MAPPED_HUGEPAGE' },
    attempts: ['0@4'],
    result: 'FAIL',
    collapsed: 0,
  },
  {
    id: 'W13',
    enabled: [9],
    present: [[0, 511]],
    none: [0],
    unmapped: 1,
    attempts: ['0@9'],
    result: 'SUCCEED',
    collapsed: 512,
  },
];

const label = (window: WindowChoice): string => `${window.offset}@${window.order}`;

describe('merged chooses the windows of the conformance vectors', () => {
  for (const vector of VECTORS) {
    it.each(vector.none)(`${vector.id}, max_ptes_none %i`, (maxPtesNone) => {
      const decision = chooseWindows({
        present: vector.present,
        enabledOrders: vector.enabled,
        settings: { maxPtesNone },
        unmapped: vector.unmapped ?? 0,
        attempt: (window) => SCAN[vector.fails?.[label(window)] ?? 'SUCCEED'],
      });
      expect(decision.attempts.map(label)).toEqual(vector.attempts);
      expect(decision.result).toBe(vector.result);
      expect(decision.collapsed).toBe(vector.collapsed);
    });
  }
});

describe('chooseWindows', () => {
  it('warns about max_ptes_none 100 once an order below the PMD is considered, not when the PMD succeeds', () => {
    const settings = { maxPtesNone: 100 };
    expect(chooseWindows({ present: [[0, 20]], enabledOrders: ALL, settings }).warned).toBe(true);
    expect(chooseWindows({ present: [[0, 512]], enabledOrders: ALL, settings }).warned).toBe(false);
    expect(chooseWindows({ present: [], enabledOrders: [9], settings }).warned).toBe(false);
    expect(chooseWindows({ present: [], enabledOrders: ALL, settings: { maxPtesNone: 0 } }).warned).toBe(false);
  });

  it('tells how far a skipped window is from its limit', () => {
    const { skipped } = chooseWindows({
      present: [[0, 3]],
      enabledOrders: [2, 3],
      pmdOrder: 3,
      settings: { maxPtesNone: 0 },
    });
    expect(skipped).toEqual([
      { offset: 0, order: 3, occupied: 3, required: 8 },
      { offset: 0, order: 2, occupied: 3, required: 4 },
      { offset: 4, order: 2, occupied: 0, required: 4 },
    ]);
  });

  it('attempts the whole table for MADV_COLLAPSE, whatever the settings and other orders say', () => {
    const decision = chooseWindows({
      present: [],
      enabledOrders: MTHP,
      settings: { maxPtesNone: 0 },
      initiator: 'madvise',
    });
    expect(decision.attempts).toEqual([{ offset: 0, order: 9, result: 'SUCCEED' }]);
  });

  it('reports the attempt’s own result for 6.18, and attempts nothing when too many entries are empty', () => {
    const legacy = { generation: 'v6.18', enabledOrders: ALL, settings: { maxPtesNone: 64 } };
    const attempt = () => SCAN.PAGE_LOCK;
    expect(chooseWindows({ ...legacy, present: [[0, 448]], attempt }).result).toBe('PAGE_LOCK');
    expect(chooseWindows({ ...legacy, present: [[0, 447]], attempt }).attempts).toEqual([]);
    expect(chooseWindows({ ...legacy, present: [[0, 447]], unmapped: 1, attempt }).attempts).toHaveLength(1);
  });

  it('works for every geometry', () => {
    for (const pmdOrder of [3, 9, 11, 13]) {
      const input = { pmdOrder, present: [[0, 2 ** pmdOrder]], enabledOrders: [2, pmdOrder] } as const;
      expect(chooseWindows(input).collapsed).toBe(2 ** pmdOrder);
    }
  });

  it.each([
    [{ pmdOrder: 14 }, 'pmdOrder is 14; it must be a whole number from 3 to 13'],
    [{ unmapped: -1 }, 'unmapped is -1'],
    [{ settings: { maxPtesNone: 512 } }, 'maxPtesNone is 512; it must be a whole number from 0 to 511'],
    [{ present: [[4, 513]] as const }, 'end of a range of present is 513'],
    [{ present: [[9, 4]] as const }, 'start of a range of present is 9; it must be a whole number from 0 to 4'],
    [{ present: new Uint32Array(1) }, 'words of present is 1; it must be 16'],
    [{ enabledOrders: [1] }, 'enabled order is 1'],
    [{ enabledOrders: 3 }, 'enabled order mask is 3; it must be within 1020'],
    [{ generation: 'v4', unmapped: 1 }, 'v4 looks at chunks'],
    [{ present: [[0, 512]] as const, unmapped: 1 }, 'unmapped is 1; it must be 0'],
    [{ generation: 'v20' }, 'no generation "v20"'],
  ])('refuses %j', (wrong, message) => {
    expect(() => chooseWindows({ present: [], enabledOrders: [9], ...wrong })).toThrow(message);
  });
});
