/** What can be run: a scenario as it stands, or a snapshot as the one process of a machine like its own. */
import type { Scenario } from '@thplab/scenario';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import type { RunInput } from '../simulate.js';
import type { Input } from './read-input.js';
import { scenarioOf } from './scenario-input.js';

/** A scenario with what it needs besides. Errors: InputError. */
export async function runnable(
  _context: Context,
  input: Input,
  verb: string,
): Promise<{ readonly scenario: Scenario; readonly input: RunInput }> {
  if (input.kind === 'scenario') return { scenario: await scenarioOf(input), input: {} };
  throw new InputError(`${input.path} is a snapshot; "thplab ${verb}" takes a scenario`);
}
