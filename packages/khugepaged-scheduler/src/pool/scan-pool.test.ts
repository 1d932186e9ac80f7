import { afterEach, describe, expect, it } from 'vitest';
import { defects, machineState, makePoolWorld, type PoolWorld, type PoolWorldConfig } from '../testing/pool-world.js';
import { createScanPool, type ScanPool } from './scan-pool.js';

const workerUrl = new URL('../testing/pool-worker.mjs', import.meta.url);
const pools: ScanPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

/** Scans a world with so many threads, as often as told, and gives it. */
async function scanned(config: PoolWorldConfig, threads: number, fullScans = 3): Promise<PoolWorld> {
  const world = makePoolWorld(config);
  const pool = createScanPool(world.k, { threads, workerUrl });
  pools.push(pool);
  await pool.scan({ fullScans });
  return world;
}

/** More than a round needs: a pass ends with it. Otherwise part of another round is done, how much depends on who overruns. */
const WHOLE_ROUNDS = { 'khugepaged/pages_to_scan': '1000000' };
const ONLY_HUGE = { processes: 7, ranges: 12, sysfs: WHOLE_ROUNDS };
const MTHP = {
  processes: 7,
  ranges: 12,
  sysfs: {
    ...WHOLE_ROUNDS,
    enabled: 'never',
    'hugepages-64kB/enabled': 'always',
    'hugepages-2048kB/enabled': 'always',
    'khugepaged/max_ptes_none': '0',
  },
};

describe('processes that share nothing', () => {
  it.each([
    ['one order', ONLY_HUGE],
    ['small orders too', MTHP],
  ])('%s: come out of one or several scanners as out of none, but for the names of frames', async (_, config) => {
    const expected = machineState(await scanned(config, 0));
    expect(expected.collapsed).toBeGreaterThan(20);
    for (const threads of [1, 2]) {
      const world = await scanned(config, threads);
      expect(machineState(world), `${threads} threads`).toEqual(expected);
      expect(defects(world), `${threads} threads`).toEqual([]);
    }
  });

  it('are scanned in the budget of one pass by all scanners together', async () => {
    const config = { processes: 6, ranges: 8, uniform: true, sysfs: { 'khugepaged/pages_to_scan': '4096' } };
    for (const threads of [0, 2]) {
      const world = makePoolWorld(config);
      const pool = createScanPool(world.k, { threads, workerUrl });
      pools.push(pool);
      const { scanners } = await pool.scan({ passes: 1 });
      const used = scanners.reduce((sum, { progress }) => sum + progress, 0);
      // Each scanner may go beyond the budget by its last range.
      expect(used).toBeGreaterThanOrEqual(4096);
      expect(used).toBeLessThan(4096 + Math.max(1, threads) * 514);
      expect(scanners).toHaveLength(Math.max(1, threads));
    }
  });
});

describe('a worker that dies', () => {
  it('ends the scan of all with an error that says what it held, and the pool is of no further use', async () => {
    const world = makePoolWorld({ processes: 2, ranges: 2 });
    process.env.THPLAB_DEATH = JSON.stringify({ thread: 1, step: 1, after: false, how: 'exit' });
    const dying = new URL('../testing/dying-worker.mjs', import.meta.url);
    const pool = createScanPool(world.k, { threads: 2, workerUrl: dying });
    pools.push(pool);
    await expect(pool.scan({ passes: 3 })).rejects.toThrow(/thread of task 2 'khugepaged\/1' ended .* held nothing/);
    await expect(pool.scan({ passes: 1 })).rejects.toThrow(/earlier scan failed/);
  });
});
