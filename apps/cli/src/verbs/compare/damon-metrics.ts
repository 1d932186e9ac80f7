/** Metrics of DAMON, of its schemes, and of what is split and built again. They do not apply without a kdamond. */
import { formatCount, formatDuration, formatShare, formatSize, type ScenarioResult } from '@thplab/scenario';
import type { Metric } from './metrics.js';

type Scheme = ScenarioResult['damon'][number]['schemes'][number];
type PingPong = NonNullable<ScenarioResult['pingPong']>;

const ofSchemes = (result: ScenarioResult, of: (scheme: Scheme) => number): number | null =>
  result.damon.length === 0
    ? null
    : result.damon.flatMap(({ schemes }) => schemes).reduce((sum, scheme) => sum + of(scheme), 0);

const ofTargets = (result: ScenarioResult, of: 'hot' | 'accessed' | 'monitored'): number | null =>
  result.damon.length === 0
    ? null
    : result.damon.flatMap(({ targets }) => targets).reduce((sum, target) => sum + target[of], 0);

const ofPingPong =
  (of: (sums: PingPong) => number): Metric['value'] =>
  ({ pingPong }) =>
    pingPong === null ? null : of(pingPong);

export const DAMON_METRICS: readonly Metric[] = [
  {
    name: 'damon-hot',
    title: 'DAMON: hot',
    doc: 'bytes that DAMON found accessed in half of the samples or more, at the end',
    value: (result) => ofTargets(result, 'hot'),
    format: formatSize,
  },
  {
    name: 'damon-cpu',
    title: 'DAMON',
    doc: "the kdamonds' share of a processor, actions included",
    value: ({ damon }) => (damon.length === 0 ? null : damon.reduce((sum, { cpuShare }) => sum + cpuShare, 0)),
    format: (share) => formatShare(share, 2),
  },
  {
    name: 'detected',
    title: 'first found',
    doc: 'when the first region was found that a scheme is for',
    value: ({ damon }) => {
      const times = damon.flatMap(({ schemes }) => schemes.flatMap(({ firstTriedNs }) => firstTriedNs ?? []));
      return times.length === 0 ? null : Math.min(...times);
    },
    format: formatDuration,
  },
  {
    name: 'tried',
    title: 'tried',
    doc: 'sz_tried of all schemes',
    value: (result) => ofSchemes(result, ({ szTried }) => szTried),
    format: formatSize,
  },
  {
    name: 'applied',
    title: 'applied',
    doc: 'sz_applied of all schemes',
    value: (result) => ofSchemes(result, ({ szApplied }) => szApplied),
    format: formatSize,
  },
  {
    name: 'exceeded',
    title: 'quota exceeded',
    doc: 'qt_exceeds of all schemes',
    value: (result) => ofSchemes(result, ({ qtExceeds }) => qtExceeds),
    format: formatCount,
  },
  {
    name: 'scheme-time',
    title: 'scheme time',
    doc: 'time that the actions of all schemes took',
    value: (result) => ofSchemes(result, ({ spentNs }) => spentNs),
    format: formatDuration,
  },
  {
    name: 'splits',
    title: 'splits',
    doc: 'folios that DAMOS split',
    value: ofPingPong(({ splits }) => splits),
    format: formatCount,
  },
  {
    name: 'split-failures',
    title: 'failed',
    doc: 'folios that DAMOS could not split',
    value: ofPingPong(({ failures }) => failures),
    format: formatCount,
  },
  {
    name: 'recollapses',
    title: 're-collapses',
    doc: 'huge pages built where DAMOS had split one',
    value: ofPingPong(({ recollapses }) => recollapses),
    format: formatCount,
  },
  {
    name: 'recollapses-soon',
    title: 'within 1min',
    doc: 'of these, within a minute of the split',
    value: ofPingPong(({ recollapsesSoon }) => recollapsesSoon),
    format: formatCount,
  },
];

/** What a scenario with kdamonds is compared by unless told otherwise. */
export const DAMON_DEFAULTS: readonly string[] = [
  'huge',
  'rss',
  'extra',
  'applied',
  'exceeded',
  'copied',
  'cpu',
  'damon-cpu',
  'worst',
];

/** What designs against ping-pong are compared by. */
export const PING_PONG_DEFAULTS: readonly string[] = [
  'splits',
  'split-failures',
  'recollapses',
  'recollapses-soon',
  'copied',
  'huge',
  'tlb-hits',
  'walks',
  'cpu',
  'damon-cpu',
];
