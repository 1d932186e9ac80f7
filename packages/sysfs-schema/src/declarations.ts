/**
 * Every file, declared once (khugepaged spec 14.1). The tree is made from these lists by geometry and profile; nothing else
 * in the package knows a file by name.
 */
import {
  HUGEPAGES_ENABLED,
  HUGEPAGES_ENABLED_WORDS,
  HUGEPAGES_SHMEM_ENABLED,
  HUGEPAGES_SHMEM_ENABLED_WORDS,
  SHMEM_ENABLED,
  SHMEM_ENABLED_WORDS,
  THP_DEFRAG,
  THP_DEFRAG_WORDS,
  THP_ENABLED,
  THP_ENABLED_WORDS,
} from './choices.js';
import type { KhugepagedCounterName, MthpStatName } from './counters.js';
import { type Geometry, maxPtesLimit, ptesPerTable } from './geometry.js';
import type { BadWriteErrnos, Grammar, SysfsFile } from './node.js';
import type { ProfileDescription } from './profiles.js';
import type { GlobalSettingKey, OrderSettingKey } from './settings.js';

/** Largest value of a file that the kernel keeps in an unsigned int. */
const UINT_MAX = 2 ** 32 - 1;

interface Declaration {
  readonly name: string;
  readonly unit: SysfsFile['unit'];
  readonly doc: string;
}

export interface SettingDeclaration extends Declaration {
  readonly key: GlobalSettingKey;
  readonly grammar: (geometry: Geometry, profile: ProfileDescription) => Grammar;
  readonly default: (geometry: Geometry) => number;
  readonly errnos: BadWriteErrnos;
}

export interface OrderSettingDeclaration extends Declaration {
  readonly key: OrderSettingKey;
  /** Which orders have the file. */
  readonly orders: 'anon' | 'file';
  readonly grammar: Grammar;
  readonly pmdDefault: number;
  readonly otherDefault: number;
  readonly errnos: BadWriteErrnos;
}

export interface KhugepagedCounterDeclaration extends Declaration {
  readonly name: KhugepagedCounterName;
}

export interface MthpStatDeclaration extends Declaration {
  readonly name: MthpStatName;
  /** Name of the file where it is not the counter's. */
  readonly file?: string;
  readonly orders: 'any' | 'anon' | 'file';
}

/** Errors of a choice file: an unknown word. */
const CHOICE_ERRNOS: BadWriteErrnos = { unparsable: 'EINVAL' };
/** Errors of a 0/1 file: the number parser's own error passes through, another number is EINVAL. */
const FLAG_ERRNOS: BadWriteErrnos = { unparsable: 'EINVAL', overflow: 'ERANGE', 'out-of-range': 'EINVAL' };
/** Errors of khugepaged's numbers: whatever the number parser said becomes EINVAL. */
const NUMBER_ERRNOS: BadWriteErrnos = { unparsable: 'EINVAL', overflow: 'EINVAL', 'out-of-range': 'EINVAL' };

const choice = (choices: readonly string[]): Grammar => ({ kind: 'choice', choices });
const ptes = (geometry: Geometry): Grammar => ({
  kind: 'uint',
  parser: 'kstrtoul',
  min: 0,
  max: maxPtesLimit(geometry),
});
const uint = (min: number): Grammar => ({ kind: 'uint', parser: 'kstrtouint', min, max: UINT_MAX });

/** The settings in the root directory. */
export const ROOT_SETTINGS: readonly SettingDeclaration[] = [
  {
    name: 'defrag',
    key: 'defrag',
    grammar: () => choice(THP_DEFRAG_WORDS),
    default: () => THP_DEFRAG.madvise,
    errnos: CHOICE_ERRNOS,
    unit: null,
    doc: 'how hard a page fault tries for a huge page: reclaim and compact at once, leave it to the background, or neither',
  },
  {
    name: 'enabled',
    key: 'enabled',
    grammar: () => choice(THP_ENABLED_WORDS),
    default: () => THP_ENABLED.madvise,
    errnos: CHOICE_ERRNOS,
    unit: null,
    doc: 'which anonymous memory may be huge, for the sizes that inherit',
  },
  {
    name: 'shmem_enabled',
    key: 'shmem_enabled',
    grammar: () => choice(SHMEM_ENABLED_WORDS),
    default: () => SHMEM_ENABLED.never,
    errnos: CHOICE_ERRNOS,
    unit: null,
    doc: 'huge pages of the internal shmem mount, for the sizes that inherit; deny and force override every mount',
  },
  {
    name: 'shrink_underused',
    key: 'shrink_underused',
    grammar: (_, profile) => ({ kind: 'boolean', enableWords: profile.booleanEnableWords }),
    default: () => 1,
    errnos: { unparsable: 'EINVAL' },
    unit: null,
    doc: 'split huge pages with more than max_ptes_none zero-filled pages when memory is short',
  },
  {
    name: 'use_zero_page',
    key: 'use_zero_page',
    grammar: () => ({ kind: 'flag' }),
    default: () => 1,
    errnos: FLAG_ERRNOS,
    unit: null,
    doc: 'a read fault may map the shared huge zero page',
  },
];

/** The settings in khugepaged/. */
export const KHUGEPAGED_SETTINGS: readonly SettingDeclaration[] = [
  {
    name: 'alloc_sleep_millisecs',
    key: 'khugepaged.alloc_sleep_millisecs',
    grammar: () => uint(0),
    default: () => 60_000,
    errnos: NUMBER_ERRNOS,
    unit: 'ms',
    doc: 'how long khugepaged waits after a failed huge page allocation; a write also wakes it',
  },
  {
    name: 'defrag',
    key: 'khugepaged.defrag',
    grammar: () => ({ kind: 'flag' }),
    default: () => 1,
    errnos: FLAG_ERRNOS,
    unit: null,
    doc: 'khugepaged may reclaim and compact to get a huge page',
  },
  {
    name: 'max_ptes_none',
    key: 'khugepaged.max_ptes_none',
    grammar: ptes,
    default: maxPtesLimit,
    errnos: NUMBER_ERRNOS,
    unit: 'ptes',
    doc: 'how many empty or zero-page entries of a table khugepaged fills with new memory; also the underused threshold',
  },
  {
    name: 'max_ptes_shared',
    key: 'khugepaged.max_ptes_shared',
    grammar: ptes,
    default: (geometry) => ptesPerTable(geometry) / 2,
    errnos: NUMBER_ERRNOS,
    unit: 'ptes',
    doc: 'how many entries may map pages that other processes map too',
  },
  {
    name: 'max_ptes_swap',
    key: 'khugepaged.max_ptes_swap',
    grammar: ptes,
    default: (geometry) => Math.floor(ptesPerTable(geometry) / 8),
    errnos: NUMBER_ERRNOS,
    unit: 'ptes',
    doc: 'how many entries may be swapped out; khugepaged swaps them in',
  },
  {
    name: 'pages_to_scan',
    key: 'khugepaged.pages_to_scan',
    grammar: () => uint(1),
    default: (geometry) => 8 * ptesPerTable(geometry),
    errnos: NUMBER_ERRNOS,
    unit: 'pages',
    doc: 'budget of one pass of khugepaged',
  },
  {
    name: 'scan_sleep_millisecs',
    key: 'khugepaged.scan_sleep_millisecs',
    grammar: () => uint(0),
    default: () => 10_000,
    errnos: NUMBER_ERRNOS,
    unit: 'ms',
    doc: 'how long khugepaged sleeps between passes; a write also wakes it',
  },
];

export const KHUGEPAGED_COUNTERS: readonly KhugepagedCounterDeclaration[] = [
  { name: 'full_scans', unit: 'count', doc: 'how often khugepaged reached the end of its list of processes' },
  {
    name: 'pages_collapsed',
    unit: 'count',
    doc: 'collapses by khugepaged, not by MADV_COLLAPSE; one per collapse, whatever its size',
  },
];

export const ORDER_SETTINGS: readonly OrderSettingDeclaration[] = [
  {
    name: 'enabled',
    key: 'hugepages.enabled',
    orders: 'anon',
    grammar: choice(HUGEPAGES_ENABLED_WORDS),
    pmdDefault: HUGEPAGES_ENABLED.inherit,
    otherDefault: HUGEPAGES_ENABLED.never,
    errnos: CHOICE_ERRNOS,
    unit: null,
    doc: 'which anonymous memory may use this size; inherit follows the file enabled of the root directory',
  },
  {
    name: 'shmem_enabled',
    key: 'hugepages.shmem_enabled',
    orders: 'file',
    grammar: choice(HUGEPAGES_SHMEM_ENABLED_WORDS),
    pmdDefault: HUGEPAGES_SHMEM_ENABLED.inherit,
    otherDefault: HUGEPAGES_SHMEM_ENABLED.never,
    errnos: CHOICE_ERRNOS,
    unit: null,
    doc: 'which shmem may use this size; inherit follows the file shmem_enabled of the root directory',
  },
];

export const MTHP_STATS: readonly MthpStatDeclaration[] = [
  stat('anon_fault_alloc', 'anon', 'page faults that got a folio of this size'),
  stat('anon_fault_fallback', 'anon', 'page faults that failed to get this size and went on with a smaller one'),
  stat('anon_fault_fallback_charge', 'anon', 'page faults that got this size but were refused it by the memory cgroup'),
  stat('collapse_alloc', 'any', 'folios of this size allocated for a collapse'),
  stat('collapse_alloc_failed', 'any', 'allocations of this size for a collapse that failed'),
  stat('collapse_exceed_none_pte', 'anon', 'collapses to this size refused for too many empty or zero-page entries'),
  stat('collapse_exceed_shared_pte', 'anon', 'collapses to this size refused for too many shared entries'),
  stat('collapse_exceed_swap_pte', 'anon', 'collapses to this size refused for too many swapped-out entries'),
  stat('nr_anon', 'anon', 'anonymous folios of this size that exist now'),
  stat(
    'nr_anon_partially_mapped',
    'anon',
    'anonymous folios of this size that wait to be split because part of them is no longer mapped',
  ),
  stat('shmem_alloc', 'file', 'shmem folios of this size allocated'),
  stat('shmem_fallback', 'file', 'shmem allocations that failed to get this size and went on with a smaller one'),
  stat(
    'shmem_fallback_charge',
    'file',
    'shmem allocations that got this size but were refused it by the memory cgroup',
  ),
  stat('split', 'any', 'folios of this size split into smaller ones'),
  stat('split_deferred', 'anon', 'folios of this size put on the list for a later split'),
  stat('split_failed', 'any', 'splits of a folio of this size that failed, for instance for an extra reference'),
  stat('swpin', 'any', 'folios of this size swapped in whole'),
  stat('swpin_fallback', 'any', 'swap-ins that failed to get this size and went on with a smaller one'),
  stat('swpin_fallback_charge', 'any', 'swap-ins that got this size but were refused it by the memory cgroup'),
  stat('swpout', 'any', 'folios of this size swapped out whole'),
  stat('swpout_fallback', 'any', 'folios of this size split before swap-out for want of contiguous swap space'),
  stat('zswpout', 'any', 'folios of this size swapped out whole to compressed memory'),
];

function stat(name: MthpStatName, orders: MthpStatDeclaration['orders'], doc: string): MthpStatDeclaration {
  return { name, orders, doc, unit: 'count' };
}
