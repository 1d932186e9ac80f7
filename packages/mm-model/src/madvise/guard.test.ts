import { describe, expect, it } from 'vitest';
import type { Vpn } from '../brands.js';
import { FAULT } from '../fault-result.js';
import { VMA_KIND } from '../flags.js';
import { dupMm } from '../fork.js';
import { munmap } from '../munmap.js';
import { advise, withHugePage, withPages } from '../testing/advice.js';
import { makeWorld, mapAt, onlyVma, ranges, touch } from '../testing/world.js';
import { MADV } from './advice.js';

describe('guard regions', () => {
  it('give SIGSEGV, lose what was there, and split no VMA', () => {
    const w = withPages();
    expect(advise(w, 514, 2, MADV.GUARD_INSTALL)).toBe(0);
    expect(ranges(w)).toEqual([[512, 528]]);
    expect(touch(w, w.mm, 513, 517)).toEqual([FAULT.sigsegv, FAULT.sigsegv]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(14);
  });

  it('outlive MADV_DONTNEED, not MADV_GUARD_REMOVE, which leaves pages alone', () => {
    const w = withPages();
    advise(w, 514, 2, MADV.GUARD_INSTALL);
    advise(w, 512, 16, MADV.DONTNEED);
    expect(touch(w, w.mm, 514, 516)).toEqual([FAULT.sigsegv, FAULT.sigsegv]);
    touch(w, w.mm, 512, 514);
    expect(advise(w, 512, 16, MADV.GUARD_REMOVE)).toBe(0);
    expect(touch(w, w.mm, 514, 516)).toEqual([]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(4);
  });

  it('go with munmap, and are inherited by a child', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    advise(w, 514, 2, MADV.GUARD_INSTALL);
    expect(w.m.vma.anonVma[onlyVma(w)]).not.toBe(0);
    const child = w.run(dupMm(w.m, w.mm));
    expect(touch(w, child, 514, 515)).toEqual([FAULT.sigsegv]);
    w.run(munmap(w.m, w.mm, 512 as Vpn, 16));
    mapAt(w, 512, 16);
    expect(touch(w, w.mm, 514, 515)).toEqual([]);
  });

  it('of shared memory are inherited too', () => {
    const w = makeWorld();
    mapAt(w, 512, 16, { kind: VMA_KIND.shmem });
    advise(w, 514, 2, MADV.GUARD_INSTALL);
    const child = w.run(dupMm(w.m, w.mm));
    expect(touch(w, child, 513, 517)).toEqual([FAULT.sigsegv, FAULT.sigsegv]);
  });

  it('replace a part of a huge page', () => {
    const w = withHugePage();
    expect(advise(w, 600, 4, MADV.GUARD_INSTALL)).toBe(0);
    expect(touch(w, w.mm, 599, 605)).toEqual(Array(4).fill(FAULT.sigsegv));
    expect(w.m.mm.rssAnon[w.mm]).toBe(508);
  });
});
