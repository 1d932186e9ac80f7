/**
 * Memory cgroups in filters and goals (DAMON spec 3.5, 3.7, 6.2), for the memory of memcg-world.ts:
 *
 *   /jobs/a   512 base pages and one huge page      /          256 base pages, and 16 pages of a file
 *   /jobs/b   one huge page                         charged to none: 8 pages of nobody modelled
 */
const PAGE = 4_096;
const HUGE = 2_097_152;
const A = 512 * PAGE + HUGE;
const B = HUGE;
const ROOT = (256 + 16) * PAGE;
const NOBODY = 8 * PAGE;

/** 3.7: what stat over all physical memory lets pass by one filter. */
export const MEMCG_FILTERS = [
  { row: '3.7 memcg allows', path: '/jobs/a', matching: true, allow: true, passed: A },
  { row: '3.7 memcg allows', path: '/jobs/b', matching: true, allow: true, passed: B },
  { row: '3.7 memcg is that cgroup, not those below', path: '/jobs', matching: true, allow: true, passed: 0 },
  { row: '3.7 memcg, the root', path: '/', matching: true, allow: true, passed: ROOT },
  { row: '3.7 memcg rejects', path: '/jobs/a', matching: true, allow: false, passed: B + ROOT + NOBODY },
  { row: '3.7 memcg, all others pass', path: '/jobs/a', matching: false, allow: true, passed: B + ROOT + NOBODY },
  { row: '3.7 memcg, all others are rejected', path: '/jobs/a', matching: false, allow: false, passed: A },
] as const;

/** 3.7: virtual addresses of a child of the process in /jobs/a, which is in /jobs/b and has written to one page. */
export const MEMCG_OF_A_CHILD = [
  { row: '3.7 memcg, shared with the parent', path: '/jobs/a', passed: A - PAGE },
  { row: '3.7 memcg, its own copies', path: '/jobs/b', passed: PAGE },
  { row: '3.7 memcg', path: '/', passed: 0 },
] as const;

/** 3.5: pages of a cgroup and of those below it, of 32768 that a node has. */
export const MEMCG_GOALS = [
  { row: '3.5 node_memcg_used_bp', path: '/jobs/a', nid: 0, used: 312, free: 9_687 },
  { row: '3.5 node_memcg_used_bp', path: '/jobs/b', nid: 0, used: 156, free: 9_843 },
  { row: '3.5 node_memcg_used_bp with those below', path: '/jobs', nid: 0, used: 468, free: 9_531 },
  { row: '3.5 node_memcg_used_bp with those below', path: '/', nid: 0, used: 551, free: 9_448 },
  { row: '3.5 node_memcg_used_bp of a node without any', path: '/jobs/a', nid: 1, used: 0, free: 10_000 },
  { row: '3.5 node_memcg_used_bp of no node', path: '/jobs/a', nid: 2, used: 0, free: 10_000 },
  { row: '3.5 node_memcg_used_bp of no cgroup', path: undefined, nid: 0, used: 0, free: 10_000 },
] as const;

const FILTER = '0/contexts/0/schemes/0/ops_filters';
const GOAL = '0/contexts/0/schemes/0/quotas/goals';

/** Writes below kdamonds/ that make a filter, and a goal, of a cgroup. */
export const MEMCG_FILTER_FILES: readonly (readonly [string, string])[] = [
  [`${FILTER}/nr_filters`, '1'],
  [`${FILTER}/0/type`, 'memcg'],
  [`${FILTER}/0/matching`, 'Y'],
  [`${FILTER}/0/allow`, 'Y'],
];
export const MEMCG_GOAL_FILES: readonly (readonly [string, string])[] = [
  [`${GOAL}/nr_goals`, '1'],
  [`${GOAL}/0/target_metric`, 'node_memcg_used_bp'],
  [`${GOAL}/0/target_value`, '1000'],
];

/** 6.2: what commands say when a filter or a goal makes no sense; `write` comes after the files above. */
export const REFUSED_SCHEMES = [
  { row: '6.2 unknown memcg', files: 'filter', path: `${FILTER}/0/memcg_path`, value: '/jobs/c', says: '/jobs/c' },
  { row: '6.2 unknown memcg', files: 'filter', path: `${FILTER}/0/memcg_path`, value: 'jobs/a', says: 'jobs/a' },
  { row: '6.2 unknown memcg', files: 'filter', path: `${FILTER}/0/memcg_path`, value: '/jobs/a/', says: '/jobs/a/' },
  { row: '6.2 no memcg', files: 'filter', path: `${FILTER}/0/memcg_path`, value: '', says: 'names no memory cgroup' },
  { row: '6.2 unknown memcg', files: 'goal', path: `${GOAL}/0/path`, value: '/jobs/c', says: '/jobs/c' },
  { row: '6.2 no memcg', files: 'goal', path: `${GOAL}/0/path`, value: '', says: 'names no memory cgroup' },
] as const;

/** 6.2: filters that end before they start. */
export const REFUSED_RANGES = [
  { row: '6.2 bad addr range', layer: 'core_filters', type: 'addr', from: 'addr_start', to: 'addr_end' },
  { row: '6.2 bad hugepage size range', layer: 'ops_filters', type: 'hugepage_size', from: 'min', to: 'max' },
] as const;
