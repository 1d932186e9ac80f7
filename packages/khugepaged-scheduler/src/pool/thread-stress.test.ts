/**
 * Faults, munmap, madvise, fork and exit on threads of their own while two scanners collapse what they can, on memory that
 * is nearly full, so that compaction, reclaim and swap take part. What the processes read is checked all the time, the
 * whole machine at the end. `THPLAB_STRESS_OPERATIONS` makes it longer, `THPLAB_STRESS_SEED` another one.
 */
import { Worker } from 'node:worker_threads';
import { dupMm, type MmId } from '@thplab/mm-model';
import { ThreadsExecutor, type WorkerPort } from '@thplab/sync';
import { afterAll, describe, expect, it } from 'vitest';
import { resetScanWork } from '../scan-work.js';
import { defects, makePoolWorld, runNow } from '../testing/pool-world.js';
import { readAddressSpace } from '../testing/stress/page-reader.js';
import type { Contents, StressData, StressProcess } from '../testing/thread-stress.js';
import { khugepagedHandle, threadTables } from './attach.js';

const OPERATIONS = Number(process.env.THPLAB_STRESS_OPERATIONS ?? 1500);
const SEED = Number(process.env.THPLAB_STRESS_SEED ?? 1);
const SCANNERS = 2;
const RANGES = 4;

const workers: Worker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

function workerOf(thread: number): WorkerPort {
  workers[thread] ??= new Worker(new URL('../../../sync/src/testing/thread-main.mjs', import.meta.url));
  return workers[thread] as unknown as WorkerPort;
}

describe('processes on threads beside two scanners', () => {
  it.each([
    ['plenty of memory', 32_768],
    ['little memory', 5_000],
  ])('%s: read what they wrote, and leave a machine without a defect', async (_, pages) => {
    const world = makePoolWorld({
      processes: 2,
      ranges: RANGES,
      seed: SEED,
      pages,
      sysfs: { 'hugepages-64kB/enabled': 'always', 'khugepaged/pages_to_scan': '2048' },
    });
    const { m, k, mms } = world;
    // Two of the three belong to one family, and share what neither has written to.
    const started = [...mms, runNow(m, dupMm(m, mms[0] as MmId))].map((mm) => ({ mm, contents: contentsOf(mm) }));
    function contentsOf(mm: MmId): Contents {
      return new Map([...readAddressSpace(m, mm)].map(([page, seen]) => [page, seen.content]));
    }
    const working = new SharedArrayBuffer(4);
    new Int32Array(working)[0] = started.length;
    resetScanWork(k);
    const executor = new ThreadsExecutor(m.domain, { tables: threadTables(m), worker: workerOf, timeScale: 0 });
    const module = new URL('../testing/thread-stress.ts', import.meta.url).href;
    const common = { handle: khugepagedHandle(k), scanners: SCANNERS, working, ranges: RANGES };
    for (let at = 0; at < SCANNERS; at++) {
      const data: StressData = { ...common, thread: at, seed: 0, count: at };
      executor.spawnNamed(`scanner ${at}`, { module, export: 'stressScanner', data });
    }
    for (const [at, process] of started.entries()) {
      const data: StressData = { ...common, thread: SCANNERS + at, seed: SEED * 100 + at, count: OPERATIONS, process };
      executor.spawnNamed(`mutator ${at}`, { module, export: 'stressMutator', data });
    }
    const outcome = await executor.run();
    if (outcome.failure !== undefined) throw outcome.failure.error;
    expect(outcome.end).toBe('idle');
    const left = executor.tasks.slice(SCANNERS).flatMap(({ result }) => result as StressProcess[]);
    expect(left.length).toBeGreaterThanOrEqual(started.length);
    expect(defects(world)).toEqual([]);
    for (const { mm, contents } of left) {
      const wrong = [...readAddressSpace(m, mm)].filter(([page, seen]) => seen.content !== (contents.get(page) ?? 0));
      expect(wrong, `pages of mm ${mm}`).toEqual([]);
    }
    expect(k.t.khugepaged.pagesCollapsed[0]).toBeGreaterThan(0);
  });
});
