/**
 * The kdamonds of a scenario: they are made when their time comes, from what the machine holds then (a process that a fork
 * made, a VMA that moved), and run as tasks beside khugepaged. What they saw last is kept for the result, also of those
 * that have ended.
 */
import {
  createDamon,
  type Damon,
  DamonError,
  type DamonObserver,
  type DamonProfile,
  damonRegions,
  type RegionSnapshot,
  startDamon,
  stopDamon,
  type TargetConfig,
} from '@thplab/damos-actions';
import type { Procedure, Task } from '@thplab/sync';
import type { DamonTargetSpec, KdamondSpec } from '../format/index.js';
import { scenarioError } from '../run/run-error.js';
import type { World } from '../run/world.js';
import { rangesToAddresses } from './address-ranges.js';
import { schemeInput } from './scheme-input.js';

/** One target of a running context. */
export interface TargetOf {
  /** Null for physical addresses. */
  readonly process: string | null;
}

/** One kdamond of the scenario and what has become of it. */
export interface Kdamond {
  readonly spec: KdamondSpec;
  readonly index: number;
  /** Undefined until its time comes. */
  damon: Damon | undefined;
  task: Task | undefined;
  /** By number. */
  targets: readonly TargetOf[];
  /** Regions of each target when it ended; undefined while it runs. */
  lastRegions: readonly (readonly RegionSnapshot[])[] | undefined;
  /** Aggregations so far. */
  aggregations: number;
}

/** See the head of the file. */
export class Kdamonds {
  readonly all: readonly Kdamond[];
  readonly profile: DamonProfile;
  /** Told of every aggregation of every kdamond (recording). */
  observer: ((kdamond: Kdamond, damon: Damon) => void) | undefined;
  readonly #world: () => World;

  constructor(specs: readonly KdamondSpec[], profile: DamonProfile, world: () => World) {
    this.#world = world;
    this.profile = profile;
    this.all = specs.map((spec, index) => ({
      spec,
      index,
      damon: undefined,
      task: undefined,
      targets: [],
      lastRegions: undefined,
      aggregations: 0,
    }));
  }

  /** Lets each start, and stop, when its time comes. */
  schedule(): void {
    const world = this.#world();
    for (const kdamond of this.all) {
      const { name, start, stop } = kdamond.spec;
      world.spawn(`${name}: on`, null, () => this.#switchOn(kdamond), start);
      if (stop !== null) world.spawn(`${name}: off`, null, () => this.#switchOff(kdamond), stop);
    }
  }

  *#switchOn(kdamond: Kdamond): Procedure<number> {
    const world = this.#world();
    const { spec } = kdamond;
    const targets = spec.targets.flatMap((target) => targetConfigs(world, target));
    if (targets.length === 0) {
      throw scenarioError(
        world.locate,
        `${spec.key}.targets`,
        'no target of it lives then',
        'start it at another time',
      );
    }
    kdamond.targets = targets.map(({ process }) => ({ process }));
    try {
      kdamond.damon = createDamon({
        machine: world.m,
        operations: spec.operations,
        profile: this.profile,
        attributes: spec.attributes,
        targets: targets.map(({ config }) => config),
        schemes: spec.schemes.map((scheme) => schemeInput(world, scheme)),
        seed: spec.seed ?? world.scenario.seed,
        collapse: world.collapse,
        tracer: world.tracer,
        observer: this.#observerOf(kdamond),
        locking: spec.locks,
        contextIndex: kdamond.index,
      });
      startDamon(kdamond.damon, (name, procedure, options) => {
        kdamond.task = world.executor.spawn(name, procedure, options);
        world.locks.kernelTasks.add(kdamond.task.id);
      });
    } catch (error) {
      if (!(error instanceof DamonError)) throw error;
      throw scenarioError(world.locate, spec.key, `DAMON refuses this: ${error.message}`, 'see docs/damon.md');
    }
    return 0;
  }

  *#switchOff(kdamond: Kdamond): Procedure<number> {
    if (kdamond.damon !== undefined) yield* stopDamon(kdamond.damon);
    return 0;
  }

  #observerOf(kdamond: Kdamond): DamonObserver {
    return {
      aggregated: (damon) => {
        kdamond.aggregations++;
        this.observer?.(kdamond, damon);
      },
      ending: (damon) => {
        kdamond.lastRegions = kdamond.targets.map((_, index) => damonRegions(damon, index));
      },
    };
  }
}

/** A target for each live process that the name means. */
function targetConfigs(
  world: World,
  { process, ranges }: DamonTargetSpec,
): { readonly process: string | null; readonly config: TargetConfig }[] {
  if (process === null) return [{ process, config: { regions: rangesToAddresses(world, ranges, null) } }].map(bare);
  return world.processes
    .named(process)
    .map((one) => bare({ process: one.name, config: { mm: one.mm, regions: rangesToAddresses(world, ranges, one) } }));
}

/** Without regions the operations find their own. */
function bare<T extends { readonly config: TargetConfig }>(target: T): T {
  if (target.config.regions?.length !== 0) return target;
  const { regions: _none, ...config } = target.config;
  return { ...target, config };
}
