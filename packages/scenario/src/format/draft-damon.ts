/** DAMON as the zod schema puts it out; see draft.ts. */
import type { DraftOrder, DraftRange } from './draft.js';
import type { Interval } from './units.js';

type Maybe<T> = T | undefined;

/** A bound in one of the two units that DAMON's fields have. */
export interface EitherBound<A extends string, B extends string> extends Interval {
  unit: A | B;
}

export interface DraftDamon {
  /** The file has a bare list of kdamonds. */
  bare?: Maybe<boolean>;
  profile?: Maybe<string>;
  pingPong?: Maybe<string>;
  kdamonds?: Maybe<DraftKdamond[]>;
  /** A damo document, or the file that has it. */
  damo?: unknown;
  /** Pids of that document to names of processes. */
  pids?: Maybe<Record<string, string>>;
}

export interface DraftKdamond {
  name?: Maybe<string>;
  operations?: Maybe<'vaddr' | 'fvaddr' | 'paddr'>;
  intervals?: Maybe<{ sample?: Maybe<number>; aggr?: Maybe<number>; update?: Maybe<number> }>;
  autotune?: Maybe<{ access: number; aggrs: number; minSample: number; maxSample: number }>;
  regions?: Maybe<{ min?: Maybe<number>; max?: Maybe<number> }>;
  minRegionSize?: Maybe<number>;
  addrUnit?: Maybe<number>;
  targets?: Maybe<DraftDamonTarget[]>;
  schemes?: Maybe<DraftScheme[]>;
  start?: Maybe<number>;
  stop?: Maybe<number>;
  seed?: Maybe<number>;
  pause?: Maybe<boolean>;
  locks?: Maybe<'kernel' | 'batch'>;
}

export type DraftDamonRange = Omit<DraftRange, 'process'>;

export interface DraftDamonTarget {
  process?: Maybe<string>;
  ranges?: Maybe<DraftDamonRange[]>;
}

export interface DraftScheme {
  name?: Maybe<string>;
  action: string;
  size?: Maybe<Interval>;
  accesses?: Maybe<EitherBound<'percent', 'samples'>>;
  age?: Maybe<EitherBound<'ns', 'aggregations'>>;
  every?: Maybe<number>;
  quota?: Maybe<DraftQuota>;
  watermarks?: Maybe<{ interval: number; high: number; mid: number; low: number }>;
  filters?: Maybe<DraftFilter[]>;
  targetOrder?: Maybe<DraftOrder>;
  node?: Maybe<{ nid: number; weight: number }[]>;
  maxSnapshots?: Maybe<number>;
}

export interface DraftQuota {
  size?: Maybe<number>;
  time?: Maybe<number>;
  per?: Maybe<number>;
  weights?: Maybe<{ size?: Maybe<number>; accesses?: Maybe<number>; age?: Maybe<number> }>;
  goals?: Maybe<DraftGoal[]>;
  tuner?: Maybe<'consist' | 'temporal'>;
  failCharge?: Maybe<{ num: number; denom: number }>;
}

export interface DraftGoal {
  metric: string;
  target: number;
  current?: Maybe<number>;
  node?: Maybe<number>;
  memcg?: Maybe<string>;
}

export interface DraftFilter extends DraftDamonRange {
  allow?: Maybe<string>;
  reject?: Maybe<string>;
  not?: Maybe<boolean>;
  process?: Maybe<string>;
  min?: Maybe<number>;
  max?: Maybe<number>;
  target?: Maybe<number>;
  memcg?: Maybe<string>;
}

export interface DraftSchemeExpect {
  tried?: Maybe<Interval>;
  sizeTried?: Maybe<Interval>;
  applied?: Maybe<Interval>;
  sizeApplied?: Maybe<Interval>;
  sizePassed?: Maybe<Interval>;
  quotaExceeds?: Maybe<Interval>;
  snapshots?: Maybe<Interval>;
}

export interface DraftMonitoringExpect {
  kdamond?: Maybe<string>;
  process?: Maybe<string>;
  vma?: Maybe<string>;
  above?: Maybe<number>;
  hot?: Maybe<Interval>;
  regions?: Maybe<Interval>;
  monitored?: Maybe<Interval>;
}
