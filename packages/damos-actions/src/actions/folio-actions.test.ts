// Actions on physical addresses (DAMON spec 3.2).

import { checkMachine, FOLIO } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { applyOnce, BASE, range } from '../testing/apply-once.js';
import { fillBase, HUGE_SIZE, keepTouching, makeDamonWorld, makeProcess } from '../testing/damon-world.js';

describe('actions on physical addresses', () => {
  it('pageout spares what is in use, unless the user has a filter for young pages', () => {
    const all = range(0, 65_536);
    for (const [touched, own, left] of [
      [true, false, 512],
      [false, false, 0],
      [true, true, 0],
    ] as const) {
      const w = makeDamonWorld({ swapPages: 4_096 });
      const { mm, vma } = makeProcess(w, BASE, 512);
      fillBase(w, vma, BASE, 512);
      if (touched) keepTouching(w, mm, BASE, 512);
      else {
        // Without signs of use: old entries, idle folios.
        w.m.pte.young.fill(0);
        for (let pfn = 0; pfn < w.m.frame.flags.length; pfn++) w.m.frame.flags[pfn] |= FOLIO.IDLE;
      }
      const opsFilters = own ? [{ type: 'young' as const, matching: false, allow: false }] : [];
      applyOnce(w, undefined, [all], { action: 'pageout', opsFilters });
      expect(w.m.mm.rssAnon[mm]).toBe(left);
      expect(checkMachine(w.m)).toEqual([]);
    }
  });

  it('lru_prio and lru_deprio move folios between the lists', () => {
    const w = makeDamonWorld();
    const { vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    const active = (): number => w.m.frame.flags.filter((flags) => (flags & FOLIO.ACTIVE) !== 0).length;
    const whole = [range(0, 65_536)];
    expect(applyOnce(w, undefined, whole, { action: 'lru_prio' }).szApplied).toBe(HUGE_SIZE);
    expect(active()).toBe(512);
    applyOnce(w, undefined, whole, { action: 'lru_deprio' });
    expect(active()).toBe(0);
  });
});
