/** Small machines for tests of folios, and the ways to get at their folios. */
import { type Geometry, HUGEPAGES_ENABLED, settingIndex } from '@thplab/sysfs-schema';
import { expect } from 'vitest';
import type { MmId, Pfn, TableId, VmaId, Vpn } from '../brands.js';
import { type CheckOptions, checkMachine } from '../check.js';
import { folioHead } from '../folio.js';
import { folioDrop, folioTrylock, folioUnlock } from '../folio-hold.js';
import { folioGet } from '../folio-lifetime.js';
import { updateMirrors } from '../folio-mirror.js';
import { lruAddDrainAll } from '../lru.js';
import { findTable } from '../page-table.js';
import { type SplitOptions, splitFolioToOrder } from '../split.js';
import { vmaAt } from '../vma-tree.js';
import { frameOf } from './pages.js';
import { makeWorld, mapAt, touch, type World, type WorldConfig } from './world.js';

/** 16 PTEs per table, so a huge page is 16 base pages, and orders 2 and 3 lie below. */
export const SMALL: Geometry = { pageShift: 12, pmdOrder: 4 };
/** First page that the tests map: the start of a PMD range. */
export const BASE = 64;

/** A world with 16 PTEs per table and 512 frames; `order`: faults give folios of that order, default base pages. */
export function smallWorld(order = 0, config: WorldConfig = {}): World {
  const limits = { mms: 16, vmas: 1024, pageTables: 512, directories: 512, files: 64, pageCache: 1024 };
  const w = makeWorld({ geometry: SMALL, nodePages: [512], swapPages: 256, thp: 'always', limits, ...config });
  for (let o = 2; o <= SMALL.pmdOrder; o++) {
    const choice = o === order ? HUGEPAGES_ENABLED.always : HUGEPAGES_ENABLED.never;
    w.m.setting.value[settingIndex('hugepages.enabled', o)] = choice;
  }
  return w;
}

/** Maps and writes `pages` pages from BASE on, all on the LRU. */
export function fill(w: World, pages: number, at: number = BASE): void {
  mapAt(w, at, pages);
  touch(w, w.mm, at, at + pages);
  w.run(lruAddDrainAll(w.m));
}

/** Fails with the oracle's words if the machine is not sound. */
export function expectSound(w: World, options: CheckOptions = {}): void {
  expect(checkMachine(w.m, options)).toEqual([]);
}

/** First frame of the folio that a page is mapped to. */
export function headAt(w: World, page: number, mm: MmId = w.mm): Pfn {
  return folioHead(w.m, frameOf(w, page, mm));
}

/** VMA of a page. */
export function vmaOf(w: World, page: number, mm: MmId = w.mm): VmaId {
  return vmaAt(w.m, mm, page) as VmaId;
}

/** PTE table of a page. */
export function tableOf(w: World, page: number, mm: MmId = w.mm): TableId {
  return findTable(w.m, mm, page as Vpn) as TableId;
}

/** Locks a folio, splits it, and lets go of it. */
export function split(w: World, head: Pfn, newOrder: number, options: SplitOptions = {}): number {
  if (!folioTrylock(w.m, head)) throw new Error(`folio ${head} is locked`);
  folioGet(w.m, head);
  updateMirrors(w.m, head);
  const result = w.run(splitFolioToOrder(w.m, head, newOrder, options));
  folioUnlock(w.m, head);
  folioDrop(w.m, head);
  return result;
}
