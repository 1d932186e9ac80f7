/** The memory that golden-memcg.ts is about. */
import {
  createFile,
  dupMm,
  handleMmFault,
  lruAddDrainAll,
  MemcgPaths,
  type MmId,
  mmSetMemcg,
  occupyFrame,
  type Pfn,
  placeCachedPages,
} from '@thplab/mm-model';
import { BASE } from './apply-once.js';
import { type DamonWorld, fillBase, fillHuge, makeDamonWorld, makeProcess, page } from './damon-world.js';

/** A machine with cgroups, processes in them, and memory of nobody. */
export interface MemcgWorld {
  readonly w: DamonWorld;
  readonly memcgs: MemcgPaths;
  /** The process in /jobs/a. */
  readonly a: MmId;
  /** The process in /jobs/b. */
  readonly b: MmId;
}

/** See the head of the file. */
export function memcgWorld(): MemcgWorld {
  const w = makeDamonWorld({ nodePages: [32_768, 32_768] });
  const memcgs = new MemcgPaths(w.m);
  const processIn = (path: string, base: number, huge: number): MmId => {
    const { mm, vma } = makeProcess(w, BASE, base + huge * 512);
    mmSetMemcg(w.m, mm, memcgs.ensure(path));
    fillBase(w, vma, BASE, base);
    fillHuge(w, vma, BASE + base, huge);
    return mm;
  };
  const a = processIn('/jobs/a', 512, 1);
  const b = processIn('/jobs/b', 0, 1);
  processIn('/', 256, 0);
  placeCachedPages(w.m, createFile(w.m, { pages: 16 }), 0, 16);
  for (let pfn = 32_000; pfn < 32_008; pfn++) occupyFrame(w.m, pfn as Pfn, true);
  return { w, memcgs, a, b };
}

/** A child of the process in /jobs/a: in /jobs/b from now on, with a copy of its own of its first page. */
export function childOfA({ w, memcgs, a }: MemcgWorld): MmId {
  const child = w.run(() => dupMm(w.m, a));
  mmSetMemcg(w.m, child, memcgs.ensure('/jobs/b'));
  w.run(() => handleMmFault(w.m, child, page(BASE), { write: true }));
  w.run(() => lruAddDrainAll(w.m));
  return child;
}
