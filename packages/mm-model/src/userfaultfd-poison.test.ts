import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { assertMachine } from './check.js';
import { ERRNO } from './errno.js';
import { FAULT } from './fault-result.js';
import { ENTRY_KIND, VM } from './flags.js';
import { MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mlock } from './mlock.js';
import { pteView } from './testing/pages.js';
import { makeWorld, mapAt, touch, type World } from './testing/world.js';
import { userfaultfdRegister } from './userfaultfd.js';
import { userfaultfdPoison } from './userfaultfd-poison.js';

const poison = (w: World, start: number, pages: number): number =>
  w.run(userfaultfdPoison(w.m, w.mm, start as Vpn, pages));

function armed(): World {
  const w = makeWorld();
  mapAt(w, 512, 16);
  w.run(userfaultfdRegister(w.m, w.mm, 512 as Vpn, 8, VM.UFFD_MISSING));
  return w;
}

describe('UFFDIO_POISON', () => {
  it('puts markers where nothing is, and a touch of one gives SIGBUS', () => {
    const w = armed();
    expect(poison(w, 514, 2)).toBe(0);
    expect(pteView(w, 514)).toEqual({ state: 'entry', value: ENTRY_KIND.markerPoison, bits: [] });
    expect(touch(w, w.mm, 514, 515)).toEqual([FAULT.sigbus]);
    assertMachine(w.m);
  });

  it('overwrites neither a page, nor the zero page, nor what is in swap, nor a marker', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 513);
    touch(w, w.mm, 513, 514, false);
    touch(w, w.mm, 514, 515);
    expect(w.run(madvise(w.m, w.mm, 514 as Vpn, 1, MADV.PAGEOUT))).toBe(0);
    w.run(userfaultfdRegister(w.m, w.mm, 512 as Vpn, 8, VM.UFFD_MISSING));
    expect(poison(w, 515, 1)).toBe(0);
    for (const page of [512, 513, 514, 515]) expect(poison(w, page, 1)).toBe(-ERRNO.EEXIST);
    expect(w.m.mm.rssAnon[w.mm]).toBe(1);
    // With an entry that is present and not at once, this met a frame that does not exist.
    expect(w.run(mlock(w.m, w.mm, 512 as Vpn, 2))).toBe(0);
    assertMachine(w.m);
  });

  it('stops at what is there: EAGAIN, and what lies before it is poisoned', () => {
    const w = armed();
    mapAt(w, 1024, 4);
    touch(w, w.mm, 1026, 1027);
    w.run(userfaultfdRegister(w.m, w.mm, 1024 as Vpn, 4, VM.UFFD_MISSING));
    expect(poison(w, 1024, 4)).toBe(-ERRNO.EAGAIN);
    expect(touch(w, w.mm, 1025, 1026)).toEqual([FAULT.sigbus]);
    expect(touch(w, w.mm, 1027, 1028)).toEqual([FAULT.userfault]);
    assertMachine(w.m);
  });

  it('is for one registered VMA', () => {
    const w = armed();
    expect(poison(w, 520, 1)).toBe(-ERRNO.ENOENT);
    expect(poison(w, 518, 4)).toBe(-ERRNO.ENOENT);
    expect(poison(w, 4096, 1)).toBe(-ERRNO.ENOENT);
    expect(poison(w, 514, 0)).toBe(-ERRNO.EINVAL);
  });
});
