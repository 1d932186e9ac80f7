import { WorkerDiedError } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { ScenarioError } from '../format/index.js';
import { sampleSnapshot } from '../testing/sample-snapshot.js';
import { defaultVariants } from '../what-if/default-variants.js';
import { whatIf } from '../what-if/what-if.js';
import type { WhatIfVariant } from '../what-if/what-if-result.js';
import { whatIfOnThreads } from './what-if-on-threads.js';

const workerUrl = new URL('../testing/what-if-worker.mjs', import.meta.url);
const snapshot = sampleSnapshot([
  {
    start: 0x7f000000,
    pages: 2048,
    runs: [
      { first: 0, count: 512, kind: 'anon' },
      { first: 512, count: 400, kind: 'anon' },
      { first: 1024, count: 16, kind: 'anon' },
    ],
  },
]);
const variants = defaultVariants('merged');

/** A run without end: khugepaged sleeps for a day at a time, and each look is a step. */
const endless: WhatIfVariant = {
  label: 'endless',
  sysfs: [
    { path: 'enabled', value: 'always' },
    { path: 'khugepaged/pages_to_scan', value: '1' },
    { path: 'khugepaged/scan_sleep_millisecs', value: '0' },
    { path: 'khugepaged/alloc_sleep_millisecs', value: '0' },
  ],
};

describe('what-if on threads', () => {
  it.each([1, 2, 3])('%i: gives the bytes of one thread', async (threads) => {
    const expected = JSON.stringify(whatIf(snapshot, variants, { adviseAll: true }));
    const result = await whatIfOnThreads(snapshot, variants, { threads, adviseAll: true, workerUrl });
    expect(JSON.stringify(result)).toBe(expected);
  });

  it('tells settings that the kernel refuses as they are told without threads', async () => {
    const wrong = [...variants, { label: 'wrong', sysfs: [{ path: 'khugepaged/max_ptes_none', value: '513' }] }];
    const message = (() => {
      try {
        return whatIf(snapshot, wrong).format;
      } catch (error) {
        return (error as Error).message;
      }
    })();
    const fails = whatIfOnThreads(snapshot, wrong, { threads: 2, workerUrl });
    await expect(fails).rejects.toThrow(ScenarioError);
    await expect(fails).rejects.toThrow(message);
  });

  it('stopped: has the variants that were done', async () => {
    const stop = new AbortController();
    stop.abort();
    const result = await whatIfOnThreads(snapshot, [endless, ...variants], {
      threads: 2,
      workerUrl,
      signal: stop.signal,
    });
    expect(result).toMatchObject({ partial: true, variants: [] });
  });

  it('with a thread that dies: names the variant, and ends', async () => {
    const dying = new URL('../testing/dying-what-if-worker.mjs', import.meta.url);
    const fails = whatIfOnThreads(snapshot, variants, { threads: 2, workerUrl: dying });
    await expect(fails).rejects.toThrow(WorkerDiedError);
    await expect(fails).rejects.toThrow(/task 2 'always, max_ptes_none 511' ended \(exit code 3\)/);
  });

  it('refuses numbers of threads that cannot be', async () => {
    await expect(whatIfOnThreads(snapshot, variants, { threads: 17 })).rejects.toThrow(/threads is 17: from 1 to 16/);
  });
});
