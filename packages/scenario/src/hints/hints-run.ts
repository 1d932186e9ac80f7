/** Collapse hints of a running scenario: the queue's policy and log, what is hot, and the producers. */
import {
  type HintPolicy,
  type HintQueueConfig,
  hintPolicyNamed,
  hintSizes,
  noHints,
} from '@thplab/khugepaged-scheduler';
import type { Machine } from '@thplab/mm-model';
import type { Generation } from '@thplab/mthp-collapse';
import type { Procedure } from '@thplab/sync';
import type { Scenario } from '../format/index.js';
import { countHugeBlocks } from '../report/huge-blocks.js';
import type { Process } from '../run/process-table.js';
import type { World } from '../run/world.js';
import { HintLog, type MmHints } from './hint-log.js';
import { HotSet } from './hot-set.js';
import { type HintProducer, makeProducer } from './producers/index.js';

/** The policy that a scenario runs: its own on a kernel that has hints, none on others. */
export function hintPolicyOf({ hints }: Scenario, generation: Generation): HintPolicy {
  return generation.hints ? hintPolicyNamed(hints?.policy ?? 'as-posted') : noHints;
}

const UNDECLARED_LIMIT = 65_536;

/** Rows of the tables of hints; hardly any where the kernel has none. */
export function hintSizesOf(
  { hints }: Scenario,
  generation: Generation,
  mmSlots: number,
): ReturnType<typeof hintSizes> {
  return hintSizes(mmSlots, generation.hints ? (hints?.limit ?? UNDECLARED_LIMIT) : 1);
}

/** See the head of the file. */
export class HintsRun {
  readonly log: HintLog;
  readonly policy: HintPolicy;
  /** Sums of processes that have exited and whose address space is another one's by now. */
  readonly past: Map<Process, MmHints> = new Map();
  readonly #world: () => World;
  readonly #whenFull: 'error' | 'drop';
  #hot: HotSet | undefined;
  #producers: readonly HintProducer[] = [];

  constructor(m: Machine, scenario: Scenario, generation: Generation, world: () => World) {
    this.log = new HintLog(m);
    this.policy = hintPolicyOf(scenario, generation);
    this.#whenFull = scenario.hints?.whenFull ?? 'error';
    this.#world = world;
  }

  /** For `createKhugepaged`. */
  get queueConfig(): HintQueueConfig {
    return { policy: this.policy, recorder: this.log, whenFull: this.#whenFull };
  }

  /** What is hot; undefined where nobody asks. */
  get hot(): HotSet | undefined {
    return this.#hot;
  }

  /** The processes are there: from now on it is known what is hot. */
  prepare(): void {
    const world = this.#world();
    if (world.scenario.hints === null) return;
    const hot = new HotSet(world);
    this.#hot = hot;
    world.log.built = (mm, page, order) => hot.collapsed(mm, page, 2 ** order, world.executor.current.nowNs);
    this.#producers = this.policy.queue ? world.scenario.hints.producers.map((spec) => makeProducer(world, spec)) : [];
    world.processes.listenToFaults((process, page, nowNs) => this.#faulted(process, page, nowNs));
  }

  /** Producers that are threads begin. */
  start(): void {
    const world = this.#world();
    for (const { name, task } of this.#producers) if (task !== undefined) world.spawn(name, null, task, 0);
  }

  /** The number of an address space is another one's now. */
  forget(mm: number): void {
    const sums = this.log.mms.get(mm);
    const process = this.#world().processes.all.findLast((one) => one.mm === mm);
    if (sums !== undefined && process !== undefined) this.past.set(process, sums);
    this.log.forget(mm);
  }

  *#faulted(process: Process, page: number, nowNs: number): Procedure<void> {
    const { m } = this.#world();
    const first = Math.floor(page / m.ptes) * m.ptes;
    if (this.#hot?.isHot(process.mm, page) === true && countHugeBlocks(m, process.mm, first, first + m.ptes) > 0) {
      this.#hot.faultedHuge(process.mm, page, nowNs);
    }
    for (const producer of this.#producers) {
      if (producer.faulted !== undefined) yield* producer.faulted(process, page, nowNs);
    }
  }
}
