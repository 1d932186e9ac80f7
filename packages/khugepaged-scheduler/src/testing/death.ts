/** Makes this thread end at one of its operations, so that a death can be repeated. */
import { threadId } from 'node:worker_threads';
import { ThreadTask } from '@thplab/sync';

/** A death to come; as JSON in the environment variable THPLAB_DEATH of the worker. */
export interface Death {
  readonly thread: number;
  /** Operation of that thread, from 1. */
  readonly step: number;
  readonly after: boolean;
  /** `terminate`: says so on the channel and waits to be terminated. */
  readonly how: 'exit' | 'throw' | 'memory' | 'terminate';
}

/** Where a thread says, by its id, that it waits to be terminated. */
export const DEATH_CHANNEL = 'thplab-death';

interface Performer {
  readonly s: { readonly thread: number };
  perform(op: number): boolean;
}

/** Arranges the death that the environment asks for. To be called once, before the work. */
export function arrangeDeath(): void {
  const death: Death = JSON.parse(process.env.THPLAB_DEATH ?? '{}');
  const prototype = ThreadTask.prototype as unknown as Performer;
  const { perform } = prototype;
  let steps = 0;
  prototype.perform = function (this: Performer, op) {
    const now = this.s.thread === death.thread && ++steps === death.step;
    if (now && !death.after) die(death);
    const done = perform.call(this, op);
    if (now && death.after) die(death);
    return done;
  };
}

function die({ how }: Death): void {
  if (how === 'exit') process.exit(3);
  if (how === 'throw') throw new Error('made to fail');
  if (how === 'memory') for (const hoard: unknown[] = []; ; ) hoard.push(new Array(1e4).fill(hoard.length));
  new BroadcastChannel(DEATH_CHANNEL).postMessage(threadId);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
