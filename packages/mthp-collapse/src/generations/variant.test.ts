import { describe, expect, it } from 'vitest';
import { GENERATIONS } from './index.js';
import { merged } from './merged.js';
import { variantFieldNames, variantOf } from './variant.js';

describe('a variant of a generation', () => {
  it('has the fields that were given, and all others as they were', () => {
    const variant = variantOf(merged, {
      anonVmaHeldForMthp: false,
      installLock: 'mmapReadPtl',
      swapinUnlocksTwice: true,
    });
    expect(variant).toEqual({
      ...merged,
      anonVmaHeldForMthp: false,
      installLock: 'mmapReadPtl',
      swapinUnlocksTwice: true,
    });
    expect(merged.anonVmaHeldForMthp).toBe(true);
  });

  it('changes plain values and defects only', () => {
    const names = variantFieldNames(merged);
    expect(names).toEqual(expect.arrayContaining(['walk', 'minOrder', 'countsRefsBeforeFlush']));
    for (const name of ['name', 'noneLimit', 'effects', 'results']) expect(names).not.toContain(name);
  });

  it.each([
    [{ anonVmaHeld: false }, 'no field "anonVmaHeld"; there are'],
    [{ noneLimit: 'x' }, 'no field "noneLimit"'],
    [{ anonVmaHeldForMthp: 'no' }, 'anonVmaHeldForMthp is "no"; expected a boolean'],
    [{ walk: 3 }, 'walk is 3; expected a string'],
    [{ walk: 'back' }, 'walk is "back"; expected dfs or forward or linearRescan or single'],
    [{ summary: 'x' }, 'no field "summary"'],
    [{ chunkOrder: -1 }, 'chunkOrder is -1; expected a whole number from 0 on'],
  ])('%j is refused', (fields, message) => {
    expect(() => variantOf(merged, fields)).toThrow(message);
  });

  it('no generation sets a defect that is none of its own', () => {
    const defects = variantFieldNames(merged).filter((name) => !Object.hasOwn(merged, name));
    expect(defects.length).toBeGreaterThan(5);
    for (const generation of GENERATIONS) for (const defect of defects) expect(generation).not.toHaveProperty(defect);
  });
});
