/** A worker of the threads executor that knows the programs of thread-stress.ts without loading them, for bundling. */
import { parentPort } from 'node:worker_threads';
import { serveThread, type ThreadProgram } from '@thplab/sync';
import { type StressData, stressMutator, stressScanner } from './thread-stress.js';

if (parentPort !== null) {
  serveThread(parentPort, {
    load: async ({ export: name, data }): Promise<ThreadProgram> =>
      (name === 'stressScanner' ? stressScanner : stressMutator)(data as StressData),
  });
}
