/** Lock operations per second between threads: a take and a give-back are two. */
import { Worker } from 'node:worker_threads';
import {
  acquire,
  createThreadsArena,
  LOCK_WORDS,
  type LockRef,
  type Procedure,
  release,
  runOnThread,
  SyncDomain,
  ThreadsExecutor,
  type WorkerPort,
} from '@thplab/sync';
import { hrtimeNow } from 'tinybench';
import { lockProgram } from './lock-program.js';

const PAIRS = 1_000_000;

/** One thread, a lock that nobody else wants. */
export function uncontendedRate(quick: boolean): number {
  const domain = new SyncDomain();
  const words = new Int32Array(new SharedArrayBuffer(LOCK_WORDS * 4));
  const lock = domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: 0, words }).ref(0);
  const { tables } = createThreadsArena();
  const pairs = quick ? PAIRS / 4 : PAIRS;
  const run = (): number => {
    const start = hrtimeNow();
    runOnThread(domain, takeAndGive(lock, pairs), { tables, thread: 0, task: 1, name: 'bench' });
    return (2 * pairs * 1e3) / (hrtimeNow() - start);
  };
  run();
  return run();
}

function* takeAndGive(lock: LockRef, pairs: number): Procedure<void> {
  for (let pair = 0; pair < pairs; pair++) {
    yield acquire(lock);
    yield release(lock);
  }
}

/** Two workers that both want one lock all the time. */
export async function contendedRate(quick: boolean): Promise<number> {
  const words = new SharedArrayBuffer(LOCK_WORDS * 4);
  const threads = createThreadsArena();
  const pairs = (quick ? PAIRS : 4 * PAIRS) / 40;
  const data = { words, threads: threads.handle, pairs };
  const workers: Worker[] = [];
  const worker = (thread: number): WorkerPort => {
    workers[thread] ??= new Worker(new URL('./lock-worker.js', import.meta.url));
    return workers[thread] as unknown as WorkerPort;
  };
  let rate = 0;
  // Once to start and warm the workers, once to measure.
  for (let round = 0; round < 2; round++) {
    const executor = new ThreadsExecutor(lockProgram(data).domain, { tables: threads.tables, worker });
    const what = { module: new URL('./lock-program.js', import.meta.url).href, export: 'lockProgram', data };
    executor.spawnNamed('a', what);
    executor.spawnNamed('b', what);
    const start = hrtimeNow();
    const outcome = await executor.run();
    if (outcome.failure !== undefined) throw outcome.failure.error;
    rate = (2 * 2 * pairs * 1e3) / (hrtimeNow() - start);
  }
  await Promise.all(workers.map((one) => one.terminate()));
  return rate;
}
