/** The child process that runs cases on the kernel: one message in, one out. See real-child.ts for the other end. */
import { loadLibc } from '@thplab/live-kernel';
import type { Case } from '../case.js';
import type { WatchOutcome, WatchRequest } from '../khugepaged/watch.js';
import { KhugepagedBusyError } from '../khugepaged/watch-real.js';
import { type RealRun, RealRunner } from './run-real.js';

/** What the parent hears. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ran'; readonly run: RealRun }
  | { readonly kind: 'watched'; readonly outcome: WatchOutcome }
  | { readonly kind: 'busy'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

const send = (message: WorkerMessage): void => {
  process.send?.(message);
};

const { libc, missing } = await loadLibc();
if (libc === undefined) send({ kind: 'failed', why: missing ?? '' });
else {
  const runner = await RealRunner.start(libc);
  process.on('message', async (given: Case | WatchRequest) => {
    try {
      if ('wakes' in given) send({ kind: 'watched', outcome: await runner.watch(given) });
      else send({ kind: 'ran', run: runner.run(given) });
    } catch (error) {
      if (error instanceof KhugepagedBusyError) send({ kind: 'busy', why: error.message });
      else send({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  send({ kind: 'ready' });
}
