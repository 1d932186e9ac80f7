/**
 * Splitting a folio into smaller ones (`split_huge_page_to_list_to_order`; DAMON spec 4.5).
 *
 * The kernel replaces the entries that map the folio by migration entries, freezes the reference count, makes the new
 * folios, and maps them again. Here the PTE locks of all tables that map the folio are held instead, which keeps the same
 * people out: a fault waits for the lock, and lockless GUP finds the count frozen.
 */
import { acquire, type Procedure, preempt, release, spend, tryAcquire, WRITE } from '@thplab/sync';
import { folioLockAnonVma, folioUnlockAnonVma } from './anon-vma.js';
import type { Pfn, TableId } from './brands.js';
import { deferredSplitFolio } from './deferred-queue.js';
import { ERRNO } from './errno.js';
import { slabAllocationFails } from './fault-injection.js';
import { fileMapReadLock, fileMapReadUnlock } from './file-map.js';
import { FOLIO } from './flags.js';
import {
  folioEntireMapcount,
  folioExpectedRefs,
  folioFile,
  folioHas,
  folioMapcount,
  folioOrder,
  folioPages,
} from './folio.js';
import { countMthpStat, countVmEvent, type Machine } from './machine.js';
import { flushPtes } from './page-table.js';
import { type MappedPlace, mappedPlaces, placesByTable, splitPmdMappings } from './rmap-places.js';
import { type SplitOptions as RelabelOptions, relabelSplitFolio } from './split-relabel.js';

/** Slots of a node of the page cache's tree, as a power of two (XA_CHUNK_SHIFT). */
const TREE_SHIFT = 6;

/** What a split does besides splitting. */
export type SplitOptions = Pick<RelabelOptions, 'list'>;

/**
 * Splits a folio into folios of `newOrder`, which stay mapped where its pages were; pages that nobody maps are freed, and so
 * are folios beyond the end of their file. The caller has locked the folio and holds one reference on it, and no anon_vma,
 * PMD or PTE lock; lock and reference are on the first of the new folios afterwards. Anonymous pages that hold only zeroes
 * give way to the shared zero page when the new order is 0 (`remap_page` with RMP_USE_SHARED_ZEROPAGE; conformance with
 * Linux 6.18).
 *
 * Gives 0, or a negative errno (DAMON spec 4.5, in this order):
 *
 * - EINVAL: `newOrder` is not lower; or 1; or not 0 for a folio in the swap cache
 * - EBUSY: under writeback; or mapped by nobody, so that its anon_vma cannot be held (or its file is gone)
 * - EINVAL: `newOrder` is lower than the file's folios may be
 * - EBUSY: the file system cannot release its private data
 * - ENOMEM: no node for the page cache's tree (fault injection: `injectSlabFailure`)
 * - EAGAIN: somebody else holds a reference: a pin, an isolation, a batch on the way to the LRU
 *
 * Errors: RangeError if the folio is not locked or not large.
 */
export function* splitFolioToOrder(
  m: Machine,
  head: Pfn,
  newOrder: number,
  options: SplitOptions = {},
): Procedure<number> {
  const order = folioOrder(m, head);
  if (order === 0) throw new RangeError(`frame ${head} is no large folio, so it cannot be split`);
  if (!folioHas(m, head, FOLIO.LOCKED)) throw new RangeError(`folio at frame ${head}: lock it before splitting it`);
  const refused = refuseSplit(m, head, order, newOrder);
  if (refused !== 0) return refused;
  const anon = folioHas(m, head, FOLIO.ANON);
  const result = anon
    ? yield* splitAnonFolio(m, head, newOrder, options)
    : yield* splitFileFolio(m, head, newOrder, options);
  const done = result === 0;
  if (order >= m.pmdOrder) countVmEvent(m, done ? 'thp_split_page' : 'thp_split_page_failed');
  countMthpStat(m, order, done ? 'split' : 'split_failed');
  return result;
}

/** References of mappings, of swap or page cache, and the caller's. */
function expectedRefs(m: Machine, head: Pfn): number {
  const pageCache = folioHas(m, head, FOLIO.ANON) ? 0 : folioPages(m, head);
  return folioExpectedRefs(m, head) + pageCache + 1;
}

/** The conditions that need no lock. They count as no failed split. */
function refuseSplit(m: Machine, head: Pfn, order: number, newOrder: number): number {
  if (newOrder >= order) return -ERRNO.EINVAL;
  // The facts of a large folio need four frames, so files have no folios of order 1 here either (folio.ts).
  if (newOrder === 1) return -ERRNO.EINVAL;
  if (folioHas(m, head, FOLIO.SWAPCACHE) && newOrder > 0) return -ERRNO.EINVAL;
  return folioHas(m, head, FOLIO.WRITEBACK) ? -ERRNO.EBUSY : 0;
}

function* splitAnonFolio(m: Machine, head: Pfn, newOrder: number, options: SplitOptions): Procedure<number> {
  const anonVma = yield* folioLockAnonVma(m, head, WRITE);
  if (anonVma === 0) return -ERRNO.EBUSY;
  const result = yield* unmapAndSplit(m, head, newOrder, { ...options, zeroPages: true });
  yield* folioUnlockAnonVma(m, anonVma, WRITE);
  return result;
}

/**
 * A folio that PTEs map loses them one by one before it is split, so for a moment it is partially mapped, and counts as one
 * more folio queued for a later split (`unmap_folio`, `try_to_migrate`; conformance with Linux 6.18).
 */
function queueIfUnmappedByPtes(m: Machine, head: Pfn): void {
  if (folioMapcount(m, head) - folioEntireMapcount(m, head) >= 2) deferredSplitFolio(m, head, true);
}

/** Folios of files keep their entries too; a kernel would leave them to the next fault. */
function* splitFileFolio(m: Machine, head: Pfn, newOrder: number, options: SplitOptions): Procedure<number> {
  const file = folioFile(m, head);
  if (file === 0) return -ERRNO.EBUSY;
  if (newOrder < m.file.minOrder[file]) return -ERRNO.EINVAL;
  if (m.file.privateData[file] !== 0) return -ERRNO.EBUSY;
  if (treeNodesFail(m, folioOrder(m, head), newOrder)) return -ERRNO.ENOMEM;
  yield* fileMapReadLock(m, file);
  const result = yield* unmapAndSplit(m, head, newOrder, options);
  yield* fileMapReadUnlock(m, file);
  return result;
}

/**
 * True if there is no memory for the nodes that the page cache's tree needs (`xas_split_alloc`): nodes have 64 slots, so a
 * folio whose parts need a lower level of the tree takes a node for each of its slots.
 */
function treeNodesFail(m: Machine, order: number, newOrder: number): boolean {
  const level = newOrder - (newOrder % TREE_SHIFT);
  if (order < level + TREE_SHIFT) return false;
  for (let node = 0; node < 1 << (order % TREE_SHIFT); node++) if (slabAllocationFails(m)) return true;
  return false;
}

function* unmapAndSplit(m: Machine, head: Pfn, newOrder: number, options: RelabelOptions): Procedure<number> {
  // A pin is seen before any mapping is touched, so huge PMDs stay (`can_split_folio`).
  if (m.frame.refcount[head] !== expectedRefs(m, head)) return -ERRNO.EAGAIN;
  if (folioHas(m, head, FOLIO.ANON)) queueIfUnmappedByPtes(m, head);
  yield* splitPmdMappings(m, head);
  return yield* splitMapped(m, head, newOrder, options);
}

function* splitMapped(m: Machine, head: Pfn, newOrder: number, options: RelabelOptions): Procedure<number> {
  const { tables, places } = yield* lockMappingTables(m, head);
  const result = freezeAndSplit(m, head, newOrder, places, options);
  // The entries were migration entries meanwhile (`unmap_folio`, `remap_page`).
  for (const { table, slot } of places) flushPtes(m, table, slot, slot + 1);
  yield* unlockTables(m, tables);
  yield spend(places.length * 2 * m.costs.setPte + tables.length * m.costs.pmdFlush);
  return result;
}

/** The one step that nobody sees half done: the references are all explained, and the folio becomes several. */
function freezeAndSplit(
  m: Machine,
  head: Pfn,
  newOrder: number,
  places: readonly MappedPlace[],
  options: RelabelOptions,
): number {
  // A mapping that the walk does not find is in a table that a collapse has taken out of its PMD.
  if (places.length !== folioMapcount(m, head)) return -ERRNO.EAGAIN;
  const expected = expectedRefs(m, head);
  if (Atomics.compareExchange(m.frame.refcount, head, expected, 0) !== expected) return -ERRNO.EAGAIN;
  relabelSplitFolio(m, head, newOrder, places, options);
  return 0;
}

/**
 * Locks all PTE tables that map the folio and gives the places in them. The first is waited for, the others only tried,
 * so that two who need the same tables in another order cannot wait for each other.
 */
function* lockMappingTables(m: Machine, head: Pfn): Procedure<{ tables: TableId[]; places: MappedPlace[] }> {
  for (;;) {
    const wanted = [...placesByTable(mappedPlaces(m, head)).keys()];
    const tables = yield* lockTables(m, wanted);
    const places = mappedPlaces(m, head);
    // A mapping may have gone meanwhile, with its table's lock ours; none can have come in a table that is not locked.
    if (tables.length === wanted.length && places.every(({ table }) => tables.includes(table)))
      return { tables, places };
    yield* unlockTables(m, tables);
    yield preempt();
  }
}

function* lockTables(m: Machine, tables: readonly TableId[]): Procedure<TableId[]> {
  const held: TableId[] = [];
  for (const table of tables) {
    const lock = m.locks.pteLock.ref(table);
    if (held.length === 0) yield acquire(lock);
    else if ((yield tryAcquire(lock)) === 0) break;
    held.push(table);
  }
  return held;
}

function* unlockTables(m: Machine, tables: readonly TableId[]): Procedure<void> {
  for (const table of tables.toReversed()) yield release(m.locks.pteLock.ref(table));
}
