/** A case as the rest of the code sees it: all defaults filled in. */
import type { KernelProfile } from '@thplab/sysfs-schema';
import type { ProcessSpec, SysfsWrite } from '../../format/index.js';
import type { Locate } from '../../run/run-error.js';
import type { TargetDraft } from '../actors/actor.js';
import type { Invariant } from '../invariants/invariant.js';

export type VariantValue = boolean | number | string;

/** The machine of a case. Sizes are in base pages: cases are small. */
export interface CheckMachineSpec {
  readonly kernel: KernelProfile;
  readonly pmdOrder: number;
  readonly pages: number;
  readonly swap: number;
  /** Rows that khugepaged has for address spaces; default one for each process and one more. */
  readonly slots: number | null;
  /** Fields of the generation that differ from the kernel's: the switch that makes it faulty. */
  readonly variant: Readonly<Record<string, VariantValue>>;
}

/** One actor. */
export interface ActorSpec {
  /** Place in the file. */
  readonly key: string;
  readonly name: string;
  readonly kind: string;
  readonly params: TargetDraft;
}

export const STRATEGIES = ['dfs', 'pct', 'random'] as const;
export type StrategyName = (typeof STRATEGIES)[number];

/** How the schedules are searched unless the caller says otherwise. */
export interface SearchSpec {
  readonly strategy: StrategyName;
  /** Most pre-emptions of a schedule; null: any number. */
  readonly preemptions: number | null;
  readonly maxSchedules: number;
  readonly seed: number;
}

/** A child that exists from the start, sharing pages with its parent. */
export interface ForkSpec {
  readonly key: string;
  readonly process: string;
  readonly as: string;
}

/** The entry of the catalogue (khugepaged spec 19) that a case is of. */
export interface BugSpec {
  readonly id: string;
  /** What the failure of the faulty kernel says; null: no kernel is known to fail. */
  readonly finds: string | null;
  readonly note: string;
}

export interface CheckCase {
  readonly format: string;
  readonly name: string;
  readonly description: string;
  /** Null: of none. */
  readonly bug: BugSpec | null;
  readonly machine: CheckMachineSpec;
  readonly sysfs: readonly SysfsWrite[];
  readonly processes: readonly ProcessSpec[];
  readonly forks: readonly ForkSpec[];
  readonly actors: readonly ActorSpec[];
  readonly invariants: ReadonlySet<Invariant>;
  readonly search: SearchSpec;
  /** Finds places in the file, for errors that come up when the machine is built. */
  readonly locate: Locate;
}
