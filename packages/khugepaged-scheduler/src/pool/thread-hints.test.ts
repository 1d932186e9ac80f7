/**
 * Collapse hints on real threads: processes add them, map their memory anew and exit, while two scanners drain. Each scanner
 * drains before its own part of the round, so two may serve one address space at once; every hint is served or dropped once.
 */
import { Worker } from 'node:worker_threads';
import type { MmId } from '@thplab/mm-model';
import { ThreadsExecutor, type WorkerPort } from '@thplab/sync';
import { afterAll, describe, expect, it } from 'vitest';
import { checkHints } from '../hints/index.js';
import { resetScanWork } from '../scan-work.js';
import { defects, makePoolWorld } from '../testing/pool-world.js';
import type { HintThreadData } from '../testing/thread-hints.js';
import type { StressData } from '../testing/thread-stress.js';
import { khugepagedHandle, threadTables } from './attach.js';

const STEPS = 300;
const SCANNERS = 2;
const PROCESSES = 3;
const RANGES = 4;

const workers: Worker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

function workerOf(thread: number): WorkerPort {
  workers[thread] ??= new Worker(new URL('../../../sync/src/testing/thread-main.mjs', import.meta.url));
  return workers[thread] as unknown as WorkerPort;
}

describe('hints on threads', () => {
  it('are each served or dropped once, whatever the processes do, and none is left of one that exits', async () => {
    const world = makePoolWorld({
      processes: PROCESSES,
      ranges: RANGES,
      pages: 32_768,
      profile: 'hints-rfc',
      sysfs: { 'khugepaged/pages_to_scan': '4096' },
    });
    const { m, k, mms } = world;
    const working = new SharedArrayBuffer(4);
    new Int32Array(working)[0] = PROCESSES;
    resetScanWork(k);
    const executor = new ThreadsExecutor(m.domain, { tables: threadTables(m), worker: workerOf, timeScale: 0 });
    const module = (name: string): string => new URL(`../testing/${name}.ts`, import.meta.url).href;
    const handle = khugepagedHandle(k);
    for (let at = 0; at < SCANNERS; at++) {
      const common = { handle, scanners: SCANNERS, working, ranges: RANGES };
      const data: StressData = { ...common, thread: at, seed: 0, count: at };
      executor.spawnNamed(`scanner ${at}`, { module: module('thread-stress'), export: 'stressScanner', data });
    }
    for (const [at, mm] of mms.entries()) {
      const thread = SCANNERS + at;
      const exits = at === PROCESSES - 1;
      const data: HintThreadData = { handle, thread, seed: at + 1, count: STEPS, mm, ranges: RANGES, exits, working };
      executor.spawnNamed(`process ${at}`, { module: module('thread-hints'), export: 'hintThread', data });
    }
    const outcome = await executor.run();
    if (outcome.failure !== undefined) throw outcome.failure.error;
    expect(outcome.end).toBe('idle');
    const queued = executor.tasks.slice(SCANNERS).reduce((sum, { result }) => sum + (result as number), 0);
    expect(queued).toBeGreaterThan(0);
    expect(k.t.hintLevel.queued[0] + k.t.hintLevel.queued[1]).toBe(queued);
    expect(checkHints(k)).toEqual([]);
    expect(defects(world)).toEqual([]);
    const gone = mms[PROCESSES - 1] as MmId;
    const left = [...k.t.hint.pool.rows()].map((row) => k.t.mmSlot.mm[k.t.hint.request[row] >>> 1]);
    expect(left).not.toContain(gone);
    // How many were taken by then depends on when the scanners came: at most what was queued.
    expect(k.t.hintLevel.taken[0] + k.t.hintLevel.taken[1]).toBeLessThanOrEqual(queued);
  });
});
