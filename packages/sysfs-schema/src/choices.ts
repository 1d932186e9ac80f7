/**
 * The choice files. A setting of such a file is stored as the index of its word in the order the kernel displays the words
 * (khugepaged spec 14.1), so one table serves reading, writing and storage.
 */

/** `enabled`: which anonymous VMAs may have huge pages. */
export const THP_ENABLED_WORDS = ['always', 'madvise', 'never'] as const;
export const THP_ENABLED = { always: 0, madvise: 1, never: 2 } as const;
export type ThpEnabled = (typeof THP_ENABLED)[keyof typeof THP_ENABLED];

/** `defrag`: how hard a page fault tries to get a huge page. */
export const THP_DEFRAG_WORDS = ['always', 'defer', 'defer+madvise', 'madvise', 'never'] as const;
export const THP_DEFRAG = { always: 0, defer: 1, deferMadvise: 2, madvise: 3, never: 4 } as const;
export type ThpDefrag = (typeof THP_DEFRAG)[keyof typeof THP_DEFRAG];

/** `shmem_enabled`: the policy of the internal shmem mount; `deny` and `force` override every mount. */
export const SHMEM_ENABLED_WORDS = ['always', 'within_size', 'advise', 'never', 'deny', 'force'] as const;
export const SHMEM_ENABLED = { always: 0, withinSize: 1, advise: 2, never: 3, deny: 4, force: 5 } as const;
export type ShmemEnabled = (typeof SHMEM_ENABLED)[keyof typeof SHMEM_ENABLED];

/** `hugepages-<size>kB/enabled`: the same as `enabled` for one size, or `inherit` from it. */
export const HUGEPAGES_ENABLED_WORDS = ['always', 'inherit', 'madvise', 'never'] as const;
export const HUGEPAGES_ENABLED = { always: 0, inherit: 1, madvise: 2, never: 3 } as const;
export type HugepagesEnabled = (typeof HUGEPAGES_ENABLED)[keyof typeof HUGEPAGES_ENABLED];

/** `hugepages-<size>kB/shmem_enabled`: the same as `shmem_enabled` for one size, or `inherit` from it. */
export const HUGEPAGES_SHMEM_ENABLED_WORDS = ['always', 'inherit', 'within_size', 'advise', 'never'] as const;
export const HUGEPAGES_SHMEM_ENABLED = { always: 0, inherit: 1, withinSize: 2, advise: 3, never: 4 } as const;
export type HugepagesShmemEnabled = (typeof HUGEPAGES_SHMEM_ENABLED)[keyof typeof HUGEPAGES_SHMEM_ENABLED];
