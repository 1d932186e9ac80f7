/**
 * DAMON of a running scenario: the sysfs interface, and the kdamonds behind it. Those of the key `damon` are set up through
 * the same files as everything else, when their time comes: from what the machine holds then (a process that a fork made, a
 * VMA that moved). What each saw last is kept for the result, also of those that have ended.
 */
import {
  type Damon,
  DamonAdmin,
  type DamonFiles,
  type DamonObserver,
  type DamonProfile,
  type DamonWriteOutcome,
  damonRegions,
  type RegionSnapshot,
} from '@thplab/damos-actions';
import type { MemcgPaths } from '@thplab/mm-model';
import type { Procedure, Task } from '@thplab/sync';
import { DAMON_ROOT, type DamonTreeName, damonPath } from '@thplab/sysfs-schema';
import type { KdamondSpec, ScenarioError } from '../format/index.js';
import { scenarioError } from '../run/run-error.js';
import type { World } from '../run/world.js';
import { kdamondWrites } from './kdamond-writes.js';
import { mmOfPid, pidOf } from './pids.js';

/** A kdamond and what has become of it. */
export interface Kdamond {
  readonly index: number;
  readonly name: string;
  /** Undefined if it was set up by writes to its files. */
  readonly spec: KdamondSpec | undefined;
  /** Its context, or the last it had; undefined before it is switched on. */
  damon: Damon | undefined;
  task: Task | undefined;
  startedNs: number;
  /** Processes of the targets by number; null: physical memory. */
  targets: readonly (string | null)[];
  /** Regions of each target when it ended; undefined while it runs. */
  lastRegions: readonly (readonly RegionSnapshot[])[] | undefined;
  /** Aggregations so far. */
  aggregations: number;
  /** When each scheme was applied to a region for the first time, ns; by number. */
  readonly firstTriedNs: Map<number, number>;
}

/** See the head of the file. */
export class Kdamonds {
  readonly admin: DamonAdmin;
  readonly profile: DamonProfile;
  /** Told of every aggregation of every kdamond (recording). */
  observer: ((kdamond: Kdamond, damon: Damon) => void) | undefined;
  readonly #world: () => World;
  readonly #all = new Map<number, Kdamond>();
  /** Writes to files of kdamonds that the key `damon` sets up: they come after its own. */
  readonly #overrides: (readonly [path: string, value: string])[] = [];

  constructor(
    profile: DamonProfile,
    tree: DamonTreeName,
    world: () => World,
    parts: Pick<World, 'm' | 'collapse' | 'tracer'> & { readonly memcgs: MemcgPaths },
  ) {
    this.#world = world;
    this.profile = profile;
    this.admin = new DamonAdmin({
      machine: parts.m,
      profile,
      tree,
      collapse: parts.collapse,
      tracer: parts.tracer,
      memcgs: parts.memcgs,
      mmOfPid: (pid) => mmOfPid(world(), pid),
      extras: (index) => {
        const { seed, locks, attributes } = this.#of(index).spec ?? {};
        return {
          seed: seed ?? world().scenario.seed,
          locking: locks ?? 'batch',
          observer: this.#observerOf(index),
          splitGuard: world().pingPong.guard,
          ...(attributes === undefined ? {} : { minRegionSize: attributes.minRegionSize }),
        };
      },
      created: (index, damon) => this.#created(index, damon),
      startThread: (name, procedure, options) => {
        const { executor, locks } = world();
        const task = executor.spawn(name, procedure, options);
        locks.kernelTasks.add(task.id);
        // The context was made just before, and is the only one without a task.
        for (const kdamond of this.#all.values()) if (kdamond.damon !== undefined) kdamond.task ??= task;
        return task.id;
      },
    });
  }

  /** All that the scenario sets up or somebody switched on, by their numbers. */
  get all(): readonly Kdamond[] {
    return [...this.#all.values()].sort((a, b) => a.index - b.index);
  }

  /** Makes the folders of the kdamonds that the scenario sets up. */
  prepare(specs: readonly KdamondSpec[]): void {
    if (specs.length > 0) this.admin.files.kdamonds.set('nr_kdamonds', specs.length);
    for (const [index, spec] of specs.entries()) this.#all.set(index, newKdamond(index, spec.name, spec));
  }

  /** True, and the write is kept for later, if it is to a file of a kdamond that the key `damon` sets up. */
  overrides(path: string, value: string): boolean {
    const number = /^kdamonds\/(\d+)\//.exec(damonPath(path)?.slice(DAMON_ROOT.length + 1) ?? '')?.[1];
    if (number === undefined || this.#all.get(Number(number))?.spec === undefined) return false;
    this.#overrides.push([damonPath(path) ?? path, value]);
    return true;
  }

  /** The writes that set a kdamond up, paths relative to its folder. */
  #writesOf({ index, spec }: Kdamond): readonly (readonly [path: string, value: string])[] {
    if (spec === undefined) return [];
    const under = `${DAMON_ROOT}/kdamonds/${index}/`;
    const later = this.#overrides
      .filter(([path]) => path.startsWith(under))
      .map(([path, value]) => [path.slice(under.length), this.#pidFor(path, value)] as const);
    return [...kdamondWrites(this.#world(), spec), ...later];
  }

  /** A process's name stands for its pid. */
  #pidFor(path: string, text: string): string {
    const [process] = path.endsWith('/pid_target') ? this.#world().processes.named(text.trim()) : [];
    return process === undefined ? text : String(pidOf(this.#world(), process.mm));
  }

  /** Fills the files of all kdamonds that the scenario sets up, as they are now, and starts none: for exports. */
  fillFiles(): DamonFiles {
    for (const kdamond of this.all) {
      const { index, spec } = kdamond;
      if (spec === undefined) continue;
      for (const [path, value] of this.#writesOf(kdamond)) {
        const place = this.admin.files.find(`${DAMON_ROOT}/kdamonds/${index}/${path}`);
        const outcome = 'errno' in place ? { ok: false as const, ...place } : this.admin.files.write(place, value);
        if (!outcome.ok) throw this.#refused(spec, `${index}/${path}`, value, outcome);
      }
    }
    return this.admin.files;
  }

  /** Lets each start, and stop, when its time comes. */
  schedule(): void {
    const world = this.#world();
    for (const kdamond of this.all) {
      const { spec } = kdamond;
      if (spec === undefined) continue;
      world.spawn(`${spec.name}: on`, null, () => this.#setUp(kdamond, spec), spec.start);
      if (spec.stop !== null) {
        world.spawn(`${spec.name}: off`, null, () => this.#write(spec, `${kdamond.index}/state`, 'off'), spec.stop);
      }
    }
  }

  /** Writes a file; a process's name stands for its pid. */
  *write(path: string, text: string): Procedure<DamonWriteOutcome> {
    return yield* this.admin.write(path, this.#pidFor(path, text));
  }

  *#setUp(kdamond: Kdamond, spec: KdamondSpec): Procedure<number> {
    for (const [path, value] of this.#writesOf(kdamond)) {
      yield* this.#write(spec, `${kdamond.index}/${path}`, value);
    }
    return yield* this.#write(spec, `${kdamond.index}/state`, 'on');
  }

  /** Errors: ScenarioError for what DAMON refuses. */
  *#write(spec: KdamondSpec, path: string, value: string): Procedure<number> {
    const outcome = yield* this.admin.write(`${DAMON_ROOT}/kdamonds/${path}`, value);
    if (outcome.ok) return 0;
    throw this.#refused(spec, path, value, outcome);
  }

  #refused(spec: KdamondSpec, path: string, value: string, outcome: DamonWriteOutcome & { ok: false }): ScenarioError {
    const what = `writing ${JSON.stringify(value)} to kdamonds/${path} fails with ${outcome.errno}`;
    return scenarioError(this.#world().locate, spec.key, what, outcome.message);
  }

  #of(index: number): Kdamond {
    const known = this.#all.get(index);
    if (known !== undefined) return known;
    const made = newKdamond(index, `kdamond-${index}`, undefined);
    this.#all.set(index, made);
    return made;
  }

  #created(index: number, damon: Damon): void {
    const world = this.#world();
    const kdamond = this.#of(index);
    kdamond.damon = damon;
    kdamond.task = undefined;
    kdamond.startedNs = world.executor.current.nowNs;
    kdamond.lastRegions = undefined;
    kdamond.aggregations = 0;
    kdamond.firstTriedNs.clear();
    const { mm } = damon.t.damonTarget;
    kdamond.targets = [...damon.targets.rows(damon.context)].map((target) =>
      damon.operations === 'paddr' ? null : (world.processes.ofMm(mm[target])?.name ?? null),
    );
  }

  #observerOf(index: number): DamonObserver {
    return {
      aggregated: (damon) => {
        const kdamond = this.#of(index);
        kdamond.aggregations++;
        for (const [number, { row }] of damon.runningSchemes.entries()) {
          if (damon.t.damosScheme.nrTried[row] > 0 && !kdamond.firstTriedNs.has(number)) {
            kdamond.firstTriedNs.set(number, damon.m.current.nowNs);
          }
        }
        this.observer?.(kdamond, damon);
      },
      ending: (damon) => {
        const targets = [...damon.targets.rows(damon.context)];
        this.#of(index).lastRegions = targets.map((_, number) => damonRegions(damon, number));
      },
    };
  }
}

function newKdamond(index: number, name: string, spec: KdamondSpec | undefined): Kdamond {
  return {
    index,
    name,
    spec,
    damon: undefined,
    task: undefined,
    startedNs: 0,
    targets: [],
    lastRegions: undefined,
    aggregations: 0,
    firstTriedNs: new Map(),
  };
}

/** True for paths below DAMON's folder. */
export function isDamonPath(path: string): boolean {
  return damonPath(path) !== null;
}
