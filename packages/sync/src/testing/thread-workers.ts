/** Workers for tests, kept from one run to the next. */
import { Worker } from 'node:worker_threads';
import type { WorkerPort } from '../threads/executor.js';

const kept: (Worker | undefined)[] = [];

/** The worker of a thread number; a new one if the last has ended. */
export function testWorker(thread: number): WorkerPort {
  let worker = kept[thread];
  if (worker === undefined) {
    worker = new Worker(new URL('./thread-main.mjs', import.meta.url));
    worker.setMaxListeners(0);
    // Nobody else may listen when a test has ended a worker on purpose.
    worker.on('error', () => {});
    const made = worker;
    worker.on('exit', () => {
      if (kept[thread] === made) kept[thread] = undefined;
    });
    kept[thread] = worker;
  }
  return worker as unknown as WorkerPort;
}

/** Ends them all. */
export async function endTestWorkers(): Promise<void> {
  await Promise.all(kept.map((worker) => worker?.terminate()));
  kept.length = 0;
}

/** URL of a module of procedures beside this file. */
export function programsUrl(file = 'thread-programs.ts'): string {
  return new URL(`./${file}`, import.meta.url).href;
}
