/** Counters that follow from the state: RSS, levels of vmstat, per-order levels, the deferred-split queues. */
import { mthpStatCell, type VmstatName, vmstatIndex } from '@thplab/sysfs-schema';
import { FOLIO } from '../flags.js';
import type { Machine } from '../machine.js';
import type { Census, MmCounts } from './census.js';
import { isPageCache } from './check-folios.js';
import type { Findings } from './findings.js';

const LINK_FRAME = 2;

/** RSS and the other counts of each address space. */
export function checkMmCounters(m: Machine, census: Census, findings: Findings): void {
  const names: readonly (keyof MmCounts)[] = ['rssAnon', 'rssFile', 'rssShmem', 'swapEnts', 'anonThps', 'fileThps'];
  for (const [mm, counts] of census.mms) {
    for (const name of names) findings.equal(`mm ${mm}: ${name}`, m.mm[name][mm], counts[name]);
  }
}

/** Levels of /proc/vmstat and of hugepages-*kB/stats. */
export function checkLevels(m: Machine, census: Census, folios: readonly number[], findings: Findings): void {
  const levels = { anonPages: 0, thps: 0, file: 0, shmem: 0, swapCached: 0, mlocked: 0 };
  const huge = { shmem: 0, shmemMapped: 0, file: 0, fileMapped: 0 };
  const large = new Array<number>(16).fill(0);
  const partial = new Array<number>(16).fill(0);
  for (const head of folios) {
    const flags = m.frame.flags[head];
    const order = flags & 0xf;
    const pages = 1 << order;
    if ((flags & FOLIO.SWAPCACHE) !== 0) levels.swapCached += pages;
    if ((flags & FOLIO.MLOCKED) !== 0) levels.mlocked += pages;
    if (isPageCache(m, head)) levels.file += pages;
    if ((flags & FOLIO.SHMEM) !== 0) levels.shmem += pages;
    if ((flags & FOLIO.ANON) === 0) {
      if (order < m.pmdOrder || !isPageCache(m, head)) continue;
      const mapped = census.pmdMaps[head] > 0 ? 1 : 0;
      huge[(flags & FOLIO.SHMEM) !== 0 ? 'shmem' : 'file']++;
      huge[(flags & FOLIO.SHMEM) !== 0 ? 'shmemMapped' : 'fileMapped'] += mapped;
      continue;
    }
    levels.anonPages += mappedPages(census, head, pages);
    if (census.pmdMaps[head] > 0) levels.thps++;
    if (order > 0) large[order]++;
    if ((flags & FOLIO.PARTIALLY_MAPPED) !== 0) partial[order]++;
  }
  const vmstat = (name: VmstatName, counted: number): void =>
    findings.equal(name, m.vmstat.value[vmstatIndex(name)], counted);
  vmstat('nr_anon_pages', levels.anonPages);
  vmstat('nr_anon_transparent_hugepages', levels.thps);
  vmstat('nr_file_pages', levels.file);
  vmstat('nr_shmem', levels.shmem);
  vmstat('nr_shmem_hugepages', huge.shmem);
  vmstat('nr_shmem_pmdmapped', huge.shmemMapped);
  vmstat('nr_file_hugepages', huge.file);
  vmstat('nr_file_pmdmapped', huge.fileMapped);
  vmstat('nr_swapcached', levels.swapCached);
  vmstat('nr_mlock', levels.mlocked);
  for (let order = 1; order <= m.pmdOrder; order++) {
    const name = `order ${order}: `;
    findings.equal(`${name}nr_anon`, m.mthpStat.value[mthpStatCell('nr_anon', order)], large[order]);
    const kept = m.mthpStat.value[mthpStatCell('nr_anon_partially_mapped', order)];
    findings.equal(`${name}nr_anon_partially_mapped`, kept, partial[order]);
  }
}

function mappedPages(census: Census, head: number, pages: number): number {
  if (census.pmdMaps[head] > 0) return pages;
  let mapped = 0;
  for (let pfn = head; pfn < head + pages; pfn++) if (census.pteMaps[pfn] > 0) mapped++;
  return mapped;
}

/** A folio says that it is queued if, and only if, it is on its node's queue. */
export function checkDeferredQueues(m: Machine, folios: readonly number[], findings: Findings): void {
  const queued = new Set<number>();
  for (let node = 0; node < m.nodes; node++) {
    let length = 0;
    for (let link = m.node.deferredFirst[node]; link !== 0; link = m.frame.mapping[link]) {
      const head = link - LINK_FRAME;
      if (queued.has(head)) {
        findings.add(`deferred-split queue of node ${node}: folio ${head} is on it twice`);
        return;
      }
      queued.add(head);
      length++;
    }
    findings.equal(`deferred-split queue of node ${node}: length`, m.node.deferredCount[node], length);
  }
  for (const head of folios) {
    const says = (m.frame.flags[head] & FOLIO.DEFERRED) !== 0;
    if (says !== queued.has(head))
      findings.add(`folio ${head} ${says ? 'says it is' : 'does not say it is'} queued for splitting`);
    queued.delete(head);
  }
  for (const head of queued) findings.add(`folio ${head} is queued for splitting, but not allocated`);
}
