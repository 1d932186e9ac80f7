/**
 * Six ways to keep khugepaged from building again what DAMOS has just split (DAMON spec 4.6), as data: what each changes of a
 * scenario, and what it has the machine do.
 */
import { damonProfileOf } from '@thplab/damos-actions';
import { SYSFS_ROOT } from '@thplab/sysfs-schema';
import type { KdamondSpec, Scenario, SchemeSpec } from '../../format/scenario.js';

/** How long khugepaged passes a block by that was split: longer each time. */
export interface CoolDown {
  readonly firstNs: number;
  readonly factor: number;
  readonly mostNs: number;
}

/** One design. */
export interface PingPongDesign {
  readonly name: string;
  readonly summary: string;
  /** The range is advised against huge pages before it is split. */
  readonly nohugepage: boolean;
  readonly coolDown: CoolDown | null;
  /** Writes after the scenario's own. */
  readonly sysfs: Readonly<Record<string, string>>;
  /** What else it changes. */
  readonly change: (scenario: Scenario) => Scenario;
}

const SECOND_NS = 1e9;
const same = (scenario: Scenario): Scenario => scenario;
const NOTHING = { nohugepage: false, coolDown: null, sysfs: {}, change: same } as const;

/** Hysteresis: what is split is used in at most this share of the samples, what is collapsed in at least that one. */
const COLD_SHARE = 0.1;
const HOT_SHARE = 0.5;
/** Age before either, s. */
const REVERSAL_SECONDS = 3;

/** All of them, in the order of the specification. */
export const PING_PONG_DESIGNS: readonly PingPongDesign[] = [
  { ...NOTHING, name: 'none', summary: 'khugepaged and DAMOS know nothing of each other' },
  { ...NOTHING, name: 'nohugepage', summary: 'MADV_NOHUGEPAGE on each range before it is split', nohugepage: true },
  {
    ...NOTHING,
    name: 'cooldown',
    summary: 'khugepaged passes a split range by for 10 s, twice as long each time it is split again',
    coolDown: { firstNs: 10 * SECOND_NS, factor: 2, mostNs: 600 * SECOND_NS },
  },
  {
    ...NOTHING,
    name: 'strict',
    summary: 'khugepaged fills no holes and takes no page that was not used: max_ptes_none 0, fewer pages per scan',
    sysfs: { 'khugepaged/max_ptes_none': '0', 'khugepaged/pages_to_scan': '512' },
  },
  {
    ...NOTHING,
    name: 'hints',
    summary: 'DAMON hints hot ranges to khugepaged (kernel hints-rfc), which scans by itself once a minute only',
    sysfs: { 'khugepaged/scan_sleep_millisecs': '60000' },
    change: withHints,
  },
  {
    ...NOTHING,
    name: 'hysteresis',
    summary:
      'DAMOS alone decides: it splits below 10 %, collapses above 50 %, and neither before 3 s; khugepaged is off',
    change: withHysteresis,
  },
];

/** The design of that name. */
export function pingPongDesign(name: string): PingPongDesign | undefined {
  return PING_PONG_DESIGNS.find((design) => design.name === name);
}

/** The scenario under a design. Errors: RangeError for a name that no design has. */
export function withPingPong(scenario: Scenario, name: string): Scenario {
  const design = pingPongDesign(name);
  if (design === undefined) {
    throw new RangeError(`no design is called ${name}; ${PING_PONG_DESIGNS.map((one) => one.name).join(', ')}`);
  }
  const writes = Object.entries(design.sysfs).map(([path, value]) => ({ path: `${SYSFS_ROOT}/${path}`, value }));
  // DAMON stays what it is, whatever kernel a design needs.
  const profile = scenario.damon.profile ?? damonProfileOf(scenario.machine.kernel).name;
  return design.change({
    ...scenario,
    sysfs: [...scenario.sysfs, ...writes],
    damon: { ...scenario.damon, profile, pingPong: name },
  });
}

/** khugepaged is told what is hot, in the order of its heat. */
function withHints(scenario: Scenario): Scenario {
  const key = scenario.damon.key;
  const [kdamond] = scenario.damon.kdamonds;
  const heat = {
    kind: 'heat',
    key,
    kdamond: kdamond?.name ?? null,
    above: HOT_SHARE,
    urgent: 0.8,
    every: SECOND_NS,
  } as const;
  return {
    ...scenario,
    machine: { ...scenario.machine, kernel: 'hints-rfc' },
    hints: { key, policy: null, limit: 65_536, whenFull: 'drop', hot: [], producers: [heat] },
  };
}

function withHysteresis(scenario: Scenario): Scenario {
  const kdamonds = scenario.damon.kdamonds.map(hysteretic);
  return { ...scenario, run: { ...scenario.run, khugepaged: false }, damon: { ...scenario.damon, kdamonds } };
}

/** Its schemes with bounds that leave a gap; a kdamond that splits and never collapses gets a scheme that does. */
function hysteretic(kdamond: KdamondSpec): KdamondSpec {
  const { attributes, schemes } = kdamond;
  const samples = Math.floor(attributes.aggrIntervalUs / Math.max(1, attributes.sampleIntervalUs));
  const age = { min: Math.ceil((REVERSAL_SECONDS * 1e6) / attributes.aggrIntervalUs), max: 2 ** 32 - 1 };
  const bounded = (scheme: SchemeSpec, min: number, max: number): SchemeSpec => ({
    ...scheme,
    config: { ...scheme.config, pattern: { ...scheme.config.pattern, nrAccesses: { min, max }, age } },
  });
  const cold = Math.floor(samples * COLD_SHARE);
  const hot = Math.ceil(samples * HOT_SHARE);
  const changed = schemes.map((scheme) => {
    if (scheme.config.action === 'split') return bounded(scheme, 0, cold);
    return scheme.config.action === 'collapse' ? bounded(scheme, hot, 2 ** 32 - 1) : scheme;
  });
  const [split] = changed.filter(({ config }) => config.action === 'split');
  if (split === undefined || changed.some(({ config }) => config.action === 'collapse')) {
    return { ...kdamond, schemes: changed };
  }
  const collapse: SchemeSpec = {
    key: split.key,
    name: 'collapse',
    config: { ...split.config, action: 'collapse', targetOrder: 0 },
    goals: split.goals,
    filters: [],
  };
  return { ...kdamond, schemes: [...changed, bounded(collapse, hot, 2 ** 32 - 1)] };
}
