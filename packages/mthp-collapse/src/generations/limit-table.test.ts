import { describe, expect, it } from 'vitest';
import { defaultPtesSettings, type LimitContext } from '../limits.js';
import { generationByName } from './index.js';
import { maxPtesLimits } from './limit-table.js';

function context(maxPtesNone: number, over: Partial<LimitContext> = {}): LimitContext {
  const settings = { ...defaultPtesSettings(9), maxPtesNone };
  return { pmdOrder: 9, initiator: 'khugepaged', uffdArmed: false, settings, ...over };
}

const none = (name: string, limits: LimitContext): unknown[] =>
  maxPtesLimits(generationByName(name), limits).map((row) => row.none);

describe('the table of limits', () => {
  /** max_ptes_none per order from 9 down to the lowest, for settings that tell the generations apart. */
  it.each([
    ['v6.18', 100, [100]],
    ['rfc-v2', 100, [100, 50, 25, 12, 6, 3, 1]],
    ['v4', 300, [300, 150, 75, 37, 18, 9, 4, 2]],
    ['v12', 300, [300, 127, 63, 31, 15, 7, 3, 1]],
    ['v15', 300, [300, ...Array(7).fill('refused')]],
    ['v17', 511, [511, 255, 127, 63, 31, 15, 7, 3]],
    ['v18', 300, [300, 0, 0, 0, 0, 0, 0, 0]],
    ['merged', 511, [511, 255, 127, 63, 31, 15, 7, 3]],
    ['merged', 300, [300, 0, 0, 0, 0, 0, 0, 0]],
  ])('of %s for max_ptes_none %i', (name, setting, limits) => {
    expect(none(name, context(setting))).toEqual(limits);
  });

  it.each([
    ['v6.18', [512]],
    ['rfc-v2', Array(7).fill(512)],
    ['v12', [511]],
    ['v15', [511]],
    ['v17', [512]],
    ['merged', [512]],
  ])('of %s for MADV_COLLAPSE does not look at the setting', (name, limits) => {
    expect(none(name, context(0, { initiator: 'madvise' }))).toEqual(limits);
  });

  it('holds swapped and shared entries to the PMD order', () => {
    const [pmd, below] = maxPtesLimits(generationByName('merged'), context(0));
    expect(pmd).toEqual({ order: 9, none: 0, swap: 64, shared: 256 });
    expect(below).toEqual({ order: 8, none: 0, swap: 0, shared: 0 });
  });

  it('of RFC v2 refuses them below it even to MADV_COLLAPSE', () => {
    const [pmd, below] = maxPtesLimits(generationByName('rfc-v2'), context(0, { initiator: 'madvise' }));
    expect(pmd).toEqual({ order: 9, none: 512, swap: 512, shared: 512 });
    expect(below).toEqual({ order: 8, none: 512, swap: 0, shared: 0 });
  });
});
