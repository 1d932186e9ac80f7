/**
 * Golden data of DAMON spec 10, and of those selftests of 11.3 whose only claim is that nothing breaks. What is about quotas,
 * filters, collapse and split is in their files, under the same names ('10 #5', ...). See golden.ts.
 */

/** One step of a user at the files below kdamonds/, or of the world around. */
export type SysfsStep =
  | { readonly write: readonly [path: string, text: string]; readonly result: string }
  | { readonly read: string; readonly is: string | undefined }
  | { readonly read: string; readonly atLeast: number }
  /** Seconds. */
  | { readonly pass: number }
  /** The process exits. */
  | { readonly exit: true }
  /** So many schemes run. */
  | { readonly schemes: number };

export interface SysfsCase {
  readonly row: string;
  readonly says: string;
  /** First a kdamond for a process of 8 MiB is set up, with one scheme of stat that every region fits. */
  readonly setUp: boolean;
  readonly steps: readonly SysfsStep[];
}

const CONTEXT = '0/contexts/0';
const SCHEME = `${CONTEXT}/schemes/0`;
const NR_TRIED = `${SCHEME}/stats/nr_tried`;
const on = { write: ['0/state', 'on'], result: 'ok' } as const;
const off = { write: ['0/state', 'off'], result: 'ok' } as const;
const isOn = { read: '0/state', is: 'on' } as const;
const isOff = { read: '0/state', is: 'off' } as const;
const commit = { write: ['0/state', 'commit'], result: 'ok' } as const;
const updateStats = { write: ['0/state', 'update_schemes_stats'], result: 'ok' } as const;

/** A user's way through an edge case. */
export const SYSFS_CASES: readonly SysfsCase[] = [
  {
    row: '10 #1',
    says: 'with the pattern that sysfs starts with nothing is tried',
    setUp: true,
    steps: [
      { write: [`${CONTEXT}/schemes/nr_schemes`, '0'], result: 'ok' },
      { write: [`${CONTEXT}/schemes/nr_schemes`, '1'], result: 'ok' },
      { read: `${SCHEME}/action`, is: 'stat' },
      { read: `${SCHEME}/access_pattern/sz/max`, is: '0' },
      { read: `${SCHEME}/access_pattern/nr_accesses/max`, is: '0' },
      { read: `${SCHEME}/access_pattern/age/max`, is: '0' },
      on,
      { pass: 1 },
      updateStats,
      { read: NR_TRIED, is: '0' },
    ],
  },
  {
    row: '10 #2',
    says: 'min_nr_regions 2 can be written, and is refused at on; 3 is taken',
    setUp: true,
    steps: [
      { write: [`${CONTEXT}/monitoring_attrs/nr_regions/min`, '2'], result: 'ok' },
      { write: ['0/state', 'on'], result: 'EINVAL' },
      isOff,
      { write: [`${CONTEXT}/monitoring_attrs/nr_regions/min`, '3'], result: 'ok' },
      on,
    ],
  },
  {
    row: '10 #3',
    says: 'the process exits: the kdamond stops, its state is off, statistics stay',
    setUp: true,
    steps: [on, { pass: 0.35 }, { exit: true }, { pass: 0.2 }, isOff, updateStats, { read: NR_TRIED, atLeast: 3 }],
  },
  {
    row: '10 #4',
    says: 'a process with one VMA has no layout: vaddr has no regions, and nothing is tried',
    setUp: true,
    steps: [
      { write: [`${CONTEXT}/operations`, 'vaddr'], result: 'ok' },
      { write: [`${CONTEXT}/targets/0/regions/nr_regions`, '0'], result: 'ok' },
      on,
      { pass: 1 },
      updateStats,
      { read: NR_TRIED, is: '0' },
    ],
  },
  {
    row: '10 #15',
    says: 'a commit with fewer schemes: those left over go, the statistics of the others stay',
    setUp: true,
    steps: [
      { write: [`${CONTEXT}/schemes/nr_schemes`, '3'], result: 'ok' },
      { write: [`${SCHEME}/access_pattern/sz/max`, '18446744073709551615'], result: 'ok' },
      { write: [`${SCHEME}/access_pattern/nr_accesses/max`, '4294967295'], result: 'ok' },
      { write: [`${SCHEME}/access_pattern/age/max`, '4294967295'], result: 'ok' },
      on,
      { pass: 0.35 },
      { schemes: 3 },
      updateStats,
      { read: NR_TRIED, atLeast: 3 },
      { write: [`${CONTEXT}/schemes/nr_schemes`, '0'], result: 'ok' },
      { write: [`${CONTEXT}/schemes/nr_schemes`, '1'], result: 'ok' },
      commit,
      { schemes: 1 },
      updateStats,
      { read: NR_TRIED, atLeast: 3 },
    ],
  },
  {
    row: '10 #16',
    says: 'statistics updated after off are the last values',
    setUp: true,
    steps: [on, { pass: 0.35 }, off, { read: NR_TRIED, is: '0' }, updateStats, { read: NR_TRIED, atLeast: 3 }],
  },
  {
    row: '10 #17',
    says: 'on twice is busy, and runs on',
    setUp: true,
    steps: [on, { write: ['0/state', 'on'], result: 'EBUSY' }, isOn],
  },
  {
    row: '10 #18',
    says: 'one context at most',
    setUp: false,
    steps: [
      { write: ['nr_kdamonds', '1'], result: 'ok' },
      { write: ['0/contexts/nr_contexts', '2'], result: 'EINVAL' },
      { read: '0/contexts/nr_contexts', is: '0' },
      { write: ['0/contexts/nr_contexts', '1'], result: 'ok' },
    ],
  },
  {
    row: '11.3 sysfs.sh',
    says: 'a filter of a type that does not exist is refused',
    setUp: true,
    steps: [
      { write: [`${SCHEME}/filters/nr_filters`, '1'], result: 'ok' },
      { write: [`${SCHEME}/filters/0/type`, 'foo'], result: 'EINVAL' },
      { write: [`${SCHEME}/filters/0/type`, 'anon'], result: 'ok' },
    ],
  },
  ...['update_schemes_stats', 'update_schemes_tried_regions', 'update_schemes_effective_quotas'].map(
    (command): SysfsCase => ({
      row: '11.3 sysfs_update_removed_scheme_dir.sh',
      says: `${command} outlives that the folders of schemes are gone`,
      setUp: true,
      steps: [
        on,
        { pass: 0.25 },
        { write: [`${CONTEXT}/schemes/nr_schemes`, '0'], result: 'ok' },
        { write: ['0/state', command], result: 'ok' },
        { read: NR_TRIED, is: undefined },
        { pass: 0.25 },
        isOn,
        off,
      ],
    }),
  ),
  {
    row: '11.3 sysfs_no_target_commit',
    says: 'a commit without targets: none is left to be monitored, so it ends, as where the processes exit',
    setUp: true,
    steps: [
      on,
      { pass: 0.25 },
      { write: [`${CONTEXT}/targets/nr_targets`, '0'], result: 'ok' },
      commit,
      { pass: 0.25 },
      isOff,
    ],
  },
];

/** 10 #7: a scheme for regions of age 1 and more, behind one with this action, on a region of age 5. */
export const SECOND_SCHEME = [
  { row: '10 #7', action: 'lru_deprio', age: 5, least: 1, tried: 0 },
  { row: '10 #7', action: 'pageout', age: 5, least: 1, tried: 0 },
  { row: '3.4 stat leaves the age', action: 'stat', age: 5, least: 1, tried: 1 },
] as const;

/** 10 #14: regions inside a huge page of which one base page is in use. */
export const INSIDE_A_HUGE_PAGE = {
  row: '10 #14',
  parts: 8,
  partPages: 64,
  usedPage: 7,
  minNrRegions: 3,
  /** Samples of every region. */
  samples: 20,
  /** Regions after the first aggregation: no larger than a third of 2 MiB. */
  merged: 4,
  reportedBytes: 2 ** 21,
} as const;
