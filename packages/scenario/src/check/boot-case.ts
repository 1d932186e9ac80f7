/** The machine of a case: its tables have room for what its processes and actors can make, and for little else. */
import { KHUGEPAGED_TABLES, khugepagedSizes } from '@thplab/khugepaged-scheduler';
import { bootMachine, type Machine } from '@thplab/mm-model';
import type { VmaSpec } from '../format/index.js';
import type { CheckCase } from './format/check-case.js';

const PAGE = 4096;
const PAGE_SHIFT = 12;

/** Hints that can wait at once, where the kernel has them. */
const HINTS = 16;

/** VMAs that an actor may leave behind beside those it found: the parts that a change cuts off, and a new one. */
const VMAS_MADE: Readonly<Record<string, number>> = {
  madvise: 2,
  'map-anew': 2,
  mlock: 2,
  mprotect: 2,
  mremap: 3,
  munlock: 2,
  munmap: 1,
  'uffd-register': 2,
};
/** Actors that may map pages at another place, and so in page tables that nothing needed before. */
const MOVERS: ReadonlySet<string> = new Set(['mremap', 'uffd-move']);
/** Directories from the root down to a page table, without the root, that each place may need for itself. */
const DIRECTORIES_DOWN = 3;

/** Boots it. `hints`: the kernel takes hints. */
export function bootCase(check: CheckCase, hints: boolean): Machine {
  const { pmdOrder, pages, swap, slots } = check.machine;
  const vmas = check.processes.flatMap((one) => one.vmas);
  const kinds = check.actors.map(({ kind }) => kind);
  const forks = check.forks.length + kinds.filter((kind) => kind === 'fork-write').length;
  const mms = check.processes.length + forks;
  const vmaRows =
    (vmas.length +
      1 +
      Math.max(
        2,
        sum(kinds, (kind) => VMAS_MADE[kind] ?? 0),
      )) *
    (1 + forks);
  const moves = kinds.filter((kind) => MOVERS.has(kind)).length;
  const blocks = (vma: VmaSpec): number => Math.ceil(vma.size / PAGE / 2 ** pmdOrder) + 1;
  const movedBlocks = moves * Math.max(0, ...vmas.map(blocks));
  const filePages = sum(vmas, (vma) => (vma.kind === 'anon' ? 0 : blocks(vma) * 2 ** pmdOrder));
  return bootMachine({
    geometry: { pageShift: PAGE_SHIFT, pmdOrder },
    nodePages: [pages],
    cpus: Math.max(2, check.actors.length),
    swapPages: swap,
    limits: {
      mms,
      vmas: vmaRows,
      anonVmas: vmaRows,
      anonVmaChains: vmaRows * 2,
      pageTables: (sum(vmas, blocks) + movedBlocks + 2) * (1 + forks),
      directories: mms * (6 + moves * DIRECTORIES_DOWN),
      files: Math.max(4, vmas.length + 1),
      // A hash table that is never more than three quarters full.
      pageCache: Math.max(16, 2 * filePages),
    },
    extraTables: KHUGEPAGED_TABLES,
    extraSizes: { ...khugepagedSizes(mms, hints ? HINTS : 1), mmSlots: slots ?? mms },
  }).machine;
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
