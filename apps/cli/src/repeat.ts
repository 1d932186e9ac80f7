/** The one command that repeats a run. */
import type { Context } from './context.js';

/** The command as typed, with the seed if it was not given: the scenario's own could be edited meanwhile. */
export function repeatCommand({ commandLine }: Context, seed: number): string {
  return / --seed[ =]/.test(commandLine) ? commandLine : `${commandLine} --seed ${seed}`;
}
