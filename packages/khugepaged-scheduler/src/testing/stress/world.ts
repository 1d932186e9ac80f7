/**
 * One run of the stress test: a machine, an executor, what the processes must see, and what has happened since the last
 * look. Steps go through `execute`, which runs jobs together and lets the expectation explain their results.
 */
import type { MmId, Pfn } from '@thplab/mm-model';
import { mmAlloc } from '@thplab/mm-model';
import type { ScanResult } from '@thplab/mthp-collapse';
import { type Procedure, SequentialExecutor, wait, wake } from '@thplab/sync';
import { Contradiction, type Expectation, Expectation as Expected, eitherOf } from './expectation.js';
import { freshRig, type Rig, type Setup } from './setup.js';

/** One procedure with what it promises. */
export interface Job<T = unknown> {
  readonly name: string;
  /** Process that it works for; 0: none. */
  readonly process: number;
  /** transparent: no process may notice it. structural: changes what is mapped; one at a time in a process. */
  readonly kind: 'transparent' | 'write' | 'structural';
  readonly run: () => Procedure<T>;
  /** Changes the expectation by the result. Contradiction: the result is wrong. */
  settle(expected: Expectation, result: T): void;
}

/** One attempt to collapse a window. */
export interface Attempt {
  readonly mm: MmId;
  readonly page: number;
  readonly order: number;
  readonly result: ScanResult;
}

/** See the head of the file. */
export class World {
  readonly setup: Setup;
  readonly rig: Rig;
  readonly executor: SequentialExecutor;
  readonly expected: Expectation = new Expected();
  /** Attempts to collapse since the last step. */
  attempts: Attempt[] = [];
  /** Called at the end of each attempt. */
  onAttempt: ((attempt: Attempt) => void) | undefined = undefined;
  /** Allocations may have been made to fail. */
  injected = false;
  /** Frames taken away from the allocator. */
  hogged: Pfn[] = [];
  /** Steps done. */
  steps = 0;

  constructor(setup: Setup) {
    this.setup = setup;
    this.rig = freshRig(setup);
    const { m, k } = this.rig;
    const { seed, lockOperationNs } = setup;
    this.executor = new SequentialExecutor(m.domain, {
      cpus: m.cpus,
      seed,
      lockOperationNs,
      statistics: false,
      rethrow: true,
      livelockSteps: 2 ** 18,
    });
    m.current = this.executor.current;
    this.rig.startThread = () => {
      // Passes are steps of the test, so the thread only waits to be stopped.
      this.executor.spawn('khugepaged', function* idle(): Procedure<void> {
        while (k.t.khugepaged.shouldStop[0] === 0) yield wait(k.waitQueue);
        k.t.khugepaged.running[0] = 0;
        yield wake(k.stopQueue);
      });
    };
    this.rig.recorder = {
      attempted: (mm, page, order, result) => {
        const attempt = { mm, page, order, result };
        this.attempts.push(attempt);
        this.onAttempt?.(attempt);
      },
    };
    this.expected.addProcess(mmAlloc(m));
  }

  /** Runs jobs at the same time, `delays` ns apart from the start, and settles them in any order that explains all. */
  execute(jobs: readonly Job[], delays: readonly number[] = []): void {
    const start = this.executor.current.nowNs;
    const tasks = jobs.map((job, i) => this.executor.spawn(job.name, job.run, { startNs: start + (delays[i] ?? 0) }));
    this.executor.run({ maxSteps: 2_000_000 });
    for (const task of tasks) {
      if (task.state !== 'done') throw new Error(`${task.name} does not come to an end (${task.state})`);
    }
    settle(
      this.expected,
      jobs,
      tasks.map((task) => task.result),
    );
  }
}

function settle(expected: Expectation, jobs: readonly Job[], results: readonly unknown[]): void {
  let outcome: Expectation | undefined;
  let refusal: unknown;
  for (const order of permutations(jobs.map((_, i) => i))) {
    const attempt = expected.clone();
    try {
      for (const i of order) (jobs[i] as Job).settle(attempt, results[i]);
      outcome = outcome === undefined ? attempt : eitherOf(outcome, attempt);
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      refusal ??= error;
    }
  }
  if (outcome === undefined) throw refusal;
  expected.become(outcome);
}

function permutations(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}
