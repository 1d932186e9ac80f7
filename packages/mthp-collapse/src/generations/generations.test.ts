import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChooseWindowsInput, chooseWindows } from '../choice/choose-windows.js';
import { defaultPtesSettings, type LimitContext } from '../limits.js';
import { SCAN, type ScanResult } from '../results.js';
import { V12_LIMITS } from '../testing/comparison-table.js';
import { generationByName } from './index.js';
import { v12 } from './v12.js';
import { v15 } from './v15.js';
import { v17 } from './v17.js';
import { v18, v18AsPosted } from './v18.js';

const MTHP = [2, 3, 4, 5, 6, 7, 8];
const ALL = [...MTHP, 9];

function context(maxPtesNone: number, over: Partial<LimitContext> = {}): LimitContext {
  const settings = { ...defaultPtesSettings(9), maxPtesNone };
  return { pmdOrder: 9, initiator: 'khugepaged', uffdArmed: false, settings, ...over };
}

/** Attempts as `offset@order`. */
function windows(input: ChooseWindowsInput): string[] {
  return chooseWindows(input).attempts.map(({ offset, order }) => `${offset}@${order}`);
}

describe('v12', () => {
  it.each(V12_LIMITS)('scales max_ptes_none %i down with the order, capped below half', (none, limits) => {
    expect(MTHP.map((order) => v12.noneLimit(order, context(none)))).toEqual(limits);
    expect(v12.noneLimit(9, context(none))).toBe(none);
  });

  it('lets MADV_COLLAPSE leave all but one entry empty', () => {
    const madvise = { generation: v12, enabledOrders: [9], initiator: 'madvise' } as const;
    expect(windows({ ...madvise, present: [[511, 512]] })).toEqual(['0@9']);
    expect(windows({ ...madvise, present: [] })).toEqual([]);
  });

  it.each([
    ['255', ALL, [0, 20], 255, ['0@5']],
    ['511', ALL, [0, 20], 511, ['0@9']],
    ['511 and a single entry', MTHP, [0, 1], 511, []],
  ] as const)('meets the vector for max_ptes_none %s', (_, enabledOrders, present, maxPtesNone, attempts) => {
    const input = { generation: v12, enabledOrders, present: [present], settings: { maxPtesNone } };
    expect(windows(input)).toEqual(attempts);
  });

  it('loses an allocation failure at every order in a plain failure (B9)', () => {
    const input = { present: [[0, 512]], enabledOrders: ALL, attempt: () => SCAN.ALLOC_HUGE_PAGE_FAIL } as const;
    expect(chooseWindows({ ...input, generation: v12 }).result).toBe('FAIL');
    expect(chooseWindows({ ...input, generation: 'merged' }).result).toBe('ALLOC_HUGE_PAGE_FAIL');
  });
});

describe('v15 and v17', () => {
  it.each([v15, v17])('of which $name leaves the table at the first enabled order below the PMD', (generation) => {
    const settings = { maxPtesNone: 100 };
    const decision = chooseWindows({ generation, enabledOrders: ALL, present: [[0, 20]], settings });
    expect(decision).toMatchObject({ attempts: [], result: 'FAIL', collapsed: 0, warned: true });
  });

  it.each([v15, v17])('of which $name does not notice when the PMD order succeeds', (generation) => {
    const settings = { maxPtesNone: 100 };
    const decision = chooseWindows({ generation, enabledOrders: ALL, present: [[0, 412]], settings });
    expect(decision).toMatchObject({ result: 'SUCCEED', collapsed: 512, warned: false });
  });

  it('part over userfaultfd: v15 refuses the setting first, v17 allows no empty entry', () => {
    expect(v15.noneLimit(4, context(100, { uffdArmed: true }))).toBe('refused');
    expect(v17.noneLimit(4, context(100, { uffdArmed: true }))).toBe(0);
    expect(v15.noneLimit(4, context(511, { uffdArmed: true }))).toBe(0);
    expect(v15.noneLimit(9, context(100, { uffdArmed: true }))).toBe(0);
  });

  it('part over MADV_COLLAPSE of an empty table: only v17 attempts it', () => {
    const input = { enabledOrders: [9], present: [], initiator: 'madvise' } as const;
    expect(windows({ ...input, generation: v15 })).toEqual([]);
    expect(windows({ ...input, generation: v17 })).toEqual(['0@9']);
  });

  it('part over a page off the LRU: v15 tries smaller windows, v17 stops', () => {
    const input = { enabledOrders: [4, 9], present: [[0, 512]], attempt: () => SCAN.PAGE_LRU } as const;
    expect(windows({ ...input, generation: v15 })).toHaveLength(33);
    expect(windows({ ...input, generation: v17 })).toEqual(['0@9']);
  });
});

describe('v18', () => {
  it('attempts the same windows in the same order as merged', () => {
    const result = fc.constantFrom(...(Object.values(SCAN) as ScanResult[]), ...Array(60).fill(SCAN.SUCCEED));
    const table = fc.record({
      runs: fc.array(fc.tuple(fc.nat(511), fc.nat(80)), { maxLength: 12 }),
      enabledOrders: fc.subarray(ALL),
      maxPtesNone: fc.constantFrom(0, 255, 511),
      results: fc.array(result, { minLength: 1, maxLength: 20 }),
    });
    fc.assert(
      fc.property(table, ({ runs, enabledOrders, maxPtesNone, results }) => {
        const present = runs.map(([from, length]) => [from, Math.min(512, from + length)] as const);
        const run = (generation: string): unknown => {
          let nth = 0;
          const attempt = (): ScanResult => results[nth++ % results.length];
          const decision = chooseWindows({ generation, present, enabledOrders, settings: { maxPtesNone }, attempt });
          return { attempts: decision.attempts, collapsed: decision.collapsed, warned: decision.warned };
        };
        expect(run('v18')).toEqual(run('merged'));
      }),
      { numRuns: 3_000 },
    );
  });

  it('makes no attempt at 511 present entries and one swapped (B10, W13)', () => {
    const input = { present: [[0, 511]], unmapped: 1, enabledOrders: [9], settings: { maxPtesNone: 0 } } as const;
    expect(chooseWindows({ ...input, generation: v18 })).toMatchObject({ attempts: [], result: 'FAIL' });
    expect(windows(input)).toEqual(['0@9']);
  });

  it('as posted looks at the VMA during the choice, with the fix-up it does not (B1)', () => {
    const armed = { present: [[0, 3]], enabledOrders: [2], uffdArmed: true } as const;
    expect(windows({ ...armed, generation: v18AsPosted })).toEqual([]);
    expect(windows({ ...armed, generation: v18 })).toEqual(['0@2']);
  });
});

describe('generations in time', () => {
  it.each([
    // name, scan order, uffd, lazyfree, writable, pmd results, budget, flag first, result
    ['v6.13', 'swapFirst', 'inlineScan', false, true, true, 'perRange', true, 'own'],
    ['v6.18', 'swapFirst', 'inlineScan', false, false, true, 'perRange', true, 'own'],
    ['v12', 'swapFirst', 'inlineScan', false, false, true, 'perRange', true, 'okOrFail'],
    ['v15', 'noneFirst', 'inlineScan', true, false, false, 'perPte', false, 'okOrFail'],
    ['v17', 'noneFirst', 'helper', true, false, false, 'perPte', false, 'okOrFail'],
    ['v18', 'noneFirst', 'helper', true, false, false, 'perPte', false, 'okOrFail'],
    ['merged', 'noneFirst', 'helper', true, false, false, 'perPte', false, 'okAllocLast'],
  ])('%s differs as the comparison says', (name, scan, uffd, lazyfree, writable, pmd, budget, flag, result) => {
    expect(generationByName(name)).toMatchObject({
      scanCheckOrder: scan,
      uffdRule: uffd,
      lazyfreeRule: lazyfree,
      writableRequired: writable,
      legacyPmdResults: pmd,
      progressModel: budget,
      enterFlagFirst: flag,
      resultRule: result,
    });
  });
});
