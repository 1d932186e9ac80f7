/** Sequences of steps: what is done how often, how many steps there are, and running one. */
import fc from 'fast-check';
import type { Expectation } from './expectation.js';
import { Rundown } from './rundown.js';
import { anySetup, type Setup } from './setup.js';
import { type Action, Step } from './step.js';
import { advices, madviseCollapses } from './steps/advise.js';
import { passes, settings } from './steps/collapse.js';
import { mappings } from './steps/mapping.js';
import { memories } from './steps/memory.js';
import { pins } from './steps/pins.js';
import { rights } from './steps/rights.js';
import { touches } from './steps/touch.js';
import { World } from './world.js';

const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: mappings.map },
  { weight: 7, arbitrary: mappings.change },
  { weight: 38, arbitrary: touches },
  { weight: 26, arbitrary: advices },
  { weight: 6, arbitrary: rights },
  { weight: 6, arbitrary: pins },
  { weight: 9, arbitrary: memories },
  { weight: 24, arbitrary: passes },
  { weight: 7, arbitrary: settings },
);

const alone: fc.Arbitrary<Step> = anyAction.map((action) => new Step([action]));
// Not made smaller: which delays break something has no order, and trying takes long.
const delay = fc.noShrink(fc.oneof(fc.constant(0), fc.nat(3000), fc.nat(20_000), fc.nat(60_000)));
const collapses: fc.Arbitrary<Action> = fc.oneof(passes, madviseCollapses);
const others = fc.array(fc.tuple(anyAction, delay), { minLength: 1, maxLength: 2 });

/** Several actions at the same time, half of the times around a collapse. */
const together: fc.Arbitrary<Step> = fc
  .tuple(fc.tuple(fc.oneof(collapses, anyAction), delay), others)
  .map(([first, rest]) => [first, ...rest])
  .map(
    (all) =>
      new Step(
        all.map(([action]) => action),
        all.map(([, ns]) => ns),
      ),
  );

/** One sequence with the machine that it runs on. */
export type Sequence = [Setup, Iterable<fc.Command<Expectation, World>>];

/** Sequences of exactly `steps` steps; `concurrent` of five steps are several actions at once. */
export function anySequence(steps: number, concurrent: number, replayPath: string | null): fc.Arbitrary<Sequence> {
  const step = fc.oneof({ weight: 5 - concurrent, arbitrary: alone }, { weight: concurrent, arbitrary: together });
  const replay = replayPath === null ? {} : { replayPath };
  const commands = fc.commands<Expectation, World>([step], { maxCommands: steps, size: 'max', ...replay });
  return fc.tuple(anySetup, new FullLength(commands));
}

/** Runs a sequence; throws at the first step after which something is wrong, or if something is left over at the end. */
export function runSequence([setup, commands]: Sequence): void {
  const w = new World(setup);
  fc.modelRun(() => ({ model: w.expected, real: w }), commands);
  new Rundown(w).run();
}

/**
 * fast-check draws the number of commands first, evenly between none and all; here it is always all of them. They get
 * fewer by shrinking.
 */
class FullLength<T> extends fc.Arbitrary<T> {
  private readonly commands: fc.Arbitrary<T>;

  constructor(commands: fc.Arbitrary<T>) {
    super();
    this.commands = commands;
  }

  override generate(random: fc.Random, biasFactor: number | undefined): fc.Value<T> {
    const first = random.clone();
    let drawn = false;
    first.nextInt = (min?: number, max?: number): number => {
      if (drawn || max === undefined) return fc.Random.prototype.nextInt.call(first, min as number, max as number);
      drawn = true;
      return max;
    };
    return this.commands.generate(first, biasFactor);
  }

  override canShrinkWithoutContext(value: unknown): value is T {
    return this.commands.canShrinkWithoutContext(value);
  }

  override shrink(value: T, context: unknown): fc.Stream<fc.Value<T>> {
    return this.commands.shrink(value, context);
  }
}
