/** The child process that runs cases on the kernel: one message in, one out. See real-child.ts for the other end. */
import { loadLibc } from '@thplab/live-kernel';
import type { Case } from '../case.js';
import { RealRunner } from './run-real.js';

/** What the parent hears. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ran'; readonly run: import('./run-real.js').RealRun }
  | { readonly kind: 'failed'; readonly why: string };

const send = (message: WorkerMessage): void => {
  process.send?.(message);
};

const { libc, missing } = await loadLibc();
if (libc === undefined) send({ kind: 'failed', why: missing ?? '' });
else {
  const runner = await RealRunner.start(libc);
  process.on('message', (given: Case) => {
    try {
      send({ kind: 'ran', run: runner.run(given) });
    } catch (error) {
      send({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  send({ kind: 'ready' });
}
