import { TableFullError } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import type { MemcgId, MmId } from './brands.js';
import { takeBlock } from './buddy.js';
import { checkMachine } from './check.js';
import { VM, VMA_KIND } from './flags.js';
import { dupMm } from './fork.js';
import { lruAddDrainAll } from './lru.js';
import { folioMemcg, MemcgPathError, MemcgPaths, memcgLruPages, mmSetMemcg, ROOT_MEMCG } from './memcg.js';
import { migrateFolio } from './migrate.js';
import { mlock } from './mlock.js';
import { mmAlloc, mmput } from './mm.js';
import { munmap } from './munmap.js';
import { placeBasePages, placeSwapped } from './populate.js';
import { placeCachedPages, placeFilePages } from './populate-files.js';
import { swapOutFolio } from './swap-out.js';
import { BASE, expectSound, fill, headAt, smallWorld, split, vmaOf } from './testing/folios.js';
import { frameOf } from './testing/pages.js';
import { mapAt, touch, type World, type WorldConfig } from './testing/world.js';
import { createFile } from './vma/files.js';

/** A world whose process is in /a, and a second process in /b. */
function twoGroups(order = 0, config: WorldConfig = {}): { w: World; a: MemcgId; b: MemcgId; other: MmId } {
  const w = smallWorld(order, config);
  const paths = new MemcgPaths(w.m);
  const [a, b] = [paths.ensure('/a'), paths.ensure('/b')];
  const other = mmAlloc(w.m);
  mmSetMemcg(w.m, w.mm, a);
  mmSetMemcg(w.m, other, b);
  return { w, a, b, other };
}

const chargeAt = (w: World, page: number, mm: MmId = w.mm): number => folioMemcg(w.m, headAt(w, page, mm));

describe('a folio is charged to the memory cgroup', () => {
  it.each([0, 2, 4])('of the process that faulted it in, at order %i', (order) => {
    const { w, a } = twoGroups(order);
    fill(w, 16);
    expect(chargeAt(w, BASE)).toBe(a);
    expectSound(w);
  });

  it('of the process, which is the root where nobody said otherwise', () => {
    const w = smallWorld();
    fill(w, 1);
    expect(chargeAt(w, BASE)).toBe(ROOT_MEMCG);
  });

  it('that the process was in then: one that moves leaves its memory behind', () => {
    const { w, a, b } = twoGroups();
    fill(w, 1);
    mmSetMemcg(w.m, w.mm, b);
    touch(w, w.mm, BASE, BASE + 1);
    expect(chargeAt(w, BASE)).toBe(a);
  });

  it('of the parent while a child shares it; the copy that a write makes is the child’s', () => {
    const { w, a, b } = twoGroups();
    fill(w, 2);
    const child = w.run(dupMm(w.m, w.mm));
    expect(w.m.mm.memcg[child]).toBe(a);
    mmSetMemcg(w.m, child, b);
    touch(w, child, BASE, BASE + 1);
    expect([chargeAt(w, BASE, child), chargeAt(w, BASE), chargeAt(w, BASE + 1, child)]).toEqual([b, a, a]);
    w.run(mmput(w.m, w.mm));
    expect(chargeAt(w, BASE + 1, child)).toBe(a);
    expectSound(w);
  });

  it('of its folio, when that is split', () => {
    const { w, a } = twoGroups(4);
    fill(w, 16);
    expect(split(w, headAt(w, BASE), 2)).toBe(0);
    expect([0, 4, 8, 12].map((page) => chargeAt(w, BASE + page))).toEqual([a, a, a, a]);
    expectSound(w);
  });

  it('it was charged to, in other frames', () => {
    const { w, a } = twoGroups(2);
    fill(w, 4);
    const head = headAt(w, BASE);
    const room = takeBlock(w.m, 0, 2);
    expect(room !== 0 && migrateFolio(w.m, head, room)).toBe(true);
    expect([chargeAt(w, BASE), w.m.frame.memcg[head]]).toEqual([a, 0]);
  });

  it('it was swapped out of, whoever reads it in', () => {
    const { w, a, b } = twoGroups();
    fill(w, 1);
    w.run(swapOutFolio(w.m, headAt(w, BASE)));
    mmSetMemcg(w.m, w.mm, b);
    touch(w, w.mm, BASE, BASE + 1);
    expect(chargeAt(w, BASE)).toBe(a);
    expectSound(w);
  });

  it('of the process that set-up gave it to, in memory or in swap', () => {
    const { w, a } = twoGroups();
    mapAt(w, BASE, 4);
    placeBasePages(w.m, vmaOf(w, BASE), BASE as never, 2, 0);
    placeSwapped(w.m, vmaOf(w, BASE), (BASE + 2) as never, 2);
    touch(w, w.mm, BASE + 3, BASE + 4);
    expect([BASE, BASE + 1, BASE + 3].map((page) => chargeAt(w, page))).toEqual([a, a, a]);
    expectSound(w);
  });

  it.each([VMA_KIND.file, VMA_KIND.shmem])('of who first touched the page of a file (kind %i)', (kind) => {
    const { w, a, other } = twoGroups();
    const file = createFile(w.m, { pages: 4, shmem: kind === VMA_KIND.shmem });
    mapAt(w, BASE, 4, { kind, flags: VM.READ | VM.WRITE | VM.SHARED, file });
    touch(w, w.mm, BASE, BASE + 1, false);
    mapAt({ ...w, mm: other }, BASE, 4, { kind, flags: VM.READ | VM.WRITE | VM.SHARED, file });
    touch(w, other, BASE, BASE + 1, false);
    expect(frameOf(w, BASE, other)).toBe(frameOf(w, BASE));
    expect(chargeAt(w, BASE, other)).toBe(a);
    placeFilePages(w.m, vmaOf(w, BASE), (BASE + 1) as never, 1, 0);
    expect(chargeAt(w, BASE + 1)).toBe(a);
    placeCachedPages(w.m, file, 2, 1);
    touch(w, w.mm, BASE + 2, BASE + 3, false);
    expect(chargeAt(w, BASE + 2)).toBe(ROOT_MEMCG);
    expectSound(w);
  });

  it('until it is freed: who gets the frames next is charged for them', () => {
    const { w, b, other } = twoGroups(0, { nodePages: [128], swapPages: 0 });
    fill(w, 64);
    const frames = new Set(Array.from({ length: 64 }, (_, page) => frameOf(w, BASE + page)));
    w.run(munmap(w.m, w.mm, BASE as never, 64));
    expect([...frames].map((pfn) => w.m.frame.memcg[pfn])).toEqual([...frames].map(() => 0));
    const there = { ...w, mm: other };
    mapAt(there, BASE, 100);
    touch(w, other, BASE, BASE + 100);
    const again = Array.from({ length: 100 }, (_, page) => frameOf(w, BASE + page, other));
    expect(again.some((pfn) => frames.has(pfn))).toBe(true);
    expect(new Set(again.map((pfn) => w.m.frame.memcg[pfn]))).toEqual(new Set([b]));
    expectSound(w);
  });
});

describe('pages of a cgroup on the LRU of a node', () => {
  it('are its own and those of the cgroups below it, without locked ones', () => {
    const { w, a, b, other } = twoGroups();
    const paths = new MemcgPaths(w.m);
    const below = paths.ensure('/c/d');
    fill(w, 8);
    const there = { ...w, mm: other };
    mapAt(there, BASE, 4);
    touch(w, other, BASE, BASE + 4);
    mmSetMemcg(w.m, other, below);
    mapAt(there, BASE + 8, 2);
    touch(w, other, BASE + 8, BASE + 10);
    w.run(mlock(w.m, w.mm, BASE as never, 3));
    w.run(lruAddDrainAll(w.m));
    const pages = (memcg: MemcgId | undefined): number => (memcg === undefined ? -1 : memcgLruPages(w.m, memcg, 0));
    expect([a, b, below, paths.find('/c'), ROOT_MEMCG].map(pages)).toEqual([5, 4, 2, 2, 11]);
  });
});

describe('paths of cgroups', () => {
  it('have a row each, those above them too, and the root is row 1', () => {
    const w = smallWorld();
    const paths = new MemcgPaths(w.m);
    const leaf = paths.ensure('/jobs/a/b');
    expect(paths.paths).toEqual(['/', '/jobs', '/jobs/a', '/jobs/a/b']);
    expect([paths.find('/'), paths.find('/jobs/a/b'), paths.find('/jobs/b')]).toEqual([ROOT_MEMCG, leaf, undefined]);
    expect(paths.ensure('/jobs/a/b')).toBe(leaf);
    expectSound(w);
  });

  it.each(['', 'jobs', '/jobs/', '//a', '/a//b', '/a/../b', '/.', '/a\nb'])('refuse %j', (path) => {
    expect(() => new MemcgPaths(smallWorld().m).ensure(path)).toThrow(MemcgPathError);
  });

  it('end where the table does', () => {
    const paths = new MemcgPaths(smallWorld(0, { limits: { memcgs: 2 } }).m);
    paths.ensure('/a');
    expect(() => paths.ensure('/b')).toThrow(TableFullError);
  });
});

describe('the oracle', () => {
  it('notices a folio without a charge, a charge to no cgroup, and a free frame with one', () => {
    const { w } = twoGroups();
    fill(w, 1);
    const head = headAt(w, BASE);
    for (const [pfn, memcg] of [
      [head, 0],
      [head, 77],
      [400, 1],
    ]) {
      const was = w.m.frame.memcg[pfn];
      w.m.frame.memcg[pfn] = memcg;
      expect(checkMachine(w.m).join('\n')).toContain(`charged to memory cgroup ${memcg}`);
      w.m.frame.memcg[pfn] = was;
    }
    expectSound(w);
  });
});
