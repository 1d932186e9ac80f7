/**
 * Running the events of one time. Events of one family of processes follow each other in file order, each when the one
 * before has ended (or goes on beside, as an access pattern does); different families run side by side. Events that
 * concern the machine, and checks, wait for all before them and hold up all behind them.
 */
import type { Procedure } from '@thplab/sync';
import { counterValues } from '../report/counters.js';
import { planSteps, runsBeside, subjectOf } from './events/plan.js';
import type { Execution, Step } from './events/step.js';
import type { World } from './world.js';

/** Told what came of executions. */
export interface EventListener {
  /** One step ended with 0 or a negative errno. */
  stepEnded(execution: Execution, result: number): void;
  /** All steps of an execution ended; `before`: the counters at its start, if it expects something of them. */
  executionEnded(execution: Execution, before: ReadonlyMap<string, number> | null): void;
  /** A check is to be judged now. */
  check(execution: Execution): void;
}

/** See the head of the file. */
export class EventRunner {
  readonly #world: World;
  readonly #listener: EventListener;
  /** Executions begun and not ended. */
  #pending = 0;

  constructor(world: World, listener: EventListener) {
    this.#world = world;
    this.#listener = listener;
  }

  /** Nothing that has begun is still going on. */
  get isDone(): boolean {
    return this.#pending === 0 && this.#world.notice.outstanding === 0;
  }

  /** Runs the executions of one time; `done` is called when all have ended or go on beside. */
  start(executions: readonly Execution[], done: () => void = () => {}): void {
    this.#pending += executions.length;
    this.#stage(executions, done);
  }

  /** The executions up to the first that concerns the machine, by family; then the rest. */
  #stage(executions: readonly Execution[], done: () => void): void {
    if (executions.length === 0) {
      done();
      return;
    }
    const barrier = executions.findIndex((execution) => subjectOf(execution.event.action) === null);
    if (barrier === 0) {
      this.#run(executions[0], () => this.#stage(executions.slice(1), done));
      return;
    }
    const before = barrier < 0 ? executions : executions.slice(0, barrier);
    const chains = this.#chains(before);
    let open = chains.length;
    for (const chain of chains) {
      this.#chain(chain, () => {
        open--;
        if (open === 0) this.#stage(executions.slice(before.length), done);
      });
    }
  }

  #chains(executions: readonly Execution[]): Execution[][] {
    const chains = new Map<string, Execution[]>();
    for (const execution of executions) {
      const subject = (subjectOf(execution.event.action) ?? '').split('.')[0];
      const family = this.#world.families.get(subject) ?? subject;
      const chain = chains.get(family);
      if (chain === undefined) chains.set(family, [execution]);
      else chain.push(execution);
    }
    return [...chains.values()];
  }

  #chain(executions: readonly Execution[], done: () => void): void {
    if (executions.length === 0) done();
    else this.#run(executions[0], () => this.#chain(executions.slice(1), done));
  }

  #run(execution: Execution, next: () => void): void {
    const { event } = execution;
    if (event.action.kind === 'check') {
      this.#listener.check(execution);
      this.#pending--;
      next();
      return;
    }
    const beside = runsBeside(event.action);
    const counted = event.expect !== null && event.expect.counters.length > 0;
    const before = counted ? counterValues(this.#world, event.expect?.counters ?? []) : null;
    const steps = planSteps(this.#world, execution);
    let open = steps.length;
    const ended = (): void => {
      this.#pending--;
      this.#listener.executionEnded(execution, before);
      if (!beside) next();
    };
    for (const step of steps) {
      this.#spawn(execution, step, () => {
        open--;
        if (open === 0) ended();
      });
    }
    if (steps.length === 0) ended();
    if (beside) next();
  }

  #spawn(execution: Execution, step: Step, done: () => void): void {
    const listener = this.#listener;
    const { event } = execution;
    const body = function* (): Procedure<number> {
      const result = yield* step.procedure();
      listener.stepEnded(execution, result);
      done();
      return result;
    };
    const name = step.process === null ? event.action.kind : `${step.process.name}: ${event.action.kind}`;
    this.#world.spawn(name, step.process, body, execution.atNs, event.cpu);
  }
}
