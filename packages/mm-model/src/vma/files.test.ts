import { describe, expect, it } from 'vitest';
import type { Vpn } from '../brands.js';
import { assertMachine } from '../check.js';
import { FAULT } from '../fault-result.js';
import { VM, VMA_KIND } from '../flags.js';
import { dupMm } from '../fork.js';
import { pinPages, unpinPages } from '../gup.js';
import { lruAddDrainAll } from '../lru.js';
import { mmput } from '../mm.js';
import { munmap } from '../munmap.js';
import { makeWorld, mapAt, touch } from '../testing/world.js';
import { userfaultfdRegister } from '../userfaultfd.js';
import { createFile } from './files.js';

const PAGE = 512 as Vpn;

describe('shared anonymous memory', () => {
  it('goes with its last mapping, pages and all', () => {
    const w = makeWorld();
    const free = w.m.node.freePages[0];
    mapAt(w, PAGE, 8, { kind: VMA_KIND.shmem });
    touch(w, w.mm, PAGE, PAGE + 5);
    const child = w.run(dupMm(w.m, w.mm));
    w.run(munmap(w.m, w.mm, PAGE, 8));
    expect(w.m.file.pool.live).toBe(1);
    expect(touch(w, child, PAGE, PAGE + 5, false)).toEqual([]);
    w.run(mmput(w.m, child));
    expect(w.m.file.pool.live).toBe(0);
    expect(w.m.machine.pageCachePages[0]).toBe(0);
    expect(w.m.node.freePages[0]).toBe(free);
    assertMachine(w.m);
  });

  it('leaves a pinned page to its holder', () => {
    const w = makeWorld();
    mapAt(w, PAGE, 4, { kind: VMA_KIND.shmem });
    const { frames } = w.run(pinPages(w.m, w.mm, PAGE, 1, { write: true }));
    const free = w.m.node.freePages[0];
    w.run(munmap(w.m, w.mm, PAGE, 4));
    assertMachine(w.m, { pins: frames });
    unpinPages(w.m, frames);
    w.run(lruAddDrainAll(w.m));
    expect(w.m.node.freePages[0]).toBe(free + 1);
    assertMachine(w.m);
  });

  it('reports to userfaultfd what nobody has, and as minor what is only not mapped', () => {
    const w = makeWorld();
    mapAt(w, PAGE, 8, { kind: VMA_KIND.shmem });
    touch(w, w.mm, PAGE, PAGE + 1);
    w.run(userfaultfdRegister(w.m, w.mm, PAGE, 8, VM.UFFD_MISSING));
    const child = w.run(dupMm(w.m, w.mm));
    expect(touch(w, w.mm, PAGE, PAGE + 2)).toEqual([FAULT.userfault]);
    expect(touch(w, child, PAGE + 1, PAGE + 2)).toEqual([]);
    expect(touch(w, w.mm, PAGE + 1, PAGE + 2)).toEqual([]);
    touch(w, child, PAGE + 3, PAGE + 4);
    w.run(userfaultfdRegister(w.m, w.mm, PAGE, 8, VM.UFFD_MINOR));
    expect(touch(w, w.mm, PAGE + 3, PAGE + 5)).toEqual([FAULT.userfault]);
  });
});

describe('a file', () => {
  it('stays, with its pages, when nobody maps it', () => {
    const w = makeWorld();
    const file = createFile(w.m, { pages: 8 });
    mapAt(w, PAGE, 8, { kind: VMA_KIND.file, file });
    touch(w, w.mm, PAGE, PAGE + 3, false);
    w.run(munmap(w.m, w.mm, PAGE, 8));
    expect(w.m.file.cached[file]).toBe(3);
    assertMachine(w.m);
  });
});
