/** `--hints a,b`: the scenario under several queues of collapse hints. */
import type { Scenario } from '@thplab/scenario';
import { UsageError } from '../../errors.js';
import { override } from '../../input/overrides.js';

/** One queue to run. */
export interface HintVariant {
  readonly name: string;
  readonly scenario: Scenario;
}

/**
 * The scenario under each policy; none given: as it is. merged becomes hints-rfc, which is the same with a queue. Errors:
 * UsageError for a policy that there is none of, or another kernel.
 */
export async function hintVariants(base: Scenario, text: string | undefined): Promise<readonly HintVariant[]> {
  if (text === undefined) return [{ name: '', scenario: base }];
  const { hintPolicyNamed } = await import('@thplab/scenario');
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    try {
      hintPolicyNamed(name);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UsageError(`--hints: ${error.message}`);
    }
  }
  const { kernel } = base.machine;
  if (kernel !== 'merged' && kernel !== 'hints-rfc') {
    throw new UsageError(
      `--hints: kernel ${kernel} has no collapse hints; expected hints-rfc, or merged to add them to`,
    );
  }
  const scenario = await override(base, { kernel: 'hints-rfc' });
  return names.map((policy) => ({
    name: policy,
    scenario: { ...scenario, hints: { ...NO_HINTS, ...scenario.hints, policy } },
  }));
}

/** A scenario that does not speak of hints: hot is what it accesses. */
const NO_HINTS: NonNullable<Scenario['hints']> = {
  key: 'hints',
  policy: null,
  limit: 65_536,
  whenFull: 'error',
  hot: [],
  producers: [],
};
