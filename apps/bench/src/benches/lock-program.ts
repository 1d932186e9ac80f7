/** What the workers of the contended lock bench run. */
import { Arena, type ArenaHandle } from '@thplab/arena';
import { acquire, release, SyncDomain, THREADS_TABLES, type ThreadProgram } from '@thplab/sync';

/** The shared memory of the bench. */
export interface LockBenchData {
  readonly words: SharedArrayBuffer;
  readonly threads: ArenaHandle;
  readonly pairs: number;
}

/** Takes one lock and gives it back, so often. */
export function lockProgram({ words, threads, pairs }: LockBenchData): ThreadProgram {
  const domain = new SyncDomain();
  const lockClass = domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: 0, words: new Int32Array(words) });
  const lock = lockClass.ref(0);
  const procedure = (function* () {
    for (let pair = 0; pair < pairs; pair++) {
      yield acquire(lock);
      yield release(lock);
    }
  })();
  return { domain, tables: Arena.attach(THREADS_TABLES, threads.sizes, threads.buffer).tables, procedure };
}
