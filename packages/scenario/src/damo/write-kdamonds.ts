/** DAMON's files as a damo kdamonds document (DAMON spec 8.3): what `damo` would make of the same files on a real machine. */
import type { DamonFiles, DamonFolder } from '@thplab/damos-actions';
import { DAMO_MAX, damoBytes, damoCount, damoTimeExact, parseDamoBytes } from './number-text.js';

/** damo 3.3 knows no split: such schemes are left out, or become `stat`; null: they stay, for a damo that does. */
export type SplitSchemes = 'drop' | 'stat' | null;

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The document as plain data. */
export function damoDocument(files: DamonFiles, split: SplitSchemes): { readonly kdamonds: readonly Json[] } {
  return { kdamonds: files.kdamonds.numbered().map((folder) => kdamond(folder, split)) };
}

function kdamond(folder: DamonFolder, split: SplitSchemes): Json {
  return {
    refresh_ms: folder.number('refresh_ms'),
    contexts: folder
      .folder('contexts')
      .numbered()
      .map((one) => context(one, split)),
  };
}

function context(folder: DamonFolder, split: SplitSchemes): Json {
  const attrs = folder.folder('monitoring_attrs');
  const intervals = attrs.folder('intervals');
  const regions = attrs.folder('nr_regions');
  const goal = intervals.hasFolder('intervals_goal') ? intervals.folder('intervals_goal') : null;
  const aggrUs = intervals.number('aggr_us');
  const most = Math.max(1, Math.floor(aggrUs / Math.max(1, intervals.number('sample_us'))));
  const schemes = folder.folder('schemes').numbered();
  return {
    ops: folder.text('operations'),
    addr_unit: bytesText(folder.number('addr_unit', 1)),
    targets: folder
      .folder('targets')
      .numbered()
      .map((one) => target(one, folder.text('operations'))),
    intervals: {
      sample_us: us(intervals.number('sample_us')),
      aggr_us: us(aggrUs),
      ops_update_us: us(intervals.number('update_us')),
      intervals_goal: {
        access_bp: percent(goal?.number('access_bp') ?? 0, 100),
        aggrs: damoCount(goal?.number('aggrs') ?? 0),
        min_sample_us: us(goal?.number('min_sample_us') ?? 0),
        max_sample_us: us(goal?.number('max_sample_us') ?? 0),
      },
    },
    nr_regions: { min: damoCount(regions.number('min')), max: damoCount(regions.number('max')) },
    pause: folder.flag('pause'),
    schemes: schemes
      .filter((one) => split !== 'drop' || one.text('action') !== 'split')
      .map((one) => scheme(one, aggrUs, most, split)),
  };
}

function target(folder: DamonFolder, operations: string): Json {
  const regions = folder
    .folder('regions')
    .numbered()
    .map((region) => ({ start: damoCount(region.number('start')), end: damoCount(region.number('end')) }));
  return {
    pid: operations === 'paddr' ? null : folder.number('pid_target'),
    obsolete: folder.flag('obsolete_target'),
    regions,
  };
}

function scheme(folder: DamonFolder, aggrUs: number, most: number, split: SplitSchemes): Json {
  const pattern = folder.folder('access_pattern');
  const range = (name: string, text: (value: number) => string): Json => {
    const bounds = pattern.folder(name);
    return { min: text(bounds.number('min')), max: text(bounds.number('max')) };
  };
  const action = folder.text('action');
  const order = folder.number('target_order');
  const nid = folder.number('target_nid', -1);
  return {
    action: action === 'split' && split === 'stat' ? 'stat' : action,
    dests: folder.hasFolder('dests')
      ? folder
          .folder('dests')
          .numbered()
          .map((dest) => ({ id: dest.number('id'), weight: dest.number('weight') }))
      : [],
    ...(nid < 0 ? {} : { target_nid: nid }),
    ...(order === 0 ? {} : { target_order: order }),
    access_pattern: {
      sz_bytes: range('sz', bytesText),
      nr_accesses: samplesRange(pattern.folder('nr_accesses'), most),
      age: range('age', (age) => (age >= 2 ** 32 - 1 ? 'max' : us(age * aggrUs))),
    },
    apply_interval_us: us(folder.number('apply_interval_us')),
    quotas: quotas(folder.folder('quotas')),
    watermarks: watermarks(folder.folder('watermarks')),
    filters: ['core_filters', 'ops_filters', 'filters'].flatMap((name) =>
      folder.hasFolder(name) ? folder.folder(name).numbered().map(filter) : [],
    ),
  };
}

/** Percent where damo's rounding gives the same samples again, else samples. */
function samplesRange(folder: DamonFolder, most: number): Json {
  const ends = [folder.number('min'), folder.number('max')] as const;
  const percents = ends.map((samples) => (samples >= 2 ** 32 - 1 ? 100 : (samples * 100) / most));
  const exact = ends.every((samples, i) => {
    const back = Math.floor(((percents[i] ?? 0) * most) / 100);
    return samples >= 2 ** 32 - 1 || (back === samples && Number.isInteger(percents[i]));
  });
  if (exact) return { min: `${percents[0]} %`, max: `${percents[1]} %` };
  return { min: `${damoCount(ends[0])} samples`, max: `${damoCount(ends[1])} samples` };
}

function quotas(folder: DamonFolder): Json {
  const weights = folder.folder('weights');
  return {
    time_ms: damoTimeOf(folder.number('ms') * 1e6),
    sz_bytes: bytesText(folder.number('bytes')),
    reset_interval_ms: damoTimeOf(folder.number('reset_interval_ms') * 1e6),
    fail_charge_num: damoCount(folder.number('fail_charge_num')),
    fail_charge_denom: damoCount(folder.number('fail_charge_denom')),
    goals: folder.folder('goals').numbered().map(goalOf),
    goal_tuner: folder.text('goal_tuner', 'consist'),
    effective_sz_bytes: bytesText(folder.number('effective_bytes')),
    weights: {
      sz_permil: percent(weights.number('sz_permil'), 10),
      nr_accesses_permil: percent(weights.number('nr_accesses_permil'), 10),
      age_permil: percent(weights.number('age_permil'), 10),
    },
  };
}

function goalOf(folder: DamonFolder): Json {
  return {
    metric: folder.text('target_metric'),
    nid: folder.number('nid'),
    memcg_path: folder.text('path', '') || null,
    target_value: damoCount(folder.number('target_value')),
    current_value: damoCount(folder.number('current_value')),
  };
}

function watermarks(folder: DamonFolder): Json {
  return {
    metric: folder.text('metric'),
    interval_us: us(folder.number('interval_us')),
    high_permil: percent(folder.number('high'), 10),
    mid_permil: percent(folder.number('mid'), 10),
    low_permil: percent(folder.number('low'), 10),
  };
}

function filter(folder: DamonFolder): Json {
  const type = folder.text('type');
  const of = (wanted: string, value: Json): Json => (type === wanted ? value : null);
  return {
    filter_type: type,
    matching: folder.flag('matching'),
    allow: folder.flag('allow'),
    memcg_path: of('memcg', folder.text('memcg_path')),
    address_range: of('addr', {
      start: damoCount(folder.number('addr_start')),
      end: damoCount(folder.number('addr_end')),
    }),
    damon_target_idx: of('target', folder.number('damon_target_idx')),
    hugepage_size: of('hugepage_size', [bytesText(folder.number('min')), bytesText(folder.number('max'))]),
  };
}

/** Microseconds as a time. */
function us(value: number): string {
  return damoTimeOf(value * 1000);
}

function damoTimeOf(ns: number): string {
  return ns >= DAMO_MAX ? 'max' : damoTimeExact(ns);
}

/** `perPercent` units are one percent. */
function percent(value: number, perPercent: number): string {
  return `${value / perPercent} %`;
}

/** A size as damo prints it, or all of its digits where that would round. */
function bytesText(bytes: number): string {
  const text = damoBytes(bytes);
  return bytes >= DAMO_MAX || parseDamoBytes(text) === bytes ? text : damoCount(bytes);
}
