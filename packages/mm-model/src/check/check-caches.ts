/** The swap device with its cache, and the page cache. */
import { FOLIO } from '../flags.js';
import type { Machine } from '../machine.js';
import type { Census } from './census.js';
import { headOf } from './census.js';
import { isPageCache } from './check-folios.js';
import type { Findings } from './findings.js';

/** Slots are counted once per swap entry; the swap cache and the folios in it name each other. */
export function checkSwap(m: Machine, census: Census, folios: readonly number[], findings: Findings): void {
  let used = 0;
  let cached = 0;
  const ofFiles = swapEntriesOfFiles(m);
  for (let slot = 1; slot < m.swap.capacity; slot++) {
    const entries = census.swapEntries[slot] + (ofFiles.get(slot) ?? 0);
    findings.equal(`swap slot ${slot}: count`, m.swap.count[slot], entries);
    const pfn = m.swap.cache[slot];
    if (m.swap.count[slot] !== 0 || pfn !== 0) used++;
    if (pfn === 0) continue;
    cached++;
    if ((m.frame.flags[headOf(m, pfn)] & FOLIO.SWAPCACHE) === 0)
      findings.add(`swap slot ${slot}: frame ${pfn} is not in the swap cache`);
  }
  findings.equal('swap device: slots in use', m.swap.cache[0], used);
  let pages = 0;
  for (const head of folios)
    if ((m.frame.flags[head] & FOLIO.SWAPCACHE) !== 0) pages += 1 << (m.frame.flags[head] & 0xf);
  findings.equal('swap cache: pages of folios that say they are in it', pages, cached);
}

/** Marks a page-cache entry that names a swap slot. */
const SWAP_VALUE = 0x8000_0000;

/** Entries of the page cache that name a slot, by slot. */
function swapEntriesOfFiles(m: Machine): Map<number, number> {
  const entries = new Map<number, number>();
  for (let place = 0; place < m.pageCache.capacity; place++) {
    const value = m.pageCache.pfn[place];
    if (m.pageCache.file[place] === 0 || value < SWAP_VALUE) continue;
    entries.set(value - SWAP_VALUE, (entries.get(value - SWAP_VALUE) ?? 0) + 1);
  }
  return entries;
}

/** Entries and folios of the page cache name each other, and the counts agree. */
export function checkPageCache(m: Machine, folios: readonly number[], findings: Findings): number {
  let used = 0;
  let swapped = 0;
  const byFile = new Map<number, number>();
  const swappedByFile = new Map<number, number>();
  for (let place = 0; place < m.pageCache.capacity; place++) {
    const file = m.pageCache.file[place];
    if (file === 0) continue;
    const pfn = m.pageCache.pfn[place];
    if (pfn >= SWAP_VALUE) {
      swapped++;
      swappedByFile.set(file, (swappedByFile.get(file) ?? 0) + 1);
      continue;
    }
    used++;
    byFile.set(file, (byFile.get(file) ?? 0) + 1);
    const head = headOf(m, pfn);
    const offset = m.frame.index[head] + (pfn - head);
    if (!isPageCache(m, head) || m.frame.mapping[head] !== file || offset !== m.pageCache.index[place] % 2 ** 32) {
      findings.add(
        `page cache: page ${m.pageCache.index[place]} of file ${file} names frame ${pfn}, which is not that page`,
      );
    }
  }
  let pages = 0;
  for (const head of folios) if (isPageCache(m, head)) pages += 1 << (m.frame.flags[head] & 0xf);
  findings.equal('page cache: pages of folios that say they are in it', pages, used);
  findings.equal('page cache: pages', m.machine.pageCachePages[0], used + swapped);
  for (const file of m.file.pool.rows()) {
    findings.equal(`file ${file}: cached pages`, m.file.cached[file], byFile.get(file) ?? 0);
    findings.equal(`file ${file}: swapped pages`, m.file.swapped[file], swappedByFile.get(file) ?? 0);
  }
  return used;
}
