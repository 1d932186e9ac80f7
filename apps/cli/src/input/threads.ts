/** `--threads`: how many, and what to say of a number that gains nothing. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.js';

/** As scenario's MOST_THREADS; here too, so that help and completion load none of the simulator. */
const MOST_THREADS = 16;

/** Adds `--threads`; `what`: what each thread does. */
export function threadsOption(command: Command, what: string): Command {
  return command.option('--threads <n>', `${what} (0: none, the same in this thread)`, threadCount, 0);
}

function threadCount(text: string): number {
  const count = Number(text);
  if (/^[0-9]{1,3}$/.test(text) && count <= MOST_THREADS) return count;
  throw new InvalidArgumentError(`It must be a whole number from 0 (no threads) to ${MOST_THREADS}.`);
}

/** Says on stderr that there are more threads than processors. */
export function warnOfThreads({ io, say }: Context, threads: number): void {
  if (io.cores === undefined || threads <= io.cores) return;
  const cores = io.cores === 1 ? '1 processor' : `${io.cores} processors`;
  say(`thplab: ${threads} threads on ${cores}: more than ${io.cores} gain nothing`);
}
