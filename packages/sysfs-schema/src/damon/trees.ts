/** DAMON's files by kernel (DAMON spec 6.1, 12). */
import type { KernelProfile } from '../profiles.js';
import type { DamonDirDecl, DamonFileDecl, DamonGrammar } from './node.js';

/** Where the tree hangs. */
export const DAMON_ROOT = '/sys/kernel/mm/damon/admin';

/** Every generation of the tree, oldest first. */
export const DAMON_TREES = ['v6.13', 'v6.18', 'v7.1', 'mm-2026', 'damon-rfc'] as const;
export type DamonTreeName = (typeof DAMON_TREES)[number];

/** Profiles whose patches were written for something else than the mm tree of mid 2026. */
const OF_KERNEL: Readonly<Partial<Record<KernelProfile, DamonTreeName>>> = {
  'v6.13': 'v6.13',
  'dev-v1': 'v6.13',
  'rfc-v1': 'v6.13',
  'rfc-v2': 'v6.13',
  'dev-v2': 'v6.13',
  v4: 'v6.18',
  v12: 'v6.18',
  'v6.18': 'v6.18',
  v15: 'v7.1',
  v17: 'v7.1',
  'damon-rfc': 'damon-rfc',
};

/** DAMON of a kernel profile: that of the release, or of the tree, that the profile's patches were written for. */
export function damonTreeOf(kernel: KernelProfile): DamonTreeName {
  return OF_KERNEL[kernel] ?? 'mm-2026';
}

/**
 * The files of DAMON's profile by its name; without one, those of the kernel. What the reviewers of the RFC asked for is
 * behind the RFC's files.
 */
export function damonTreeOfProfile(profile: string | null | undefined, kernel: KernelProfile): DamonTreeName {
  if (profile === undefined || profile === null) return damonTreeOf(kernel);
  return DAMON_TREES.find((name) => name === profile) ?? 'damon-rfc';
}

const RO = 0o400;
const RW = 0o600;
const DIR = 0o755;

/** What a kernel does not have yet is null. */
type Maybe<T> = T | null;

function file(
  name: string,
  grammar: DamonGrammar | DamonGrammar['kind'],
  value: string,
  doc: string,
  unit: DamonFileDecl['unit'] = null,
): DamonFileDecl {
  const full = (typeof grammar === 'string' ? { kind: grammar } : grammar) as DamonGrammar;
  return { kind: 'file', name, mode: full.kind === 'shown' ? RO : RW, grammar: full, default: value, unit, doc };
}

function dir(
  name: string,
  children: readonly Maybe<DamonFileDecl | DamonDirDecl>[],
  list: DamonDirDecl['list'] = null,
): DamonDirDecl {
  const there = children.filter((child) => child !== null);
  return {
    kind: 'directory',
    name,
    mode: DIR,
    files: there.filter((child) => child.kind === 'file'),
    directories: there.filter((child) => child.kind === 'directory'),
    list,
  };
}

function list(name: string, counter: string, most: number | null, element: DamonDirDecl): DamonDirDecl {
  const count = file(counter, { kind: 'count', most }, '0', 'how many numbered folders there are', 'count');
  return dir(name, [count], { counter, element });
}

const range = (name: string, doc: string, unit: DamonFileDecl['unit']): DamonDirDecl =>
  dir(name, [file('min', 'ulong', '0', `least ${doc}`, unit), file('max', 'ulong', '0', `greatest ${doc}`, unit)]);

/** Says whether this tree has what came with another one. */
type Since = (tree: DamonTreeName) => boolean;

const STATE_WORDS = [
  'on',
  'off',
  'commit',
  'commit_schemes_quota_goals',
  'update_schemes_stats',
  'update_schemes_tried_bytes',
  'update_schemes_tried_regions',
  'clear_schemes_tried_regions',
  'update_schemes_effective_quotas',
];

function kdamond(has: Since): DamonDirDecl {
  const words = has('v6.18') ? [...STATE_WORDS, 'update_tuned_intervals'] : STATE_WORDS;
  return dir('N', [
    file('state', { kind: 'command', words }, 'off', 'shows on or off; a word written to it is a command'),
    file('pid', 'shown', '-1', 'pid of the kdamond, -1 when it is off'),
    has('v6.18') ? file('refresh_ms', 'uint', '0', 'time between two updates of what is shown; 0: none', 'ms') : null,
    list('contexts', 'nr_contexts', 1, context(has)),
  ]);
}

function context(has: Since): DamonDirDecl {
  return dir('N', [
    file('avail_operations', 'shown', 'vaddr\nfvaddr\npaddr', 'operations of this kernel, one per line'),
    file('operations', { kind: 'choice', words: ['vaddr', 'fvaddr', 'paddr'] }, 'vaddr', 'what is monitored'),
    has('v6.18') ? file('addr_unit', 'ulong', '1', 'bytes of a unit of physical addresses; not 0', 'bytes') : null,
    has('mm-2026') ? file('pause', 'boolean', 'N', 'monitoring rests') : null,
    monitoringAttrs(has),
    list('targets', 'nr_targets', null, target(has)),
    list('schemes', 'nr_schemes', null, scheme(has)),
  ]);
}

function monitoringAttrs(has: Since): DamonDirDecl {
  const goal = dir('intervals_goal', [
    file('access_bp', 'ulong', '0', 'share of the possible accesses that is to be observed', 'bp'),
    file('aggrs', 'ulong', '0', 'aggregations between two adjustments; 0: no auto-tuning', 'count'),
    file('min_sample_us', 'ulong', '0', 'shortest sampling interval', 'us'),
    file('max_sample_us', 'ulong', '0', 'longest sampling interval', 'us'),
  ]);
  return dir('monitoring_attrs', [
    dir('intervals', [
      file('sample_us', 'ulong', '5000', 'sampling interval', 'us'),
      file('aggr_us', 'ulong', '100000', 'aggregation interval', 'us'),
      file('update_us', 'ulong', '60000000', 'interval of updates of the layout', 'us'),
      has('v6.18') ? goal : null,
    ]),
    dir('nr_regions', [
      file('min', 'ulong', '10', 'lower bound of the number of regions', 'count'),
      file('max', 'ulong', '1000', 'upper bound of the number of regions', 'count'),
    ]),
    has('mm-2026') ? list('probes', 'nr_probes', null, probe()) : null,
  ]);
}

function probe(): DamonDirDecl {
  const words = ['anon', 'memcg'];
  return dir('N', [
    file('weight', 'uint', '0', 'weight of the attribute'),
    list('preps', 'nr_preps', null, dir('N', [file('prep_action', 'text', '', 'what is done before the look')])),
    list(
      'filters',
      'nr_filters',
      null,
      dir('N', [
        file('type', { kind: 'choice', words }, 'anon', 'attribute'),
        file('matching', 'boolean', 'N', 'Y: memory of the type, N: all other'),
        file('allow', 'boolean', 'N', 'Y: passes, N: does not'),
        file('path', 'text', '', 'memory cgroup'),
      ]),
    ),
  ]);
}

function target(has: Since): DamonDirDecl {
  const region = dir('N', [
    file('start', 'ulong', '0', 'first address', 'bytes'),
    file('end', 'ulong', '0', 'one past the last address', 'bytes'),
  ]);
  return dir('N', [
    file('pid_target', 'int', '0', 'pid of the process'),
    has('v7.1') ? file('obsolete_target', 'boolean', 'N', 'the next commit takes it away') : null,
    list('regions', 'nr_regions', null, region),
  ]);
}

/** Actions that every kernel with these files knows, in the order in which the kernel has them (DAMON spec 3.2). */
export const DAMON_BASE_ACTIONS = [
  'willneed',
  'cold',
  'pageout',
  'hugepage',
  'nohugepage',
  'lru_prio',
  'lru_deprio',
  'migrate_hot',
  'migrate_cold',
  'stat',
] as const;

function actionWords(has: Since): readonly string[] {
  const added = [...(has('mm-2026') ? ['collapse'] : []), ...(has('damon-rfc') ? ['split'] : [])];
  return [...DAMON_BASE_ACTIONS.slice(0, 5), ...added, ...DAMON_BASE_ACTIONS.slice(5)];
}

function scheme(has: Since): DamonDirDecl {
  const filters = (name: string, types: readonly string[]): DamonDirDecl =>
    list(name, 'nr_filters', null, filter(has, types));
  const dest = dir('N', [
    file('id', 'uint', '0', 'node to move to'),
    file('weight', 'uint', '0', 'its share of the pages'),
  ]);
  const core = ['addr', 'target'];
  const ops = has('v6.18')
    ? ['anon', 'active', 'memcg', 'young', 'hugepage_size', 'unmapped']
    : ['anon', 'memcg', 'young'];
  return dir('N', [
    file('action', { kind: 'choice', words: actionWords(has) }, 'stat', 'what is done to regions that fit'),
    file('target_nid', 'int', '-1', 'node that migrate_hot and migrate_cold move to'),
    file('apply_interval_us', 'ulong', '0', 'time between two rounds; 0: each aggregation', 'us'),
    has('damon-rfc') ? file('target_order', 'uint', '0', 'order of the folios that collapse and split make') : null,
    dir('access_pattern', [
      range('sz', 'size of a region', 'bytes'),
      range('nr_accesses', 'number of samples with an access', 'count'),
      range('age', 'age in aggregations', 'count'),
    ]),
    quotas(has),
    dir('watermarks', [
      file('metric', { kind: 'choice', words: ['none', 'free_mem_rate'] }, 'none', 'what is looked at'),
      file('interval_us', 'ulong', '0', 'time between two looks', 'us'),
      file('high', 'ulong', '0', 'above: the scheme rests', 'permille'),
      file('mid', 'ulong', '0', 'below: it begins', 'permille'),
      file('low', 'ulong', '0', 'below: it rests', 'permille'),
    ]),
    has('v6.18') ? filters('core_filters', core) : null,
    has('v6.18') ? filters('ops_filters', ops) : null,
    filters('filters', [...ops, ...core]),
    has('v6.18') ? list('dests', 'nr_dests', null, dest) : null,
    stats(has),
    triedRegions(has),
  ]);
}

function quotas(has: Since): DamonDirDecl {
  const metrics = [
    'user_input',
    'some_mem_psi_us',
    ...(has('v6.18') ? ['node_mem_used_bp', 'node_mem_free_bp'] : []),
    ...(has('v7.1') ? ['node_memcg_used_bp', 'node_memcg_free_bp', 'active_mem_bp', 'inactive_mem_bp'] : []),
    ...(has('mm-2026') ? ['node_eligible_mem_bp'] : []),
  ];
  const goal = dir('N', [
    file('target_metric', { kind: 'choice', words: metrics }, 'user_input', 'what is measured'),
    file('target_value', 'ulong', '0', 'the value wanted'),
    file('current_value', 'ulong', '0', 'user_input: the value now'),
    has('v6.18') ? file('nid', 'int', '0', 'node of the metric') : null,
    has('v7.1') ? file('path', 'text', '', 'memory cgroup of the metric') : null,
  ]);
  const permil = (name: string, of: string): DamonFileDecl =>
    file(name, 'uint', '0', `weight of the ${of} in the priority of regions`, 'permille');
  return dir('quotas', [
    file('ms', 'ulong', '0', 'time per window; 0: no limit', 'ms'),
    file('bytes', 'ulong', '0', 'bytes per window; 0: no limit', 'bytes'),
    file('reset_interval_ms', 'ulong', '0', 'length of the window', 'ms'),
    file('effective_bytes', 'shown', '0', 'effective quota, as of the last update', 'bytes'),
    has('v7.1')
      ? file('goal_tuner', { kind: 'choice', words: ['consist', 'temporal'] }, 'consist', 'how goals set the quota')
      : null,
    has('mm-2026') ? file('fail_charge_num', 'uint', '0', 'rate of charging failed bytes: numerator') : null,
    has('mm-2026') ? file('fail_charge_denom', 'uint', '0', 'its denominator; 0: charged in full') : null,
    dir('weights', [
      permil('sz_permil', 'size'),
      permil('nr_accesses_permil', 'access rate'),
      permil('age_permil', 'age'),
    ]),
    list('goals', 'nr_goals', null, goal),
  ]);
}

function filter(has: Since, words: readonly string[]): DamonDirDecl {
  const first = words.includes('anon') ? 'anon' : (words[0] ?? 'addr');
  return dir('N', [
    file('type', { kind: 'choice', words }, first, 'type of memory'),
    file('matching', 'boolean', 'N', 'Y: speaks about memory of the type, N: about all other'),
    has('v6.18') ? file('allow', 'boolean', 'N', 'Y: what it speaks about passes, N: it does not') : null,
    file('memcg_path', 'text', '', 'memcg: path of the memory cgroup'),
    file('addr_start', 'ulong', '0', 'addr: first address', 'bytes'),
    file('addr_end', 'ulong', '0', 'addr: one past the last address', 'bytes'),
    has('v6.18') ? file('min', 'ulong', '0', 'hugepage_size: least size', 'bytes') : null,
    has('v6.18') ? file('max', 'ulong', '0', 'hugepage_size: greatest size', 'bytes') : null,
    file('damon_target_idx', 'int', '0', 'target: its number'),
  ]);
}

function stats(has: Since): DamonDirDecl {
  const shown = (name: string, doc: string): DamonFileDecl => file(name, 'shown', '0', `${doc}, as of the last update`);
  return dir('stats', [
    shown('nr_tried', 'regions that it was tried on'),
    shown('sz_tried', 'their bytes'),
    shown('nr_applied', 'regions in which it did something'),
    shown('sz_applied', 'bytes that it dealt with'),
    has('v6.18') ? shown('sz_ops_filter_passed', 'bytes that operations filters let pass') : null,
    shown('qt_exceeds', 'windows that used up their quota'),
    has('v7.1') ? shown('nr_snapshots', 'walks over all regions') : null,
    has('v7.1') ? file('max_nr_snapshots', 'ulong', '0', 'walks after which it rests; 0: no limit') : null,
  ]);
}

function triedRegions(has: Since): DamonDirDecl {
  const shown = (name: string, doc: string): DamonFileDecl => file(name, 'shown', '0', doc);
  const hit = dir('N', [shown('hits', 'samples in which the attribute was found')]);
  const element = dir('N', [
    shown('start', 'first address'),
    shown('end', 'one past the last address'),
    shown('nr_accesses', 'samples with an access'),
    shown('age', 'age in aggregations'),
    has('v6.18') ? shown('sz_filter_passed', 'bytes that operations filters let pass') : null,
    has('mm-2026') ? dir('probes', [], { counter: null, element: hit }) : null,
  ]);
  return dir('tried_regions', [shown('total_bytes', 'bytes of all regions')], { counter: null, element });
}

const made = new Map<DamonTreeName, DamonDirDecl>();

/** The tree below DAMON_ROOT. */
export function damonTree(name: DamonTreeName): DamonDirDecl {
  const known = made.get(name);
  if (known !== undefined) return known;
  const has: Since = (other) => DAMON_TREES.indexOf(name) >= DAMON_TREES.indexOf(other);
  const tree = dir('admin', [list('kdamonds', 'nr_kdamonds', null, kdamond(has))]);
  made.set(name, tree);
  return tree;
}
