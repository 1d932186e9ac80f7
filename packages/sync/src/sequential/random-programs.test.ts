/** Random programs: the same run twice, and what must hold in every run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunLimits } from '../executor.js';
import { LOCK_WORDS, SyncDomain } from '../locks.js';
import {
  acquire,
  type LockMode,
  type LockRef,
  now,
  type Procedure,
  preempt,
  READ,
  release,
  sleep,
  spend,
  tryAcquire,
  WRITE,
  wait,
  wake,
} from '../operations.js';
import { eager } from '../testing/programs.js';
import { SequentialExecutor } from './executor.js';
import type { SequentialOptions } from './settings.js';

const LOCKS = 3;

type Step =
  | { readonly what: 'spend'; readonly ns: number }
  | { readonly what: 'sleep'; readonly ns: number }
  | { readonly what: 'wait'; readonly ns: number }
  | { readonly what: 'wake' | 'preempt' }
  | {
      readonly what: 'lock' | 'try';
      readonly at: number;
      readonly mode: LockMode;
      readonly ns: number;
      readonly spin: number;
    };

interface Program {
  readonly tasks: readonly {
    readonly steps: readonly Step[];
    readonly nice: number;
    readonly cpu: number;
    readonly startNs: number;
  }[];
  readonly options: SequentialOptions;
}

const ns = fc.oneof(
  fc.nat(20).map((n) => n * 100),
  fc.nat(50_000),
);
const mode = fc.constantFrom<LockMode>(READ, WRITE);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ what: fc.constant('spend' as const), ns }),
  fc.record({ what: fc.constant('sleep' as const), ns }),
  fc.record({ what: fc.constant('wait' as const), ns }),
  fc.record({ what: fc.constantFrom('wake' as const, 'preempt' as const) }),
  fc.record({
    what: fc.constantFrom('lock' as const, 'lock' as const, 'try' as const),
    at: fc.nat(LOCKS - 1),
    mode,
    ns,
    spin: fc.constantFrom(0, 0, 100, 1500),
  }),
);
const program: fc.Arbitrary<Program> = fc.record({
  tasks: fc.array(
    fc.record({
      steps: fc.array(step, { maxLength: 12 }),
      nice: fc.constantFrom(0, 0, 0, 5, 19, -10),
      cpu: fc.integer({ min: -2, max: 1 }),
      startNs: ns,
    }),
    { minLength: 1, maxLength: 7 },
  ),
  options: fc.record({
    cpus: fc.integer({ min: 2, max: 4 }),
    seed: fc.nat(1000),
    contextSwitchNs: fc.constantFrom(0, 1500),
    lockOperationNs: fc.constantFrom(0, 25),
    sliceNs: fc.constantFrom(1000, 30_000, 3_000_000),
    wakeupGranularityNs: fc.constantFrom(0, 10_000),
  }),
});

interface Log {
  readonly lines: string[];
  readonly problems: string[];
}

/** How a program is run. */
interface RunForm {
  readonly pieces?: RunLimits | undefined;
  /** Tasks that ask for every operation on the spot first, one bit each. */
  readonly eagerTasks?: number;
}

/** Runs a program; checks on the way what can be seen from the outside. */
function run(program: Program, { pieces, eagerTasks = 0 }: RunForm = {}): { log: string[]; problems: string[] } {
  const domain = new SyncDomain();
  const words = new Int32Array(2 * LOCKS * LOCK_WORDS);
  const sem = domain.lockClass({ name: 'sem', kind: 'rwsem', rank: 1, words });
  const spin = domain.lockClass({ name: 'spin', kind: 'spin', rank: 2, words, offset: LOCKS * LOCK_WORDS });
  const queue = domain.waitQueue('queue');
  const { lines, problems }: Log = { lines: [], problems: [] };
  const must = (holds: boolean, text: string): void => {
    if (!holds) problems.push(text);
  };
  const inside = new Map<LockRef, number>();
  const asked = new Map<LockRef, number[]>();
  const spent: number[] = [];
  const waited: number[] = [];
  let lastNs = 0;
  const at = (nowNs: number): void => {
    must(nowNs >= lastNs, `time went back to ${nowNs}`);
    lastNs = nowNs;
  };
  const executor: SequentialExecutor = new SequentialExecutor(domain, {
    ...program.options,
    observers: [
      {
        lockTaken(lock, how, task, cpu, nowNs, waitNs) {
          at(nowNs);
          lines.push(`${nowNs} take ${domain.describe(lock)} ${how} ${task}@${cpu} after ${waitNs}`);
          const now = inside.get(lock) ?? 0;
          must(how === WRITE ? now === 0 : now >= 0, `two that exclude each other in ${domain.describe(lock)}`);
          inside.set(lock, how === WRITE ? -1 : now + 1);
          waited[task] = (waited[task] ?? 0) + waitNs;
          if (domain.classOf(lock) === spin) spent[task] = (spent[task] ?? 0) + waitNs;
          const queueOfWriters = asked.get(lock) ?? [];
          if (how === WRITE && queueOfWriters.includes(task)) {
            must(queueOfWriters.shift() === task, `a writer was passed by task ${task}`);
          }
        },
        lockGiven(lock, how, task, cpu, nowNs, heldNs) {
          at(nowNs);
          lines.push(`${nowNs} give ${domain.describe(lock)} ${how} ${task}@${cpu} after ${heldNs}`);
          inside.set(lock, how === WRITE ? 0 : (inside.get(lock) ?? 0) - 1);
        },
      },
    ],
  });
  function* body(id: number, steps: readonly Step[]): Procedure<void> {
    const pass = (n: number): number => {
      spent[id] = (spent[id] ?? 0) + n;
      return n;
    };
    const lockNs = program.options.lockOperationNs ?? 0;
    for (const one of steps) {
      lines.push(`${yield now()} ${executor.current.task}@${executor.current.cpu} ${one.what}`);
      must(executor.current.task === id, 'the task that runs is the current one');
      if (one.what === 'wake') lines.push(`wakes ${yield wake(queue)}`);
      else if (one.what === 'preempt') yield preempt();
      else if (one.what === 'spend') yield spend(pass(one.ns));
      else if (one.what === 'sleep') yield sleep(one.ns);
      else if (one.what === 'wait') lines.push(`woken ${yield wait(queue, one.ns)}`);
      else if ('at' in one) {
        const lock = sem.ref(one.at);
        pass(lockNs);
        if (one.what === 'try') {
          if ((yield tryAcquire(lock, one.mode)) === 0) continue;
        } else {
          if (one.mode === WRITE) asked.set(lock, [...(asked.get(lock) ?? []), id]);
          yield acquire(lock, one.mode);
        }
        yield spend(pass(one.ns));
        if (one.spin > 0) {
          pass(2 * lockNs);
          yield acquire(spin.ref(one.at));
          yield spend(pass(one.spin));
          yield release(spin.ref(one.at));
        }
        pass(lockNs);
        yield release(lock, one.mode);
      }
    }
  }
  for (const [at, task] of program.tasks.entries()) {
    const cpu = task.cpu < 0 ? {} : { cpu: task.cpu };
    const steps = (): Procedure<void> => body(at + 1, task.steps);
    const whole = (eagerTasks & (1 << at)) === 0 ? steps : () => eager(executor, steps());
    executor.spawn(`t${at}`, whole, { nice: task.nice, startNs: task.startNs, ...cpu });
  }
  let outcome = executor.run(pieces);
  let operations = outcome.steps;
  for (; outcome.end === 'steps'; operations += outcome.steps) outcome = executor.run(pieces);
  must(outcome.end === 'idle', `ends with ${outcome.end}: ${String(outcome.failure?.error)}`);
  must(
    words.every((word) => word === 0),
    'all lock words are zero at the end',
  );
  for (const task of executor.tasks) {
    must(task.state === 'done', `task ${task.id} is ${task.state}`);
    const [used, wait] = [spent[task.id] ?? 0, waited[task.id] ?? 0];
    must(task.cpuNs === used, `task ${task.id} was charged ${task.cpuNs} for ${used}`);
    must(task.lockWaitNs === wait, `task ${task.id} waited ${task.lockWaitNs}, observed ${wait}`);
  }
  const busyNs = executor.processors.reduce((sum, cpu) => sum + cpu.busyNs, 0);
  must(
    busyNs === executor.tasks.reduce((sum, task) => sum + task.cpuNs, 0),
    'processors were busy as long as tasks ran',
  );
  for (const cpu of executor.processors) {
    must(cpu.busyNs + cpu.switchNs <= outcome.nowNs + 1500, `processor ${cpu.id} ran two tasks at once`);
  }
  lines.push(`end ${outcome.nowNs} after ${operations}`);
  return { log: lines, problems };
}

describe('random programs on the sequential executor', () => {
  it('exclude, keep the order of writers, lose no time and end', () => {
    fc.assert(
      fc.property(program, (one) => {
        expect(run(one).problems).toEqual([]);
      }),
      { numRuns: 1500 },
    );
  });

  it('give the same log again, and in pieces of any number of operations', () => {
    fc.assert(
      fc.property(program, fc.integer({ min: 1, max: 9 }), (one, maxSteps) => {
        const { log } = run(one);
        expect(run(one).log).toEqual(log);
        expect(run(one, { pieces: { maxSteps } }).log).toEqual(log);
      }),
      { numRuns: 500 },
    );
  });

  it('give the same log whichever tasks have their operations performed at once, also in pieces', () => {
    const pieces = fc.option(
      fc.integer({ min: 1, max: 9 }).map((maxSteps) => ({ maxSteps })),
      { nil: undefined },
    );
    fc.assert(
      fc.property(program, fc.nat(127), pieces, (one, eagerTasks, limits) => {
        const made = run(one, { eagerTasks, pieces: limits });
        expect(made.problems).toEqual([]);
        expect(made.log).toEqual(run(one).log);
      }),
      { numRuns: 700 },
    );
  });

  it('differ with the seed where processors meet at one instant', () => {
    const steps: Step[] = Array.from({ length: 6 }, () => ({ what: 'lock', at: 0, mode: WRITE, ns: 100, spin: 0 }));
    const tasks = [0, 1, -1, -1].map((cpu) => ({ steps, nice: 0, cpu, startNs: 0 }));
    const logs = [0, 1, 2, 3, 4].map((seed) => run({ tasks, options: { cpus: 4, seed } }).log.join('\n'));
    expect(new Set(logs).size).toBeGreaterThan(1);
  });
});
