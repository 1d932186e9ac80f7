/**
 * Kernel profiles: a name for a generation of the collapse code together with the files its sysfs shows (khugepaged spec 15).
 * Only what the user sees is here; how a generation collapses is told by the package that collapses.
 */
import type { MthpStatName } from './counters.js';
import { SysfsSchemaError } from './errors.js';

/** Every profile, oldest first. */
export const KERNEL_PROFILES = [
  'v6.13',
  'dev-v1',
  'rfc-v1',
  'rfc-v2',
  'dev-v2',
  'v4',
  'v12',
  'v6.18',
  'v15',
  'v17',
  'v18',
  'hints-rfc',
  'merged',
  'damon-rfc',
  'madvise-mthp',
] as const;
export type KernelProfile = (typeof KERNEL_PROFILES)[number];

/** The profile of today's kernel. */
export const DEFAULT_PROFILE: KernelProfile = 'merged';

export interface ProfileDescription {
  readonly name: KernelProfile;
  /** One line: what it is. */
  readonly title: string;
  /** Day, month or year as far as known, ISO form. */
  readonly date: string;
  /** True if khugepaged collapses to sizes below the PMD size. */
  readonly mthpCollapse: boolean;
  /** Smallest order that khugepaged collapses to; null: the PMD order only. */
  readonly minCollapseOrder: number | null;
  /** The stats files that this kernel does not have, of MTHP_STAT_NAMES. */
  readonly missingStats: readonly MthpStatName[];
  /** Stats files that this kernel shows under another name or for other orders. */
  readonly changedStats: Readonly<
    Partial<Record<MthpStatName, { readonly file: string; readonly orders: 'any' | 'anon' | 'file' }>>
  >;
  /** True if boolean files know the words enabled and disabled (kstrtobool of Linux 6.16 and later). */
  readonly booleanEnableWords: boolean;
  /** When the khugepaged thread has work (khugepaged spec 4.3 and 15.1). */
  readonly runsWhen: 'pmd-enabled' | 'any-order' | 'pmd-enabled-or-strict-limit' | 'any-order-or-top-level';
  /** The kernel's name for the ceiling of the three max_ptes_* files; its value is maxPtesLimit(geometry) in all. */
  readonly maxPtesLimitName: string;
  /** Where the generation is described. */
  readonly spec: string;
}

const EXCEED: readonly MthpStatName[] = [
  'collapse_exceed_none_pte',
  'collapse_exceed_shared_pte',
  'collapse_exceed_swap_pte',
];
const COLLAPSE: readonly MthpStatName[] = ['collapse_alloc', 'collapse_alloc_failed', ...EXCEED];

const LEGACY = {
  mthpCollapse: false,
  minCollapseOrder: null,
  missingStats: COLLAPSE,
  changedStats: {},
  booleanEnableWords: true,
  runsWhen: 'pmd-enabled',
  maxPtesLimitName: 'HPAGE_PMD_NR - 1',
  spec: 'khugepaged spec 15.8',
} as const;

const SERIES = {
  mthpCollapse: true,
  minCollapseOrder: 2,
  missingStats: [],
  changedStats: {},
  booleanEnableWords: true,
  runsWhen: 'any-order',
  maxPtesLimitName: 'HPAGE_PMD_NR - 1',
} as const;

/** The series that were written against 6.13 to 6.15. */
const EARLY_SERIES = { ...SERIES, booleanEnableWords: false } as const;

/** Dev Jain counted collapse allocations as anonymous ones; read in his v1, taken to hold for v2. */
const DEV_STATS: ProfileDescription['changedStats'] = {
  collapse_alloc: { file: 'anon_collapse_alloc', orders: 'anon' },
  collapse_alloc_failed: { file: 'anon_collapse_alloc_failed', orders: 'anon' },
};

const MERGED = {
  ...SERIES,
  runsWhen: 'any-order-or-top-level',
  maxPtesLimitName: 'KHUGEPAGED_MAX_PTES_LIMIT',
} as const;

const DESCRIPTIONS: Readonly<Record<KernelProfile, Omit<ProfileDescription, 'name'>>> = {
  'v6.13': {
    ...LEGACY,
    title: 'Linux 6.13: collapse to PMD size only, one writable entry needed',
    date: '2025-01',
    missingStats: [...COLLAPSE, 'swpin_fallback', 'swpin_fallback_charge'],
    booleanEnableWords: false,
  },
  'dev-v1': {
    ...EARLY_SERIES,
    title: 'Dev Jain, RFC v1: linear rescan at falling orders',
    date: '2024-12-16',
    missingStats: EXCEED,
    changedStats: DEV_STATS,
    spec: 'khugepaged spec 15.4',
  },
  'rfc-v1': {
    ...EARLY_SERIES,
    title: 'Nico Pache, RFC v1: bitmap of full chunks against a percentage',
    date: '2025-01-08',
    minCollapseOrder: 3,
    missingStats: COLLAPSE,
    runsWhen: 'pmd-enabled',
    spec: 'khugepaged spec 15.2',
  },
  'rfc-v2': {
    ...EARLY_SERIES,
    title: 'Nico Pache, RFC v2: bitmap of chunks, explicit stack',
    date: '2025-02-11',
    minCollapseOrder: 3,
    missingStats: COLLAPSE,
    spec: 'khugepaged spec 15.2',
  },
  'dev-v2': {
    ...EARLY_SERIES,
    title: 'Dev Jain, v2: linear rescan, max_ptes_none 0 or the limit only',
    date: '2025-02-11',
    missingStats: EXCEED,
    changedStats: DEV_STATS,
    runsWhen: 'pmd-enabled-or-strict-limit',
    spec: 'khugepaged spec 15.4',
  },
  v4: {
    ...EARLY_SERIES,
    title: 'Nico Pache, v4: bitmap of four-entry chunks',
    date: '2025-04-16',
    spec: 'khugepaged spec 15.3',
  },
  v12: {
    ...SERIES,
    title: 'Nico Pache, v12: one bit per entry, limits scaled and capped at half',
    date: '2025-10-22',
    spec: 'khugepaged spec 15.5',
  },
  'v6.18': { ...LEGACY, title: 'Linux 6.18: collapse to PMD size only', date: '2025-11-30' },
  v15: {
    ...SERIES,
    title: 'Nico Pache, v15: max_ptes_none 0 or the limit, others stop the range',
    date: '2026-02-25',
    maxPtesLimitName: 'COLLAPSE_MAX_PTES_LIMIT',
    spec: 'khugepaged spec 15.6',
  },
  v17: {
    ...SERIES,
    title: 'Nico Pache, v17: a result code for an unsupported max_ptes_none',
    date: '2026-05-11',
    maxPtesLimitName: 'KHUGEPAGED_MAX_PTES_LIMIT',
    spec: 'khugepaged spec 15.7',
  },
  v18: {
    ...SERIES,
    title: 'Nico Pache, v18: an unsupported max_ptes_none counts as 0 below PMD size',
    date: '2026-05-22',
    maxPtesLimitName: 'KHUGEPAGED_MAX_PTES_LIMIT',
    spec: 'khugepaged spec 15.7',
  },
  'hints-rfc': {
    ...MERGED,
    title: 'Luka Bai, RFC: collapse hints on top of the merged code',
    date: '2026-05-31',
    spec: 'khugepaged spec 17',
  },
  merged: {
    ...MERGED,
    title: 'The merged mTHP collapse (v19): forward walk',
    date: '2026-06-05',
    spec: 'khugepaged spec 15.7',
  },
  'damon-rfc': {
    ...MERGED,
    title: 'Lian Wang, RFC v2: DAMON schemes that collapse and split, on top of the merged code',
    date: '2026-07-02',
    spec: 'khugepaged spec 18',
  },
  'madvise-mthp': {
    ...MERGED,
    title: 'What if (ours, no kernel): merged, and MADV_COLLAPSE goes down the enabled sizes where 2 MiB fails',
    date: '2026-07-02',
    spec: 'khugepaged spec 13.3',
  },
};

/** True if the text names a profile. */
export function isKernelProfile(name: string): name is KernelProfile {
  return Object.hasOwn(DESCRIPTIONS, name);
}

/** What is known of a profile, as data. Throws `unknown-profile` for a name that is none. */
export function describeProfile(name: KernelProfile): ProfileDescription {
  if (!isKernelProfile(name))
    throw new SysfsSchemaError(
      'unknown-profile',
      `no kernel profile is called ${JSON.stringify(name)}; there are ${KERNEL_PROFILES.join(', ')}`,
    );
  return { name, ...DESCRIPTIONS[name] };
}
