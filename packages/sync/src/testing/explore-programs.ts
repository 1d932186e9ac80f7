/** Random small programs, and everything that can come of one. */
import fc from 'fast-check';
import { type ExploreLimits, exploreSettings } from '../explore/case.js';
import { ScheduleRunner } from '../explore/runner.js';
import type { Strategy } from '../explore/strategy.js';
import {
  acquireNested,
  downgrade,
  type LockMode,
  type LockRef,
  type Procedure,
  preempt,
  READ,
  release,
  sleep,
  tryAcquire,
  WRITE,
  wait,
  wake,
} from '../operations.js';
import { actor, ExploreWorld } from './explore-world.js';

/** A statement. Cells hold numbers; what a task sees of locks and wake-ups goes into a cell of its own. */
export type Statement =
  | { readonly kind: 'add'; readonly from: number; readonly to: number }
  | { readonly kind: 'section'; readonly lock: number; readonly mode: LockMode; readonly body: readonly Statement[] }
  | { readonly kind: 'try'; readonly lock: number; readonly mode: LockMode; readonly body: readonly Statement[] }
  | { readonly kind: 'downgrading'; readonly lock: number; readonly body: readonly Statement[] }
  | { readonly kind: 'wait'; readonly timed: boolean }
  | { readonly kind: 'wake' }
  | { readonly kind: 'sleep' };

export type Program = readonly (readonly Statement[])[];

const LOCKS = 3;

/** Programs of two or three tasks; `kinds` says which statements occur. */
export function programs(
  kinds: readonly Statement['kind'][],
  tasks: number,
  statements: number,
): fc.Arbitrary<Program> {
  const cell = fc.nat(1);
  const lock = fc.nat(LOCKS - 1);
  const mode = fc.constantFrom<LockMode>(READ, WRITE);
  const { statement } = fc.letrec<{ statement: Statement; body: Statement[] }>((tie) => {
    const body = tie('body');
    const all: Record<Statement['kind'], fc.Arbitrary<Statement>> = {
      add: fc.record({ kind: fc.constant('add'), from: cell, to: cell }),
      section: fc.record({ kind: fc.constant('section'), lock, mode, body }),
      try: fc.record({ kind: fc.constant('try'), lock, mode, body }),
      downgrading: fc.record({ kind: fc.constant('downgrading'), lock: fc.nat(1), body }),
      wait: fc.record({ kind: fc.constant('wait'), timed: fc.boolean() }),
      wake: fc.record({ kind: fc.constant('wake') }),
      sleep: fc.record({ kind: fc.constant('sleep') }),
    };
    return {
      statement: fc.oneof({ depthSize: 'small', maxDepth: 2 }, ...kinds.map((kind) => all[kind])),
      body: fc.array(tie('statement'), { maxLength: 1 }),
    };
  });
  return fc.array(fc.array(statement, { minLength: 1, maxLength: statements }), { minLength: 2, maxLength: tasks });
}

/** All final states that a strategy finds, deadlocks included, and how many schedules it took. */
export interface Reached {
  readonly states: ReadonlySet<string>;
  readonly schedules: number;
  readonly dropped: number;
  readonly steps: number;
  /** False if it did not come to its end. */
  readonly complete: boolean;
}

/** How a program is set up. */
export interface ProgramOptions {
  readonly logged?: boolean;
  readonly seesWaiters?: boolean;
  readonly most?: number;
}

/** Runs a program under every schedule of a strategy. */
export function reach(program: Program, strategy: Strategy, options: ProgramOptions = {}): Reached {
  const world = new ExploreWorld(options.logged ?? true);
  const actors = program.map((statements, task) => actor(`t${task}`, () => run(world, statements, task)));
  const subject = world.case(actors, { lockdep: false, seesWaiters: options.seesWaiters ?? false });
  const limits: ExploreLimits = { earlyWakes: 1000 };
  const runner = new ScheduleRunner(subject, exploreSettings(limits));
  const states = new Set<string>();
  let schedules = 0;
  let dropped = 0;
  let steps = 0;
  const most = options.most ?? 50_000;
  while (strategy.newSchedule()) {
    if (schedules + dropped === most) return { states, schedules, dropped, steps, complete: false };
    const end = runner.run(strategy);
    steps += runner.trace.count;
    if (end === 'dropped') {
      dropped++;
      continue;
    }
    schedules++;
    states.add(`${runner.failure === undefined ? 'done' : runner.failure.kind} ${world.cells.join(' ')}`);
  }
  return { states, schedules, dropped, steps, complete: true };
}

function* run(world: ExploreWorld, statements: readonly Statement[], task: number): Procedure<void> {
  for (const statement of statements) yield* perform(world, statement, task);
}

function* perform(world: ExploreWorld, statement: Statement, task: number): Procedure<void> {
  switch (statement.kind) {
    case 'add': {
      const seen = world.get(statement.from);
      yield preempt();
      world.set(statement.to, (2 * seen + task + 1) % 1000);
      return;
    }
    case 'section': {
      const mode = modeFor(statement.lock, statement.mode);
      yield acquireNested(lockOf(world, statement.lock), mode);
      yield* run(world, statement.body, task);
      yield release(lockOf(world, statement.lock), mode);
      return;
    }
    case 'try': {
      const mode = modeFor(statement.lock, statement.mode);
      const taken = yield tryAcquire(lockOf(world, statement.lock), mode);
      note(world, task, taken);
      if (taken === 0) return;
      yield* run(world, statement.body, task);
      yield release(lockOf(world, statement.lock), mode);
      return;
    }
    case 'downgrading':
      yield acquireNested(lockOf(world, statement.lock), WRITE);
      yield* run(world, statement.body, task);
      yield downgrade(lockOf(world, statement.lock));
      yield release(lockOf(world, statement.lock), READ);
      return;
    case 'wait':
      note(world, task, yield wait(world.queue, statement.timed ? 1000 : undefined));
      return;
    case 'wake':
      note(world, task, yield wake(world.queue));
      return;
    case 'sleep':
      yield sleep(1000);
  }
}

/** Locks 0 and 1 are rw-semaphores, lock 2 is a spinlock. */
function lockOf(world: ExploreWorld, lock: number): LockRef {
  return lock < 2 ? world.rwsem.ref(lock) : world.spin.ref(0);
}

function modeFor(lock: number, mode: LockMode): LockMode {
  return lock < 2 ? mode : WRITE;
}

function note(world: ExploreWorld, task: number, seen: number): void {
  const cell = 4 + task;
  world.set(cell, (world.get(cell) * 4 + seen + 1) % 100_000);
}
