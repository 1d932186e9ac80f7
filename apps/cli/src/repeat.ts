/** The one command that repeats a run. */
import type { Context } from './context.js';

/** The command as typed, with the seed if it was not given: the scenario's own could be edited meanwhile. */
export function repeatCommand({ commandLine }: Context, seed: number): string {
  if (/ --seed[ =]/.test(commandLine)) return commandLine;
  const [command = '', ...input] = commandLine.split(/(?= < INPUT$)/);
  return `${command} --seed ${seed}${input.join('')}`;
}
