/**
 * Workers of the scan pool die while processes work beside them: at moments counted in operations of the dying thread, so that
 * each can be repeated on any machine. `THPLAB_STRESS_DEATHS` makes it more, `THPLAB_STRESS_SEED` others.
 */
import { Worker } from 'node:worker_threads';
import { Random } from '@thplab/arena';
import type { MmId } from '@thplab/mm-model';
import { ThreadsExecutor, WorkerDiedError, type WorkerPort } from '@thplab/sync';
import type { Piscina } from 'piscina';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleWorkers } from '../testing/bundled-worker.js';
import { DEATH_CHANNEL, type Death } from '../testing/death.js';
import { makePoolWorld, type PoolWorld } from '../testing/pool-world.js';
import { readAddressSpace } from '../testing/stress/page-reader.js';
import type { StressData } from '../testing/thread-stress.js';
import { khugepagedHandle, threadTables } from './attach.js';
import { createScanPool, type ScanPool } from './scan-pool.js';

const DEATHS = Number(process.env.THPLAB_STRESS_DEATHS ?? 100);
const SEED = Number(process.env.THPLAB_STRESS_SEED ?? 1);
const SCANNERS = 2;
const RANGES = 2;
/** A process that would go on for ever. */
const OPERATIONS = 1e9;

const here = (path: string): string => new URL(`../testing/${path}`, import.meta.url).pathname;
let bundle: Awaited<ReturnType<typeof bundleWorkers>>;
const mutators: (Worker | undefined)[] = [];

beforeAll(async () => {
  bundle = await bundleWorkers({ dying: here('dying-worker-main.ts'), mutator: here('mutator-main.ts') });
});
afterAll(async () => {
  await Promise.all(mutators.map((worker) => worker?.terminate()));
  bundle.remove();
});

function mutatorOf(thread: number): WorkerPort {
  mutators[thread] ??= new Worker(bundle.urlOf('mutator')).setMaxListeners(0);
  return mutators[thread] as unknown as WorkerPort;
}

/** A process on a thread of its own, until it is stopped. */
async function mutate({ m, k, mms }: PoolWorld, seed: number): Promise<string> {
  const executor = new ThreadsExecutor(m.domain, {
    tables: threadTables(m),
    worker: mutatorOf,
    timeScale: 0,
    // The pool has those before.
    firstThread: SCANNERS,
  });
  const mm = mms[0] as MmId;
  const data: StressData = {
    handle: khugepagedHandle(k),
    scanners: SCANNERS,
    working: new SharedArrayBuffer(4),
    ranges: RANGES,
    thread: SCANNERS,
    seed,
    count: OPERATIONS,
    process: { mm, contents: new Map([...readAddressSpace(m, mm)].map(([page, seen]) => [page, seen.content])) },
  };
  executor.spawnNamed('mutator', { module: '', export: 'stressMutator', data });
  const { end, failure } = await executor.run();
  if (failure !== undefined) throw failure.error;
  return end;
}

/** Terminates the worker that says it waits for it. Its number is not its thread's: piscina gives tasks to whoever is free. */
function terminateWhenTold(pool: ScanPool): InstanceType<typeof BroadcastChannel> {
  const channel = new BroadcastChannel(DEATH_CHANNEL);
  channel.onmessage = ({ data }) => {
    const { threads } = (pool as unknown as { readonly pool: { readonly pool: Piscina } }).pool.pool;
    void threads.find(({ threadId }) => threadId === data)?.terminate();
  };
  return channel;
}

const HOWS: readonly Death['how'][] = ['exit', 'throw', 'terminate', 'memory'];

describe('a scanner that dies beside a process', () => {
  it(`at any of ${DEATHS} moments ends the scan, and is named with what it held`, async () => {
    const random = new Random(SEED);
    let heldSomething = 0;
    for (let moment = 0; moment < DEATHS; moment++) {
      // Running out of memory takes a thread the longest time.
      const how = HOWS[random.below(20) === 0 ? 3 : random.below(3)] ?? 'exit';
      const death: Death = {
        thread: random.below(SCANNERS),
        step: 1 + random.below(1000),
        after: random.below(2) === 1,
        how,
      };
      const world = makePoolWorld({ processes: 3, ranges: RANGES, seed: moment, pages: 8192 });
      process.env.THPLAB_DEATH = JSON.stringify(death);
      const pool = createScanPool(world.k, {
        threads: SCANNERS,
        workerUrl: bundle.urlOf('dying'),
        ...(how === 'memory' ? { resourceLimits: { maxOldGenerationSizeMb: 32 } } : {}),
      });
      const channel = terminateWhenTold(pool);
      const mutated = mutate(world, moment);
      const error = await pool.scan({}).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(await mutated, JSON.stringify(death)).toMatch(/idle|stopped/);
      channel.close();
      await pool.close();
      expect(error, JSON.stringify(death)).toBeInstanceOf(WorkerDiedError);
      const { message, held, task } = error as WorkerDiedError;
      expect(task).toBe(death.thread + 1);
      expect(message).toContain(`'khugepaged/${death.thread}' ended (`);
      if (how === 'throw') expect(message).toContain('made to fail');
      expect(message).toContain(held[0]?.name ?? 'held nothing');
      if (held.length > 0) heldSomething++;
    }
    expect(heldSomething).toBeGreaterThan(0);
  }, 300_000);
});
