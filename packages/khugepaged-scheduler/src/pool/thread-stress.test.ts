/**
 * Faults, munmap, madvise, fork and exit on threads of their own while two scanners collapse what they can, on memory that
 * is nearly full, so that compaction, reclaim and swap take part. What the processes read is checked all the time, the
 * whole machine at the end. `THPLAB_STRESS_OPERATIONS` makes it longer, `THPLAB_STRESS_SEED` another one; `pnpm stress` goes
 * through all kinds of workloads for as long as told.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { StressWorkers, stressConfig, stressOnce } from '../testing/stress-run.js';

const OPERATIONS = Number(process.env.THPLAB_STRESS_OPERATIONS ?? 4000);
const SEED = Number(process.env.THPLAB_STRESS_SEED ?? 1);
const RUNS = 12;

const workers = new StressWorkers(new URL('../../../sync/src/testing/thread-main.mjs', import.meta.url));
afterAll(() => workers.close());

describe('processes on threads beside two scanners', () => {
  it.each([
    ['plenty of memory', 32_768],
    ['little memory', 6_000],
  ])('%s: read what they wrote, and leave a machine without a defect', async (_, pages) => {
    const facts = await stressOnce(
      {
        processes: 2,
        ranges: 4,
        seed: SEED,
        pages,
        sysfs: { 'hugepages-64kB/enabled': 'always', 'khugepaged/pages_to_scan': '2048' },
        operations: OPERATIONS,
        child: true,
      },
      workers,
    );
    expect(facts.processes).toBeGreaterThanOrEqual(3);
    expect(facts.collapsed).toBeGreaterThan(0);
  });

  it('of every kind: the same', async () => {
    let collapsed = 0;
    for (let at = 0; at < RUNS; at++)
      collapsed += (await stressOnce(stressConfig(SEED * 1000 + at), workers)).collapsed;
    expect(collapsed).toBeGreaterThan(RUNS);
  });
});
