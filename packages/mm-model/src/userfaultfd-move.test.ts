import { HUGEPAGES_ENABLED, settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { assertMachine } from './check.js';
import { ERRNO } from './errno.js';
import { VM } from './flags.js';
import { dupMm } from './fork.js';
import { pinPages, unpinPages } from './gup.js';
import { MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mprotect } from './mprotect.js';
import { contents, frameOf, pteView } from './testing/pages.js';
import { makeWorld, mapAt, touch, type World, type WorldConfig } from './testing/world.js';
import { userfaultfdRegister } from './userfaultfd.js';
import { type UffdMoveOptions, userfaultfdMove } from './userfaultfd-move.js';

const SOURCE = 512;
const TARGET = 2048;
const PAGES = 16;

/** A populated source, and an empty target that is registered. */
function world(config?: WorldConfig, filled = PAGES): World {
  const w = makeWorld(config);
  mapAt(w, SOURCE, PAGES);
  touch(w, w.mm, SOURCE, SOURCE + filled);
  mapAt(w, TARGET, PAGES);
  expect(register(w, TARGET, PAGES)).toBe(0);
  return w;
}

const register = (w: World, start: number, pages: number): number =>
  w.run(userfaultfdRegister(w.m, w.mm, start as Vpn, pages, VM.UFFD_MISSING));
const move = (w: World, to: number, from: number, pages: number, options: UffdMoveOptions = {}): number => {
  const result = w.run(userfaultfdMove(w.m, w.mm, to as Vpn, from as Vpn, pages, options));
  assertMachine(w.m);
  return result;
};

describe('UFFDIO_MOVE', () => {
  it('moves pages with what they hold, and leaves holes', () => {
    const w = world();
    const before = contents(w, SOURCE, SOURCE + 4);
    const frame = frameOf(w, SOURCE);
    expect(move(w, TARGET + 2, SOURCE, 4)).toBe(4);
    expect(contents(w, TARGET + 2, TARGET + 6)).toEqual(before);
    expect(frameOf(w, TARGET + 2)).toBe(frame);
    expect(w.m.mm.rssAnon[w.mm]).toBe(PAGES);
    // What is left can be filled again, and the moved pages can be written.
    expect(touch(w, w.mm, SOURCE, SOURCE + 4)).toEqual([]);
    expect(touch(w, w.mm, TARGET + 2, TARGET + 6)).toEqual([]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(PAGES + 4);
    assertMachine(w.m);
  });

  it('stops at a hole of the source with what it has moved, and passes over it if told to', () => {
    const w = world({}, 3);
    expect(move(w, TARGET, SOURCE, 6)).toBe(3);
    expect(move(w, TARGET + 8, SOURCE, 2)).toBe(-ERRNO.ENOENT);
    expect(move(w, TARGET + 8, SOURCE, 2, { allowSourceHoles: true })).toBe(2);
    expect(w.m.mm.rssAnon[w.mm]).toBe(3);
  });

  it('never overwrites a page', () => {
    const w = world();
    expect(move(w, TARGET + 1, SOURCE, 1)).toBe(1);
    expect(move(w, TARGET, SOURCE + 1, 3)).toBe(1);
    expect(move(w, TARGET + 1, SOURCE + 2, 1)).toBe(-ERRNO.EEXIST);
  });

  it('refuses ranges and VMAs that cannot take part', () => {
    const w = world();
    expect(move(w, SOURCE, TARGET, 1)).toBe(-ERRNO.EINVAL);
    expect(move(w, TARGET, SOURCE, 0)).toBe(-ERRNO.EINVAL);
    expect(move(w, TARGET, SOURCE + 1, PAGES)).toBe(-ERRNO.EINVAL);
    expect(move(w, TARGET, SOURCE + 64, 1)).toBe(-ERRNO.ENOENT);
    expect(w.run(mprotect(w.m, w.mm, SOURCE as Vpn, PAGES, VM.READ))).toBe(0);
    expect(move(w, TARGET, SOURCE, 1)).toBe(-ERRNO.EINVAL);
    expect(w.m.mm.rssAnon[w.mm]).toBe(PAGES);
  });

  it('leaves a page that is shared or pinned', () => {
    const w = world();
    const pins = w.run(pinPages(w.m, w.mm, SOURCE as Vpn, 1, { write: true }));
    expect(w.run(userfaultfdMove(w.m, w.mm, TARGET as Vpn, SOURCE as Vpn, 1))).toBe(-ERRNO.EBUSY);
    unpinPages(w.m, pins.frames);
    expect(move(w, TARGET, SOURCE, 1)).toBe(1);
    w.run(dupMm(w.m, w.mm));
    expect(move(w, TARGET + 1, SOURCE + 1, 1)).toBe(-ERRNO.EBUSY);
  });

  it('splits a large folio, and a huge PMD', () => {
    const w = makeWorld({ thp: 'always' });
    w.m.setting.value[settingIndex('hugepages.enabled', 3)] = HUGEPAGES_ENABLED.always;
    mapAt(w, SOURCE, PAGES);
    mapAt(w, 4096, 512);
    mapAt(w, TARGET, PAGES);
    register(w, TARGET, PAGES);
    touch(w, w.mm, SOURCE, SOURCE + 1);
    touch(w, w.mm, 4096, 4097);
    expect(w.m.mm.anonThps[w.mm]).toBe(1);
    w.run(madvise(w.m, w.mm, 4096 as Vpn, 512, MADV.POPULATE_WRITE));
    const [content] = contents(w, SOURCE, SOURCE + 1);
    expect(move(w, TARGET, SOURCE, 1)).toBe(1);
    expect(contents(w, TARGET, TARGET + 1)).toEqual([content]);
    expect(move(w, TARGET + 1, 4096, 1)).toBe(1);
    expect(w.m.mm.anonThps[w.mm]).toBe(0);
  });

  it('moves a swap entry and a zero page as they are, and nothing that is no page', () => {
    const w = makeWorld();
    mapAt(w, SOURCE, PAGES);
    mapAt(w, TARGET, PAGES);
    register(w, TARGET, PAGES);
    touch(w, w.mm, SOURCE, SOURCE + 1);
    const before = contents(w, SOURCE, SOURCE + 1);
    w.run(madvise(w.m, w.mm, SOURCE as Vpn, 1, MADV.PAGEOUT));
    touch(w, w.mm, SOURCE + 1, SOURCE + 2, false);
    w.run(madvise(w.m, w.mm, (SOURCE + 2) as Vpn, 1, MADV.GUARD_INSTALL));
    expect(w.m.mm.swapEnts[w.mm]).toBe(1);
    expect(move(w, TARGET, SOURCE, 2)).toBe(2);
    expect(touch(w, w.mm, TARGET, TARGET + 1, false)).toEqual([]);
    expect(contents(w, TARGET, TARGET + 1)).toEqual(before);
    expect(pteView(w, TARGET + 1).state).toBe('zero');
    expect(move(w, TARGET + 2, SOURCE + 2, 1)).toBe(-ERRNO.EFAULT);
  });
});
