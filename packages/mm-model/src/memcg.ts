/**
 * Memory cgroups as far as access monitoring asks for them: which cgroup a process is in, and which one a folio is charged
 * to. A folio is charged to the cgroup of the process that it was allocated for, and keeps that charge wherever it goes
 * (shared by fork, split, migrated, swapped out and in) until it is freed. Limits are not modelled: a charge succeeds unless
 * a scenario lets it fail.
 *
 * The arena knows cgroups by row, row 1 being the root; their names are with who made them (`MemcgPaths`).
 */
import { asBrand } from '@thplab/arena';
import type { MemcgId, MmId, Pfn } from './brands.js';
import { FOLIO, PAGE } from './flags.js';
import { folioPages } from './folio.js';
import type { Machine } from './machine.js';

/** The root cgroup, "/": of a process that nobody has put elsewhere, and of the page cache that no process brought in. */
export const ROOT_MEMCG: MemcgId = asBrand(1);
/** A frame has 16 bits for it, and so has the kernel (MEM_CGROUP_ID_MAX). */
export const MAX_MEMCGS = 0xffff;

/** Makes a cgroup below another. Errors: TableFullError for 'memcg'. */
export function memcgCreate(m: Machine, parent: MemcgId): MemcgId {
  const memcg = m.memcg.pool.alloc();
  m.memcg.parent[memcg] = parent;
  return asBrand(memcg);
}

/** The cgroup of a process. */
export function mmMemcg(m: Machine, mm: MmId): MemcgId {
  return asBrand(m.mm.memcg[mm]);
}

/** Puts a process into a cgroup (`cgroup.procs`). What it is charged for already stays where it is. */
export function mmSetMemcg(m: Machine, mm: MmId, memcg: MemcgId): void {
  m.mm.memcg[mm] = memcg;
}

/** The cgroup that a folio is charged to (`folio_memcg`); 0: none, as memory of nobody modelled. */
export function folioMemcg(m: Machine, head: Pfn): MemcgId | 0 {
  return asBrand(m.frame.memcg[head]);
}

/** Charges a fresh folio to a cgroup (`mem_cgroup_charge`). */
export function chargeFolio(m: Machine, head: Pfn, memcg: MemcgId): void {
  m.frame.memcg[head] = memcg;
}

/**
 * Charges a page that is read in for a process: to the cgroup that it was charged to when it was swapped out, otherwise to
 * that of the process (`mem_cgroup_swapin_charge_folio`). `slot`: where it lies in swap, 0 if nowhere.
 */
export function chargeSwappedIn(m: Machine, head: Pfn, slot: number, mm: MmId): void {
  m.frame.memcg[head] = m.swap.memcg[slot] || m.mm.memcg[mm];
}

/**
 * Base pages on a node's LRU lists that are charged to a cgroup or to one below it. Unevictable ones are on none of the
 * lists that count.
 */
export function memcgLruPages(m: Machine, memcg: MemcgId, nid: number): number {
  const { flags } = m.frame;
  const inside = descendants(m, memcg);
  const end = m.node.endPfn[nid];
  let pages = 0;
  for (let pfn = m.node.firstPfn[nid]; pfn < end; ) {
    // The walk goes from folio to folio and from free block to free block: both say their order in their first frame.
    const size = folioPages(m, asBrand(pfn));
    const listed = (flags[pfn] & (PAGE.ALLOCATED | FOLIO.LRU | FOLIO.MLOCKED)) === (PAGE.ALLOCATED | FOLIO.LRU);
    if (listed && inside[m.frame.memcg[pfn]] === 1) pages += size;
    pfn += size;
  }
  return pages;
}

/** By row: 1 for the cgroup and all below it. A cgroup is made after its parent, but may have the row of an older one. */
function descendants(m: Machine, memcg: MemcgId): Uint8Array {
  const inside = new Uint8Array(m.memcg.parent.length);
  inside[memcg] = 1;
  for (let row = 1; row < inside.length; row++) {
    for (let at = row; at !== 0 && m.memcg.pool.isLive(row); at = m.memcg.parent[at]) {
      if (at === memcg) inside[row] = 1;
    }
  }
  return inside;
}

/** A path that no cgroup can have. */
export class MemcgPathError extends Error {
  override readonly name: string = 'MemcgPathError';
}

/** What is wrong with a path of a cgroup, in words; undefined: nothing. */
export function memcgPathProblem(path: string): string | undefined {
  if (path === '/') return undefined;
  if (!path.startsWith('/')) return 'begins with no /: paths of memory cgroups begin at the root, as /jobs/a';
  const names = path.slice(1).split('/');
  if (names.includes('')) return 'has a name of no letters: write /jobs/a, without // and without / at the end';
  if (names.some((name) => name === '.' || name === '..')) return 'has . or .. in it: write the path from the root';
  if (/[\0\n]/.test(path)) return 'has a character that no name of a cgroup has';
  return undefined;
}

/** A path and those above it, from the root on. */
export function memcgLineage(path: string): string[] {
  const names = path === '/' ? [] : path.slice(1).split('/');
  return ['/', ...names.map((_, depth) => `/${names.slice(0, depth + 1).join('/')}`)];
}

/** The names of a machine's cgroups. */
export class MemcgPaths {
  readonly #m: Machine;
  readonly #byPath = new Map<string, MemcgId>([['/', ROOT_MEMCG]]);

  constructor(m: Machine) {
    this.#m = m;
  }

  /** All paths, in the order in which they were made. */
  get paths(): readonly string[] {
    return [...this.#byPath.keys()];
  }

  /** The cgroup of a path, if there is one. */
  find(path: string): MemcgId | undefined {
    return this.#byPath.get(path);
  }

  /** The cgroup of a path, made with those above it if need be. Errors: MemcgPathError, TableFullError for 'memcg'. */
  ensure(path: string): MemcgId {
    const problem = memcgPathProblem(path);
    if (problem !== undefined) throw new MemcgPathError(`${path} ${problem}`);
    let memcg = ROOT_MEMCG;
    for (const one of memcgLineage(path)) {
      memcg = this.find(one) ?? memcgCreate(this.#m, memcg);
      this.#byPath.set(one, memcg);
    }
    return memcg;
  }
}
