/** Each producer in a scenario of its own: whose memory it asks for, when, and at which priority. */
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../format/index.js';
import { runScenario, type ScenarioRun } from '../../run/run-scenario.js';
import { Density } from './fault-density.js';
import { hotBlocks } from './heat.js';

/** Three processes: 8 MiB each, of which `busy` uses its second half. `rest`: the other keys. */
function run(rest: string, populate = 'full', machine = ''): ScenarioRun {
  const vma = `vmas: [{ name: heap, size: 8M, at: "0x10000000", populate: ${populate} }]`;
  return runScenario(
    parseScenario(`format: thplab/scenario@1
name: producer
machine: { memory: 256M, kernel: hints-rfc, cpus: 2${machine} }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 60000, khugepaged/pages_to_scan: 1 }
processes:
  - { name: idle, ${vma} }
  - { name: busy, ${vma} }
${rest}`),
  );
}

/** Blocks of a process that hints were queued for, with the time of the first in s. */
function hinted({ world }: ScenarioRun, name: string): Record<number, number> {
  const process = world.processes.all.find((one) => one.name === name);
  const found: Record<number, number> = {};
  for (let block = 0; block < 4; block++) {
    const page = 0x10000 + block * 512;
    const added = world.hints.log.stepsOf(process?.mm ?? 0, page).find(({ kind }) => kind === 'added');
    if (added !== undefined) found[block] = added.atNs / 1e9;
  }
  return found;
}

describe('page faults', () => {
  it('that come close together in one range make a hint; the same number over a long time none', () => {
    const done = run(
      `hints: { producers: { faults: { count: 8, within: 100ms } } }
events:
  - { at: 1s, fault: { process: busy, vma: heap, blocks: 2, stride: { every: 32 }, over: 50ms } }
  - { at: 1s, fault: { process: busy, vma: heap, blocks: 3, stride: { every: 32 }, over: 2s } }
run: { for: 5s }`,
      '[{ stride: { every: 512 } }]',
    );
    expect(Object.keys(hinted(done, 'busy'))).toEqual(['2']);
    expect(hinted(done, 'idle')).toEqual({});
    expect(done.world.hints.log.queued, 'fifteen faults, as one page was there, eight a hint').toBe(1);
  });

  it('are counted in a sliding time, and anew after each hint', () => {
    const density = new Density(3, 10);
    expect([0, 5, 11, 12, 13, 14, 15].map((at) => density.add(1, at))).toEqual([
      false,
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(density.add(2, 15)).toBe(false);
  });
});

describe('aging', () => {
  it('asks for what is young in two scans one after the other, not for what was touched once', () => {
    const done = run(`hints: { producers: { aging: { every: 1s } } }
events:
  - { at: 0s, access: { process: busy, vma: heap, blocks: 2-3, stride: { every: 64 }, every: 200ms } }
  - { at: 2500ms, fault: { process: idle, vma: heap, blocks: 0, stride: { every: 64 } } }
run: { for: 4500ms }`);
    // All pages are young when they are placed: the first scan finds every range young, the second those in use.
    expect(Object.keys(hinted(done, 'busy'))).toEqual(['2', '3']);
    expect(hinted(done, 'idle')).toEqual({});
  });

  it('waits for as many generations as it is told', () => {
    const done = run(`hints: { producers: { aging: { every: 1s, generations: 4, process: busy, priority: high } } }
events:
  - { at: 0s, access: { process: busy, vma: heap, blocks: 1, stride: { every: 64 }, every: 200ms } }
run: { for: 6s }`);
    expect(hinted(done, 'busy')[1]).toBeGreaterThan(4);
    expect(done.world.hints.log.stepsOf(done.world.processes.all[1]?.mm ?? 0, 0x10000 + 512)[0]?.priority).toBe(0);
  });
});

describe('heat', () => {
  it('asks for the ranges that DAMON finds hot, soon after its first aggregation', () => {
    // Without a TLB, which would hide accesses to so little memory from DAMON.
    const done = run(
      `damon:
  - { targets: { process: busy, ranges: { vma: heap } }, intervals: { sample: 50ms, aggr: 500ms } }
hints: { producers: { heat: { above: 40%, every: 500ms } } }
workload: { process: busy, vma: heap, blocks: 2-3, pattern: uniform, rate: 30k }
run: { for: 4s }`,
      'full',
      ', tlb: none',
    );
    const blocks = hinted(done, 'busy');
    expect(Object.keys(blocks)).toEqual(expect.arrayContaining(['2', '3']));
    expect(Object.keys(blocks)).not.toContain('0');
    expect(hinted(done, 'idle')).toEqual({});
  });

  it('of a range is the mean of its regions, and what is not monitored is cold', () => {
    const region = (start: number, end: number, lastNrAccesses: number) => ({
      start,
      end,
      nrAccesses: 0,
      lastNrAccesses,
      nrAccessesBp: 0,
      age: 0,
    });
    const regions = [region(0, 150, 10), region(150, 200, 0), region(300, 350, 20), region(400, 500, 8)];
    expect(hotBlocks(regions, 100, 5)).toEqual([
      { block: 0, accesses: 10 },
      { block: 3, accesses: 10 },
      { block: 4, accesses: 8 },
      { block: 1, accesses: 5 },
    ]);
    expect(hotBlocks(regions, 100, 9).map(({ block }) => block)).toEqual([0, 3]);
  });
});

describe('TLB misses', () => {
  it('ask for the ranges that miss most', () => {
    const done = run(`hints: { producers: { tlb: { count: 100, within: 1s } } }
workload: { process: busy, vma: heap, blocks: 2-3, pattern: uniform, rate: 100k }
run: { for: 2500ms }`);
    const blocks = Object.keys(hinted(done, 'busy'));
    expect(blocks.length).toBeGreaterThan(0);
    expect(blocks).not.toContain('0');
    expect(hinted(done, 'idle')).toEqual({});
  });

  it('cannot be counted without a TLB', () => {
    const rest = 'hints: { producers: { tlb: { count: 100, within: 1s } } }\nrun: { for: 5s }';
    expect(() => run(rest)).toThrow(/there is no TLB whose misses could be counted; add a workload/);
  });
});

describe('explicit hints', () => {
  it('are for the ranges of the pages named, with what is mapped there as the least', () => {
    const done = run(
      `hints: { policy: as-posted }
events:
  - { at: 1s, hint: { process: busy, vma: heap, blocks: 0-1, priority: low }, expect: { errno: ok } }
  - { at: 2s, hint: { process: idle, vma: heap, blocks: 0 }, expect: { errno: EEXIST } }
  - { at: 2s, hint: { process: idle, vma: heap, blocks: 1, maxOrder: 8 }, expect: { errno: ok } }
run: { for: 3s }`,
      '{ order: 2M }',
    );
    expect(done.result.expectations.map(({ actual }) => actual)).toEqual(['EEXIST', 'EEXIST', 'ok']);
  });

  it('beyond the limit end the run with the setting to raise, or are dropped if the file says so', () => {
    const rest = (more: string): string => `hints: { limit: 2${more} }
events: [{ at: 0s, hint: { process: busy, vma: heap } }]
expect: { hints: { refused: 2, queued: 2, reasons: { no_memory: 2 } } }
run: { for: 1s }`;
    expect(() => run(rest(''))).toThrow(/2 hints wait, and there is no room for another; raise hints\.limit/);
    expect(run(rest(', whenFull: drop')).result.expectations.filter(({ ok }) => !ok)).toEqual([]);
  });

  it('are refused on a kernel that has none, with the place in the file', () => {
    const text = `format: thplab/scenario@1
name: none
processes: [{ name: app, vmas: [{ name: heap, size: 2M }] }]
events:
  - { at: 1s, hint: { process: app, vma: heap } }
hints: { policy: fair, producers: { heat: {} } }
run: { for: 2s }`;
    expect(() => parseScenario(text, { path: 'none.yaml' })).toThrow(
      /none\.yaml:5:15: kernel merged has no collapse hints; set machine\.kernel: hints-rfc/,
    );
  });

  it.each([
    ['hints: { policy: swift }', /no hint policy "swift"/],
    ['hints: { policy: "fair:rotateAfter=x" }', /rotateAfter of a hint policy/],
    ['hints: { producers: { heat: {}, aging: {} } }', /exactly one of heat, faults, tlb, aging/],
    ['hints: { producers: { heat: {} } }', /heat needs DAMON/],
    ['hints: { limit: 0 }', /a whole number from 1/],
    ['expect: { hints: { reasons: { lost: 1 } } }', /expected what can become of a hint/],
  ])('%s is refused', (key, message) => {
    const text = `format: thplab/scenario@1\nname: bad\nmachine: { kernel: hints-rfc }\n${key}\nrun: { for: 1s }`;
    expect(() => parseScenario(text)).toThrow(message);
  });
});
