/** What keeps a folio from being split, as data (DAMON spec 4.5): one row for each line of its table, in its order. */
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
  readonly memory: 'anon' | 'file' | 'shmem';
  readonly obstacle?: SplitObstacle;
  readonly newOrder: number;
  readonly errno: keyof typeof ERRNO;
  readonly failed: 0 | 1;
}

/** Refusals; the folio's order is 9. */
export const SPLIT_REFUSALS: readonly SplitRefusal[] = [
  { memory: 'anon', newOrder: 9, errno: 'EINVAL', failed: 0 },
  { memory: 'file', newOrder: 9, errno: 'EINVAL', failed: 0 },
  { memory: 'anon', newOrder: 10, errno: 'EINVAL', failed: 0 },
  { memory: 'anon', newOrder: 1, errno: 'EINVAL', failed: 0 },
  { memory: 'anon', obstacle: 'swap cache', newOrder: 2, errno: 'EINVAL', failed: 0 },
  { memory: 'anon', obstacle: 'writeback', newOrder: 0, errno: 'EBUSY', failed: 0 },
  { memory: 'file', obstacle: 'writeback', newOrder: 0, errno: 'EBUSY', failed: 0 },
  { memory: 'anon', obstacle: 'unmapped', newOrder: 0, errno: 'EBUSY', failed: 1 },
  { memory: 'file', obstacle: 'truncated', newOrder: 0, errno: 'EBUSY', failed: 1 },
  { memory: 'shmem', obstacle: 'truncated', newOrder: 2, errno: 'EBUSY', failed: 1 },
  { memory: 'file', obstacle: 'minimum order 4', newOrder: 3, errno: 'EINVAL', failed: 1 },
  { memory: 'file', obstacle: 'minimum order 4', newOrder: 0, errno: 'EINVAL', failed: 1 },
  { memory: 'file', obstacle: 'private data', newOrder: 0, errno: 'EBUSY', failed: 1 },
  { memory: 'file', obstacle: 'no tree node', newOrder: 0, errno: 'ENOMEM', failed: 1 },
  { memory: 'shmem', obstacle: 'no tree node', newOrder: 5, errno: 'ENOMEM', failed: 1 },
  { memory: 'anon', obstacle: 'reference', newOrder: 2, errno: 'EAGAIN', failed: 1 },
  { memory: 'file', obstacle: 'reference', newOrder: 2, errno: 'EAGAIN', failed: 1 },
  { memory: 'anon', obstacle: 'pin', newOrder: 0, errno: 'EAGAIN', failed: 1 },
  { memory: 'anon', obstacle: 'isolated', newOrder: 0, errno: 'EAGAIN', failed: 1 },
];

/** What is no obstacle: the other side of a row above. */
export const SPLIT_PERMITTED: readonly Omit<SplitRefusal, 'errno' | 'failed'>[] = [
  { memory: 'anon', newOrder: 8 },
  { memory: 'file', newOrder: 8 },
  { memory: 'file', obstacle: 'minimum order 4', newOrder: 4 },
  // 64 slots in a node of the tree: parts of order 6 and more stay on the folio's own level.
  { memory: 'file', obstacle: 'no tree node', newOrder: 6 },
  { memory: 'anon', obstacle: 'no tree node', newOrder: 0 },
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
