// Actions that are advice of madvise on virtual addresses (DAMON spec 3.2).

import { checkMachine, VM, vmasOf } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { applyOnce, BASE, range } from '../testing/apply-once.js';
import { fillBase, HUGE_SIZE, makeDamonWorld, makeProcess } from '../testing/damon-world.js';

describe('actions that are advice', () => {
  it('hugepage and nohugepage set the flags of the VMA', () => {
    for (const [action, flag] of [
      ['hugepage', VM.HUGEPAGE],
      ['nohugepage', VM.NOHUGEPAGE],
    ] as const) {
      const w = makeDamonWorld();
      const { mm } = makeProcess(w, BASE, 1_024);
      expect(applyOnce(w, mm, [range(BASE, 512)], { action })).toMatchObject({ nrApplied: 1, szApplied: HUGE_SIZE });
      expect([...vmasOf(w.m, mm)].map((vma) => (w.m.vma.flags[vma] & flag) !== 0)).toEqual([true, false]);
    }
  });

  it('cold and willneed are applied in full; pageout swaps out', () => {
    const w = makeDamonWorld({ swapPages: 4_096 });
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    for (const action of ['cold', 'willneed', 'pageout'] as const) {
      expect(applyOnce(w, mm, [range(BASE, 512)], { action }).szApplied).toBe(HUGE_SIZE);
    }
    expect([w.m.mm.rssAnon[mm], w.m.mm.swapEnts[mm]]).toEqual([0, 512]);
    expect(checkMachine(w.m)).toEqual([]);
  });
});
