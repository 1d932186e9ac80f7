/** The memory that golden-filters.ts is about, and its filters as schemes take them. */
import { createFile, type MmId, placeCachedPages } from '@thplab/mm-model';
import type { CoreFilter, OpsFilter } from '../schemes/filter.js';
import { BASE } from './apply-once.js';
import { type DamonWorld, fillBase, fillHuge, makeDamonWorld, makeProcess, PAGE_SIZE } from './damon-world.js';
import type { CoreFilterData, OpsFilterData } from './golden-filters.js';

/** 512 base pages and one huge page of a process, and 16 pages of a file that nobody maps. */
export function mixedMemory(): { readonly w: DamonWorld; readonly mm: MmId } {
  const w = makeDamonWorld({ nodePages: [32_768, 32_768] });
  const { mm, vma } = makeProcess(w, BASE, 1_024);
  fillBase(w, vma, BASE, 512);
  fillHuge(w, vma, BASE + 512, 1);
  placeCachedPages(w.m, createFile(w.m, { pages: 16 }), 0, 16);
  return { w, mm };
}

/** A core filter; pages are counted from BASE. */
export function coreFilter(data: CoreFilterData): CoreFilter {
  const { matching, allow } = data;
  if (data.type === 'target') return { type: 'target', matching, allow, targetIndex: data.index };
  const [start, end] = data.pages.map((page) => (BASE + page) * PAGE_SIZE) as [number, number];
  return { type: 'addr', matching, allow, start, end };
}

/** Filters of both layers, as a scheme takes them. */
export function filters(data: { readonly core?: readonly CoreFilterData[]; readonly ops?: readonly OpsFilterData[] }): {
  readonly coreFilters: CoreFilter[];
  readonly opsFilters: OpsFilter[];
} {
  return { coreFilters: (data.core ?? []).map(coreFilter), opsFilters: [...(data.ops ?? [])] };
}
