import { describe, expect, it } from 'vitest';
import { parseScenario, type Scenario } from '../format/index.js';
import { runScenario, type ScenarioRun } from '../run/run-scenario.js';
import { examples } from '../testing/examples.js';
import { scenarioOf } from '../testing/scenario-text.js';
import { runScenarioOnThreads, type ThreadsOptions, type ThreadsRun } from './run-on-threads.js';

const workerUrl = new URL('../../../khugepaged-scheduler/src/testing/pool-worker.mjs', import.meta.url);

/** Threads start for a single range. */
function onThreads(scenario: Scenario, options: Partial<ThreadsOptions> = {}): Promise<ThreadsRun> {
  return runScenarioOnThreads(scenario, {}, { threads: 2, leastRanges: 1, workerUrl, ...options });
}

/** The bytes of a result, but for the sizes of the free blocks: which frames are taken is all that may differ. */
function comparable({ result }: ScenarioRun): string {
  const { freeBlocks: _, fragmentation: __, ...memory } = result.memory;
  return JSON.stringify({ ...result, memory }, null, 1);
}

/** Many processes of all kinds, and events between and during passes. */
function busy(more = ''): Scenario {
  return parseScenario(`
format: thplab/scenario@1
name: busy
seed: 3
machine: { memory: 1G, cpus: 4, swap: 64M }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 100, khugepaged/pages_to_scan: 40000, hugepages-64kB/enabled: always${more} }
processes:
  - { name: web, count: 5, vmas: [{ name: heap, size: 16M, populate: { sparse: 90% } }] }
  - { name: old, count: 2, vmas: [{ name: heap, size: 8M, populate: [full, { pages: 10-20, state: swap }] }] }
  - { name: db, vmas: [{ name: cache, size: 32M, populate: { perTable: 300 } }, { name: log, size: 8M, advice: nohugepage, populate: full }] }
events:
  - { at: 90ms, repeat: { every: 170ms, times: 4 }, fork: { process: db, as: worker, lifetime: 90ms } }
  - { at: 250ms, fault: { process: web, sparse: 20%, over: 40ms } }
  - { at: 400ms, madvise: { process: old, vma: heap, advice: dontneed } }
  - { at: 410ms, exit: { process: web.2 } }
  - { at: 500ms, check: { counters: { khugepaged/full_scans: { min: 1 } } } }
run: { for: 1s, sample: 330ms, trace: { events: all } }
`);
}

describe('an example on threads', () => {
  const small = examples(true).filter(([name]) => !/base-64k|fork-heavy|fork-cow/.test(name));

  it.each(small)('%s: gives the bytes of one thread', async (name, scenario: Scenario) => {
    const expected = comparable(runScenario(scenario));
    const done = await onThreads(scenario);
    expect(comparable(done)).toBe(expected);
    if (/two-processes|uffd/.test(name)) expect(done.ahead?.ranges).toBeGreaterThan(20);
  });
});

describe('many processes on threads', () => {
  it.each([1, 2, 3])(
    '%i: give the result and the trace of one thread, but for the numbers of frames',
    async (threads) => {
      const scenario = busy();
      const expected = runScenario(scenario);
      const done = await onThreads(scenario, { threads });
      expect(comparable(done)).toBe(comparable(expected));
      expect(done.ahead?.ranges).toBeGreaterThan(50);
      const frameless = (run: ScenarioRun): unknown[] =>
        [...run.trace.events()].map(({ name, args, ...rest }) => ({
          ...rest,
          name,
          args: { ...args, scan_pfn: 0, pfn: 0 },
        }));
      expect(frameless(done)).toEqual(frameless(expected));
    },
  );
});

describe('a run on threads whose memory runs short later', () => {
  it('is made again with one thread, for which frames are free decides then', async () => {
    const scenario = parseScenario(`
format: thplab/scenario@1
name: short
machine: { memory: 48M, cpus: 2 }
sysfs: { enabled: always, defrag: never, khugepaged/scan_sleep_millisecs: 500, khugepaged/pages_to_scan: 100000 }
processes:
  - { name: web, count: 3, vmas: [{ name: heap, size: 4M, populate: { sparse: 70% } }] }
  - { name: hog, vmas: [{ name: heap, size: 44M }] }
events: [{ at: 2s, fault: { process: hog, vma: heap } }]
run: { for: 4s }
`);
    const done = await onThreads(scenario);
    expect(done.repeated).toBe(true);
    expect(done.ahead).toBeUndefined();
    expect(JSON.stringify(done.result)).toBe(JSON.stringify(runScenario(scenario).result));
  });

  it('is kept if no allocation had to look for memory', async () => {
    const done = await onThreads(busy());
    expect([done.repeated, done.ahead?.shortages]).toEqual([false, 0]);
  });
});

describe('a run on threads that is stopped', () => {
  it('ends as partial, at once if it had not begun', async () => {
    const signal = AbortSignal.abort();
    const done = await runScenarioOnThreads(
      busy(),
      { shouldStop: () => true },
      { threads: 2, leastRanges: 1, workerUrl, signal },
    );
    expect(done.result.end).toMatchObject({ reason: 'stopped', partial: true });
    expect(done.ahead?.ranges).toBe(0);
  });

  it('is heard at a plan, also where khugepaged sleeps never and passes follow each other at once', async () => {
    const scenario = scenarioOf(`
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 0, khugepaged/pages_to_scan: 65536 }
processes: [{ name: app, count: 4, vmas: [{ name: heap, size: 8M, populate: full }] }]
run: { for: 20ms }`);
    const end = new AbortController();
    const done = await runScenarioOnThreads(
      scenario,
      { shouldStop: () => end.signal.aborted },
      { threads: 2, leastRanges: 1, workerUrl, signal: end.signal, onLook: () => end.abort() },
    );
    // Threads ended after the ranges that they were at, and nothing of the pass itself came after that.
    expect(done.result.end).toMatchObject({ reason: 'stopped', partial: true });
    expect(done.result.khugepaged.rangesScanned).toBe(0);
  });

  it('refuses numbers of threads that cannot be', async () => {
    await expect(onThreads(busy(), { threads: 0 })).rejects.toThrow('threads is 0: from 1 to 16');
  });
});
