/** What keeps a folio from being split, as data (DAMON spec 4.5), and what a split leaves: rows for the lines of its table, in its order. */
import type { ERRNO } from '../errno.js';

/** What is done to a huge folio, mapped by one process, before the split. */
export type SplitObstacle =
  | 'swap cache'
  | 'writeback'
  | 'unmapped'
  | 'truncated'
  | 'minimum order 4'
  | 'private data'
  | 'no tree node'
  | 'reference'
  | 'pin'
  | 'isolated';

/** `failed`: it counts in thp_split_page_failed and split_failed. */
export interface SplitRefusal {
  /** Section and line of its table. */
  readonly row: string;
  readonly memory: 'anon' | 'file' | 'shmem';
  readonly obstacle?: SplitObstacle;
  readonly newOrder: number;
  readonly errno: keyof typeof ERRNO;
  readonly failed: 0 | 1;
}

/** Refusals; the folio's order is 9. */
export const SPLIT_REFUSALS: readonly SplitRefusal[] = [
  { row: '4.5 new order >= current order', memory: 'anon', newOrder: 9, errno: 'EINVAL', failed: 0 },
  { row: '4.5 new order >= current order', memory: 'file', newOrder: 9, errno: 'EINVAL', failed: 0 },
  { row: '4.5 new order >= current order', memory: 'anon', newOrder: 10, errno: 'EINVAL', failed: 0 },
  { row: '4.5 anonymous, new order 1', memory: 'anon', newOrder: 1, errno: 'EINVAL', failed: 0 },
  { row: '4.5 anon in swap cache', memory: 'anon', obstacle: 'swap cache', newOrder: 2, errno: 'EINVAL', failed: 0 },
  { row: '4.5 under writeback', memory: 'anon', obstacle: 'writeback', newOrder: 0, errno: 'EBUSY', failed: 0 },
  { row: '4.5 under writeback', memory: 'file', obstacle: 'writeback', newOrder: 0, errno: 'EBUSY', failed: 0 },
  { row: '4.5 anon_vma gone', memory: 'anon', obstacle: 'unmapped', newOrder: 0, errno: 'EBUSY', failed: 1 },
  { row: '4.5 file truncated', memory: 'file', obstacle: 'truncated', newOrder: 0, errno: 'EBUSY', failed: 1 },
  { row: '4.5 file truncated', memory: 'shmem', obstacle: 'truncated', newOrder: 2, errno: 'EBUSY', failed: 1 },
  {
    row: '4.5 minimum folio order',
    memory: 'file',
    obstacle: 'minimum order 4',
    newOrder: 3,
    errno: 'EINVAL',
    failed: 1,
  },
  {
    row: '4.5 minimum folio order',
    memory: 'file',
    obstacle: 'minimum order 4',
    newOrder: 0,
    errno: 'EINVAL',
    failed: 1,
  },
  { row: '4.5 private data', memory: 'file', obstacle: 'private data', newOrder: 0, errno: 'EBUSY', failed: 1 },
  {
    row: '4.5 xarray node allocation',
    memory: 'file',
    obstacle: 'no tree node',
    newOrder: 0,
    errno: 'ENOMEM',
    failed: 1,
  },
  {
    row: '4.5 xarray node allocation',
    memory: 'shmem',
    obstacle: 'no tree node',
    newOrder: 5,
    errno: 'ENOMEM',
    failed: 1,
  },
  { row: '4.5 unexpected references', memory: 'anon', obstacle: 'reference', newOrder: 2, errno: 'EAGAIN', failed: 1 },
  { row: '4.5 unexpected references', memory: 'file', obstacle: 'reference', newOrder: 2, errno: 'EAGAIN', failed: 1 },
  { row: '4.5 unexpected references', memory: 'anon', obstacle: 'pin', newOrder: 0, errno: 'EAGAIN', failed: 1 },
  { row: '4.5 unexpected references', memory: 'anon', obstacle: 'isolated', newOrder: 0, errno: 'EAGAIN', failed: 1 },
];

/** What is no obstacle: the other side of a row above. */
export const SPLIT_PERMITTED: readonly Omit<SplitRefusal, 'errno' | 'failed'>[] = [
  { row: '4.5 new order >= current order', memory: 'anon', newOrder: 8 },
  { row: '4.5 new order >= current order', memory: 'file', newOrder: 8 },
  { row: '4.5 minimum folio order', memory: 'file', obstacle: 'minimum order 4', newOrder: 4 },
  // 64 slots in a node of the tree: parts of order 6 and more stay on the folio's own level.
  { row: '4.5 xarray node allocation', memory: 'file', obstacle: 'no tree node', newOrder: 6 },
  { row: '4.5 xarray node allocation', memory: 'anon', obstacle: 'no tree node', newOrder: 0 },
];

/** Obstacles of one file folio at once, to order 0, and the answer that each gives while it and the later ones are there. */
export const SPLIT_CHECK_ORDER: readonly { readonly obstacle: SplitObstacle; readonly errno: keyof typeof ERRNO }[] = [
  { obstacle: 'writeback', errno: 'EBUSY' },
  { obstacle: 'minimum order 4', errno: 'EINVAL' },
  { obstacle: 'private data', errno: 'EBUSY' },
  { obstacle: 'no tree node', errno: 'ENOMEM' },
  { obstacle: 'reference', errno: 'EAGAIN' },
];

/** Nodes of the page cache's tree that splits of an order-9 folio take: 64 slots a node. */
export const SPLIT_TREE_NODES: readonly { readonly newOrder: number; readonly nodes: number }[] = [
  { newOrder: 8, nodes: 0 },
  { newOrder: 6, nodes: 0 },
  { newOrder: 5, nodes: 8 },
  { newOrder: 2, nodes: 8 },
  { newOrder: 0, nodes: 8 },
];

/** Folios that a split is a bug of the caller for. */
export const SPLIT_BUGS = [
  { row: '4.5 not locked or not large', order: 9, locked: false, says: 'lock it' },
  { row: '4.5 not locked or not large', order: 0, locked: true, says: 'no large folio' },
] as const;

/** A reference that comes between the check and the freezing of the count. */
export const SPLIT_RACE = { row: '4.5 reference freeze fails', errno: 'EAGAIN', failed: 1 } as const;

/**
 * What a split of an anonymous folio of order 9 leaves: `mapped` of its 512 pages are mapped, by its PMD if all are, and
 * `written` of these hold more than zeroes. Folios of the new order, free pages, and pages of the process afterwards.
 */
export const SPLIT_EFFECTS = [
  {
    row: '4.5 per-size nr_anon',
    newOrder: 2,
    mapped: 512,
    written: 512,
    folios: 128,
    freed: 0,
    rss: 512,
    pmdSplits: 1,
  },
  { row: '4.5 per-size nr_anon', newOrder: 4, mapped: 512, written: 512, folios: 32, freed: 0, rss: 512, pmdSplits: 1 },
  { row: '4.5 per-size nr_anon', newOrder: 8, mapped: 512, written: 512, folios: 2, freed: 0, rss: 512, pmdSplits: 1 },
  { row: '4.5 per-size nr_anon', newOrder: 0, mapped: 512, written: 512, folios: 0, freed: 0, rss: 512, pmdSplits: 1 },
  { row: '4.5 zero-filled pages', newOrder: 0, mapped: 512, written: 3, folios: 0, freed: 509, rss: 3, pmdSplits: 1 },
  { row: '4.5 zero-filled pages', newOrder: 2, mapped: 512, written: 3, folios: 128, freed: 0, rss: 512, pmdSplits: 1 },
  {
    row: '4.5 partially mapped',
    newOrder: 0,
    mapped: 100,
    written: 512,
    folios: 0,
    freed: 412,
    rss: 100,
    pmdSplits: 1,
  },
  {
    row: '4.5 partially mapped',
    newOrder: 4,
    mapped: 100,
    written: 512,
    folios: 7,
    freed: 400,
    rss: 100,
    pmdSplits: 1,
  },
] as const;

/**
 * A huge folio of a file of so many pages, and a split: pages in the page cache and in the process, and free pages more than
 * before. A folio that the end of the file lies in stays whole. Splitting a PMD that maps a file clears it.
 */
export const SPLIT_BEYOND_END = [
  {
    row: '4.5 pages beyond EOF',
    memory: 'shmem',
    by: 'pmd',
    filePages: 300,
    newOrder: 0,
    cached: 300,
    rss: 0,
    freed: 212,
  },
  {
    row: '4.5 pages beyond EOF',
    memory: 'shmem',
    by: 'ptes',
    filePages: 300,
    newOrder: 0,
    cached: 300,
    rss: 300,
    freed: 212,
  },
  {
    row: '4.5 pages beyond EOF',
    memory: 'file',
    by: 'ptes',
    filePages: 300,
    newOrder: 0,
    cached: 300,
    rss: 300,
    freed: 212,
  },
  {
    row: '4.5 pages beyond EOF',
    memory: 'shmem',
    by: 'ptes',
    filePages: 300,
    newOrder: 4,
    cached: 304,
    rss: 304,
    freed: 208,
  },
  { row: '4.5 pages beyond EOF', memory: 'file', by: 'pmd', filePages: 1, newOrder: 2, cached: 4, rss: 0, freed: 508 },
  {
    row: '4.5 pages beyond EOF',
    memory: 'shmem',
    by: 'ptes',
    filePages: 512,
    newOrder: 2,
    cached: 512,
    rss: 512,
    freed: 0,
  },
] as const;
