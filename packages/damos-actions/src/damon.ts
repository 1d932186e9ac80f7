/**
 * One DAMON context with its kdamond: what it is made with and what it is made of. Functions of access, schemes and actions
 * take it first.
 */
import type { Random } from '@thplab/arena';
import type { Machine, MmId, Vpn } from '@thplab/mm-model';
import type { CollapseContext } from '@thplab/mthp-collapse';
import type { Procedure, WaitQueue } from '@thplab/sync';
import type { TraceEmitter } from '@thplab/trace';
import type { AccessLocking, OperationsId } from './access/access-checks.js';
import type { DamonEvents } from './events.js';
import type { DamonStore } from './monitor/store.js';
import type { DamonProfile } from './profile.js';
import type { Scheme } from './schemes/scheme.js';
import type { WalkVisitor } from './schemes/walk.js';

/** A scheme and the row of what changes while it runs. */
export interface RunningScheme {
  readonly row: number;
  config: Scheme;
}

/** Somebody waits for the kdamond to do something for him between two samples (`damon_call`). */
export interface DamonRequest {
  readonly run: () => void;
  /** 0 while it waits; 1: done; -1: the kdamond ended before it came to it. */
  state: 0 | 1 | -1;
  /** What `run` threw. */
  error: unknown;
}

/** A walk over the regions that schemes are applied to, on its way (`damos_walk_control`). */
export interface DamosWalk {
  readonly visit: WalkVisitor;
  /** Schemes whose round has been walked. */
  readonly completed: Set<number>;
  state: 0 | 1 | -1;
}

/** Told of moments in a kdamond's life; they must change nothing. */
export interface DamonObserver {
  /** An aggregation is over, schemes have been applied; counters have not been set back yet. */
  aggregated?(d: Damon): void;
  /** A sample was taken and counted. */
  sampled?(d: Damon): void;
  /** The kdamond ends; regions are there for the last time. */
  ending?(d: Damon): void;
}

/**
 * Stands beside the split action, for policies that keep khugepaged from building again what was split (DAMON spec 4.6). Both
 * are asked for blocks only whose folio is larger than the target.
 */
export interface SplitGuard {
  /** Before the locks are taken; false: the block is left alone. */
  before?(mm: MmId, page: Vpn): Procedure<boolean>;
  /** After the attempt, with mmap_lock held for reading. */
  after?(mm: MmId, page: Vpn, split: boolean): void;
}

/** See the head of the file. */
export interface Damon extends DamonStore {
  readonly m: Machine;
  readonly operations: OperationsId;
  readonly profile: DamonProfile;
  /** Of sampling addresses and splits. */
  readonly random: Random;
  readonly locking: AccessLocking;
  readonly collapse: CollapseContext | undefined;
  readonly tracer: TraceEmitter<DamonEvents>;
  readonly observer: DamonObserver;
  readonly splitGuard: SplitGuard;
  /** Number of the context in traces. */
  readonly contextIndex: number;
  /** Memory stall time so far ("some" of PSI), µs; the model has no such accounting of its own. */
  readonly someMemPsiUs: () => number;
  /** In the order of their numbers. */
  runningSchemes: RunningScheme[];
  /** What was wrong with the configuration and was put right, in words. */
  readonly warnings: string[];
  /** Highest count of the present check; scratch of access checks. */
  most: number;
  readonly requests: DamonRequest[];
  walk: DamosWalk | undefined;
  /** Woken when a request or a walk is done, and when the kdamond ends. */
  readonly doneQueue: WaitQueue;
}
