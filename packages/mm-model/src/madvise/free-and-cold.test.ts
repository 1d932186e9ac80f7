import { describe, expect, it } from 'vitest';
import { FOLIO } from '../flags.js';
import { dupMm } from '../fork.js';
import { mmput } from '../mm.js';
import { PMD, PMD_YOUNG } from '../page-table.js';
import { advise, folioFlags, orderAt, withHugePage, withPages } from '../testing/advice.js';
import { contents, frameOf, pmdEntry, pmdKind, pteView } from '../testing/pages.js';
import { touch } from '../testing/world.js';
import { MADV } from './advice.js';

describe('MADV_FREE', () => {
  it('keeps the content, and makes pages lazyfree: clean, old, not swap-backed', () => {
    const w = withPages();
    const before = contents(w, 512, 528);
    expect(advise(w, 512, 16, MADV.FREE)).toBe(0);
    expect(contents(w, 512, 528)).toEqual(before);
    expect(folioFlags(w, 513) & (FOLIO.SWAPBACKED | FOLIO.REFERENCED | FOLIO.ACTIVE)).toBe(0);
    expect(pteView(w, 513).bits).toEqual(['write', 'attention']);
  });

  it('marks a whole huge page without splitting it, and splits one that it covers in part', () => {
    const w = withHugePage();
    const frame = frameOf(w, 512);
    advise(w, 512, 512, MADV.FREE);
    expect(pmdKind(w, 512)).toBe(PMD.huge);
    expect(folioFlags(w, 512) & FOLIO.SWAPBACKED).toBe(0);
    const part = withHugePage();
    const before = contents(part, 512, 1024);
    advise(part, 600, 10, MADV.FREE);
    expect(pmdKind(part, 512)).toBe(PMD.table);
    expect([orderAt(part, 512), orderAt(part, 605)]).toEqual([0, 0]);
    expect(folioFlags(part, 605) & FOLIO.SWAPBACKED).toBe(0);
    expect(folioFlags(part, 599) & FOLIO.SWAPBACKED).not.toBe(0);
    expect(contents(part, 512, 1024)).toEqual(before);
    expect(frameOf(part, 512)).toBe(frame);
  });

  it('splits a large folio that is mapped by PTEs where it covers a part of it', () => {
    const w = withHugePage();
    advise(w, 520, 1, MADV.DONTNEED);
    expect(orderAt(w, 600)).toBe(9);
    advise(w, 600, 2, MADV.FREE);
    expect([599, 600, 601, 602].map((page) => orderAt(w, page))).toEqual([0, 0, 0, 0]);
    expect([599, 600, 601, 602].map((page) => (folioFlags(w, page) & FOLIO.SWAPBACKED) !== 0)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(511);
  });

  it('leaves a part of a large folio that a child maps too as it is', () => {
    const w = withHugePage();
    const child = w.run(dupMm(w.m, w.mm));
    advise(w, 600, 10, MADV.FREE);
    expect(orderAt(w, 605)).toBe(9);
    expect(folioFlags(w, 605) & FOLIO.SWAPBACKED).not.toBe(0);
    w.run(mmput(w.m, child));
    advise(w, 600, 10, MADV.FREE);
    expect(folioFlags(w, 605) & FOLIO.SWAPBACKED).toBe(0);
  });

  it('leaves it alone in the same way where PTEs map it', () => {
    const w = withHugePage();
    advise(w, 512, 1, MADV.DONTNEED);
    const child = w.run(dupMm(w.m, w.mm));
    advise(w, 600, 10, MADV.FREE);
    expect(orderAt(w, 605)).toBe(9);
    w.run(mmput(w.m, child));
    advise(w, 600, 10, MADV.FREE);
    expect(orderAt(w, 605)).toBe(0);
  });

  it('gives swapped-out pages up at once', () => {
    const w = withPages();
    advise(w, 512, 16, MADV.PAGEOUT);
    expect(w.m.mm.swapEnts[w.mm]).toBe(16);
    advise(w, 512, 8, MADV.FREE);
    expect(w.m.mm.swapEnts[w.mm]).toBe(8);
    expect(pteView(w, 512).state).toBe('none');
  });
});

describe('MADV_COLD and MADV_PAGEOUT', () => {
  it('COLD clears the accessed bit and what the folio remembers of its use', () => {
    const w = withPages();
    expect(pteView(w, 513).bits).toContain('young');
    expect(advise(w, 512, 16, MADV.COLD)).toBe(0);
    expect(pteView(w, 513).bits).not.toContain('young');
    expect(pteView(w, 513).bits).not.toContain('referenced');
    expect(folioFlags(w, 513) & (FOLIO.REFERENCED | FOLIO.YOUNG | FOLIO.ACTIVE)).toBe(0);
    expect(folioFlags(w, 513) & FOLIO.SWAPBACKED).not.toBe(0);
  });

  it('COLD of a whole huge page keeps it, of a part splits the folio', () => {
    const w = withHugePage();
    expect(pmdEntry(w, 512) & PMD_YOUNG).not.toBe(0);
    advise(w, 512, 512, MADV.COLD);
    expect(pmdKind(w, 512)).toBe(PMD.huge);
    expect(pmdEntry(w, 512) & PMD_YOUNG).toBe(0);
    advise(w, 512, 100, MADV.COLD);
    expect([orderAt(w, 512), orderAt(w, 900)]).toEqual([0, 0]);
  });

  it('COLD leaves pages alone that a child maps too', () => {
    const w = withPages();
    w.run(dupMm(w.m, w.mm));
    advise(w, 512, 16, MADV.COLD);
    expect(pteView(w, 513).bits).toContain('young');
  });

  it('PAGEOUT writes pages to swap, and they come back with their content', () => {
    const w = withPages();
    const before = contents(w, 512, 528);
    expect(advise(w, 512, 8, MADV.PAGEOUT)).toBe(0);
    expect(contents(w, 512, 520)).toEqual(Array(8).fill(-1));
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.swapEnts[w.mm]]).toEqual([8, 8]);
    expect(touch(w, w.mm, 512, 520, false)).toEqual([]);
    expect(contents(w, 512, 528)).toEqual(before);
  });
});
