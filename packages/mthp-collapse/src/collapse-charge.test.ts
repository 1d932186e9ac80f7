import {
  createFile,
  folioHead,
  folioMemcg,
  MADV,
  MemcgPaths,
  madvise,
  mmSetMemcg,
  type Pfn,
  PTE_YOUNG,
  pageCacheLookup,
  placeFilePages,
  VM,
  VMA_KIND,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { CollapseWorld } from './testing/collapse-world.js';

/** A process in /before that has pages there, and has moved to /after. */
function moved(map: (w: CollapseWorld) => void): { w: CollapseWorld; before: number; after: number } {
  const w = new CollapseWorld();
  const paths = new MemcgPaths(w.m);
  const [before, after] = [paths.ensure('/before'), paths.ensure('/after')];
  mmSetMemcg(w.m, w.mm, before);
  map(w);
  mmSetMemcg(w.m, w.mm, after);
  return { w, before, after };
}

describe('a collapse charges the new folio to the cgroup of its process', () => {
  it('for anonymous memory, and the frames it leaves are charged to nobody', () => {
    const { w, before, after } = moved((world) => {
      world.map(1, { flags: VM.READ | VM.WRITE });
      world.place(0, 512);
    });
    const old = [...w.m.frame.memcg.keys()].filter((pfn) => w.m.frame.memcg[pfn] === before);
    expect(old).toHaveLength(512);
    expect(w.run(madvise(w.m, w.mm, w.base as Vpn, 512, MADV.COLLAPSE))).toBe(0);
    const charged = [...w.m.frame.memcg.keys()].filter((pfn) => w.m.frame.memcg[pfn] !== 0);
    expect(charged.map((pfn) => w.m.frame.memcg[pfn])).toEqual([after]);
    expect(w.check()).toEqual([]);
  });

  it('for shared memory', () => {
    const { w, before, after } = moved((world) => {
      const file = createFile(world.m, { pages: 512, shmem: true });
      world.map(1, { kind: VMA_KIND.shmem, flags: VM.READ | VM.WRITE | VM.SHARED, file });
      placeFilePages(world.m, world.vma(), world.base as Vpn, 512, PTE_YOUNG);
    });
    const file = w.m.vma.file[w.vma()] as Parameters<typeof pageCacheLookup>[1];
    const charge = (): number => folioMemcg(w.m, folioHead(w.m, pageCacheLookup(w.m, file, 7) as Pfn));
    expect(charge()).toBe(before);
    expect(w.run(madvise(w.m, w.mm, w.base as Vpn, 512, MADV.COLLAPSE))).toBe(0);
    expect(charge()).toBe(after);
    expect(w.check()).toEqual([]);
  });
});
