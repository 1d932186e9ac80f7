import { describe, expect, it } from 'vitest';
import { scenarioLocator } from '../format/index.js';
import { runText, scenarioOf } from '../testing/scenario-text.js';
import { runScenario, runScenarioInPieces } from './run-scenario.js';

const HEAP = 'processes: [{ name: app, vmas: [{ name: heap, size: 8M, populate: full, advice: hugepage }] }]';
const FAST = 'sysfs: { khugepaged/scan_sleep_millisecs: 100 }';

describe('the end of a run', () => {
  it('comes when the goal is reached, at the end of the pass that reached it', () => {
    const { result } = runText(`${FAST}\n${HEAP}\nrun: { until: { pagesCollapsed: 2 }, atMost: 1min }`);
    expect(result.end.reason).toBe('goal');
    expect(result.end.atNs).toBeLessThan(100e6);
    expect(result.khugepaged.pagesCollapsed).toBe(4);
  });

  it('comes with the time', () => {
    const { result } = runText(`${FAST}\n${HEAP}\nrun: { for: 250ms }`);
    expect(result.end).toEqual({ reason: 'time', atNs: 250e6, partial: false });
    expect(result.khugepaged.passes).toBe(3);
  });

  it('comes with the longest time if the goal is not reached by then', () => {
    const { result } = runText(`${FAST}\n${HEAP}\nrun: { until: { pagesCollapsed: 5 }, atMost: 250ms }`);
    expect(result.end).toEqual({ reason: 'atMost', atNs: 250e6, partial: false });
  });

  it('comes when nothing is left to happen and the goal cannot be reached any more', () => {
    const { result } = runText(`sysfs: { enabled: never }\n${HEAP}\nrun: { until: { fullScans: 1 }, atMost: 1min }`);
    expect(result.end.reason).toBe('idle');
  });

  it('lasts as long as it is told to if it has no goal, though nothing happens', () => {
    const { result } = runText(`sysfs: { enabled: never }\n${HEAP}\nrun: { for: 1min }`);
    expect(result.end).toEqual({ reason: 'time', atNs: 60e9, partial: false });
  });

  it('comes from outside at the next question, and the result says that it is partial', () => {
    let asked = 0;
    const scenario = scenarioOf(`${FAST}\n${HEAP}\nrun: { for: 10min }`);
    const { result } = runScenario(scenario, { shouldStop: () => ++asked > 2 });
    expect(result.end.partial).toBe(true);
    expect(result.end.reason).toBe('stopped');
    expect(result.khugepaged.pagesCollapsed).toBe(4);
  });

  it('waits for repeats, durations and lifetimes', () => {
    const { result } = runText(`sysfs: { enabled: never }\n${HEAP}
events:
  - { at: 0s, repeat: { every: 10ms, times: 3 }, fork: { process: app, as: child, lifetime: 15ms } }
run: { until: { eventsDone: true }, atMost: 1min }`);
    expect(result.end.atNs).toBeGreaterThan(35e6);
    expect(result.processes.map(({ name, exitNs }) => [name, exitNs !== null])).toEqual([
      ['app', false],
      ['child.0', true],
      ['child.1', true],
      ['child.2', true],
    ]);
  });
});

describe('a run', () => {
  it('gives the same bytes again, in one go and in pieces', () => {
    const text = `seed: 3\nmachine: { cpus: 3 }\n${FAST}
processes:
  - { name: a, count: 3, vmas: [{ name: heap, size: 8M, advice: hugepage, populate: { sparse: 60% } }] }
events:
  - { at: 0s, access: { process: a, vma: heap, sparse: 10%, every: 5ms, write: true } }
  - { at: 50ms, repeat: { every: 70ms, times: 4 }, fork: { process: a.1, as: kid, lifetime: 60ms } }
  - { at: 130ms, madvise: { process: a.0, vma: heap, blocks: 1-2, advice: dontneed } }
run: { for: 500ms, sample: 100ms }`;
    const once = runScenario(scenarioOf(text)).result;
    const pieces = runScenarioInPieces(scenarioOf(text));
    let count = 0;
    let piece = pieces.next();
    for (; piece.done !== true; piece = pieces.next()) count++;
    expect(count).toBeGreaterThan(1);
    expect(JSON.stringify(piece.value.result)).toBe(JSON.stringify(once));
    expect(JSON.parse(JSON.stringify(once))).toEqual(once);
  });

  it('differs with the seed', () => {
    const text = `${FAST}\nprocesses: [{ name: a, vmas: [{ name: heap, size: 8M, populate: { sparse: 50% } }] }]\nrun: { for: 1ms }`;
    const rss = (seed: number): number => runText(`seed: ${seed}\n${text}`).result.processes[0].rss;
    expect(rss(1)).not.toBe(rss(2));
  });

  it('has a row of the time line at the start, at each sample, and at the end', () => {
    const { result } = runText(`${FAST}\n${HEAP}\nrun: { for: 250ms, sample: 100ms }`);
    expect(result.timeline.map((row) => row.atNs)).toEqual([0, 100e6, 200e6, 250e6]);
    expect(result.timeline.map((row) => row.processes[0].anonHuge)).toEqual([0, 8, 8, 8].map((mib) => mib * 2 ** 20));
  });

  it('takes writes on top of the file, and fails with the place of those that the kernel refuses', () => {
    const write = { path: '/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none', value: '600' };
    const scenario = scenarioOf(`${FAST}\n${HEAP}\nrun: { for: 1ms }`);
    expect(() => runScenario(scenario, { sysfs: [write] })).toThrow(/max_ptes_none fails with EINVAL; .*0 to 511/);
    const { result } = runScenario(scenario, { sysfs: [{ ...write, value: '6' }] });
    expect(result.header.settings[write.path]).toBe('6');
  });

  it('fails with the place of a kernel that is not modelled, and names those that are', () => {
    const text = `format: thplab/scenario@1\nname: kernel\nmachine:\n  kernel: damon-rfc\n${HEAP}\nrun: { for: 1ms }`;
    const scenario = { ...scenarioOf(`${HEAP}\nrun: { for: 1ms }`) };
    const other = { ...scenario, machine: { ...scenario.machine, kernel: 'damon-rfc' as const } };
    const locate = scenarioLocator(text, 'kernel.yaml');
    expect(() => runScenario(other, { locate })).toThrow(/^kernel\.yaml:4:11: .*damon-rfc.*; expected one of .*merged/);
  });

  it('leaves khugepaged out if the file says so', () => {
    const { result } = runText(`${FAST}\n${HEAP}\nrun: { for: 1s, khugepaged: false }`);
    expect(result.khugepaged).toMatchObject({ cpuNs: 0, passes: 0, pagesCollapsed: 0 });
  });

  it('counts the time that a collapse keeps threads waiting', () => {
    const { result } = runText(`${FAST}\nmachine: { cpus: 4 }
processes: [{ name: app, vmas: [{ name: heap, size: 32M, advice: hugepage, populate: full }] }]
events: [{ at: 0s, access: { process: app, vma: heap, write: true, every: 1ms } }]
run: { for: 200ms }`);
    const [app] = result.processes;
    expect(app.faults.count).toBeGreaterThan(0);
    expect(app.mmapLockWaits.maxNs).toBeGreaterThan(100e3);
    expect(app.mmapLockWaits.maxNs).toBeLessThanOrEqual(app.worstWriteHoldNs);
    expect(app.faults.maxNs).toBeGreaterThanOrEqual(app.mmapLockWaits.maxNs);
  });

  it('tells memory that holds no data: filled up by a collapse, or by a huge fault', () => {
    const collapsed = runText(`${FAST}
processes: [{ name: app, vmas: [{ name: heap, size: 2M, advice: hugepage, populate: { pages: 0-99 } }] }]
run: { for: 10ms }`).result.processes[0];
    expect([collapsed.rss, collapsed.extra]).toEqual([2 * 2 ** 20, 412 * 4096]);
    const faulted = runText(`sysfs: { enabled: always }
processes: [{ name: app, vmas: [{ name: heap, size: 2M }] }]
events: [{ at: 0s, fault: { process: app, vma: heap, pages: 0-99 } }]
run: { for: 10ms }`).result.processes[0];
    expect([faulted.rss, faulted.extra]).toEqual([2 * 2 ** 20, 412 * 4096]);
  });

  it('tells when half, 90 % and 99 % was covered', () => {
    const { result } = runText(`${FAST}
processes: [{ name: app, vmas: [{ name: heap, size: 64M, advice: hugepage, populate: full }] }]
run: { for: 1s }`);
    const { half, most, nearlyAll } = result.khugepaged.timeToCover;
    expect(half).toBeGreaterThan(100e6);
    expect(half).toBeLessThan(200e6);
    expect(most).toBeGreaterThan(300e6);
    expect(nearlyAll).toBeGreaterThan(most ?? 0);
    expect(result.khugepaged.attempts).toEqual({ '2M': { succeeded: 32 } });
    expect(result.khugepaged.cpuShare).toBeGreaterThan(0);
  });
});

describe('a file that asks for more than there is', () => {
  const refused = (body: string): (() => unknown) => {
    const scenario = scenarioOf(body);
    return () => runScenario(scenario);
  };

  it('is refused with the place, never with a crash', () => {
    const vma = (text: string): string =>
      `processes: [{ name: app, vmas: [{ name: heap, ${text} }] }]\nrun: { for: 1ms }`;
    expect(refused(`machine: { memory: 64T }\n${vma('size: 2M')}`)).toThrow(/the machine does not fit into this one/);
    const touch = `${vma('size: 64T')}\nevents: [{ at: 0s, fault: { process: app, vma: heap } }]`;
    expect(refused(touch)).toThrow(/names about 17,179,869,184 pages; expected at most/);
    expect(refused(vma('size: 64T, populate: { state: zero }'))).toThrow(/this layer names about 17,179,869,184 pages/);
    const often = `${vma('size: 2M')}\nevents: [{ at: 0s, repeat: { every: 1us }, sysfs: { enabled: always } }]`;
    expect(refused(often.replace('1ms', '20s'))).toThrow(/more than 10,000,000 times/);
  });

  it('may have a VMA that is mostly empty', () => {
    const { result } = runText(
      `processes: [{ name: app, vmas: [{ name: heap, size: 32T, populate: { pages: 0-9 } }] }]\nrun: { for: 1ms }`,
    );
    expect(result.processes[0].rss).toBe(10 * 4096);
  });
});

describe('an expectation of another kernel', () => {
  it('fails with words where the kernel has no such file', () => {
    const scenario = scenarioOf(
      `${FAST}\n${HEAP}\nrun: { for: 1ms }\nexpect: { counters: { hugepages-64kB/stats/collapse_alloc: 0 } }`,
    );
    const legacy = { ...scenario, machine: { ...scenario.machine, kernel: 'v6.18' as const } };
    const [judged] = runScenario(legacy).result.expectations;
    expect(judged).toMatchObject({ ok: false, actual: 'kernel v6.18 has no such file' });
  });
});

describe('what an event expects', () => {
  const failed = (body: string): (readonly [string, string])[] =>
    runText(`${FAST}\n${HEAP}\n${body}`)
      .result.expectations.filter(({ ok }) => !ok)
      .map(({ key, actual }) => [key, actual] as const);

  it('fails if the run ends before the event', () => {
    const late = `events:
  - { at: 10s, check: { counters: { thp_collapse_alloc: 4 } } }
  - { at: 11s, madvise: { process: app, vma: heap, advice: collapse }, expect: { errno: ok } }
  - { at: 12s, madvise: { process: app, vma: heap, advice: cold } }
`;
    expect(failed(`${late}run: { for: 1s }`)).toEqual([
      ['events[0]', 'the run ended before'],
      ['events[1].expect', 'the run ended before'],
    ]);
    expect(failed(`${late}run: { for: 20s }`)).toEqual([]);
  });

  it('fails if nobody of that name lives when its turn comes', () => {
    const gone = `events:
  - { at: 1ms, exit: { process: app } }
  - { at: 2ms, madvise: { process: app, vma: heap, advice: cold }, expect: { errno: ok } }
`;
    expect(failed(`${gone}run: { for: 1s }`)).toEqual([['events[1].expect', 'no such process then']]);
  });

  it('is not missed in a run that somebody stopped', () => {
    const scenario =
      scenarioOf(`${FAST}\n${HEAP}\nevents: [{ at: 9min, check: { counters: { thp_collapse_alloc: 4 } } }]
run: { for: 10min }`);
    let asked = 0;
    const { result } = runScenario(scenario, { shouldStop: () => ++asked > 2 });
    expect(result.end.partial).toBe(true);
    expect(result.expectations).toEqual([]);
  });

  it('shows events that the run did not come to', () => {
    const { result } = runText(`${HEAP}\nevents: [{ at: 2s, exit: { process: app } }]\nrun: { for: 1s }`);
    expect(result.events).toEqual([{ key: 'events[0]', kind: 'exit', executions: 0, errnos: {} }]);
  });
});

describe('a machine without swap', () => {
  it('swaps nothing out, not even one page', () => {
    const { result } = runText(`machine: { memory: 16M }\nsysfs: { enabled: never }
processes: [{ name: app, vmas: [{ name: heap, size: 32M }] }]
events: [{ at: 0s, fault: { process: app, vma: heap }, expect: { errno: ENOMEM } }]
run: { for: 1s }`);
    expect(result.vmstat.pswpout).toBeUndefined();
    expect(result.processes[0].swap).toBe(0);
    expect(result.expectations.map(({ ok }) => ok)).toEqual([true]);
  });
});

describe('ranges looked at', () => {
  it('are all khugepaged’s where nobody calls MADV_COLLAPSE, also if a visit is cut off by the end', () => {
    for (const ns of [1000, 2000, 5000, 10_000, 20_000, 100_000]) {
      const scenario = scenarioOf(`sysfs: { enabled: always, khugepaged/max_ptes_none: 0 }
processes: [{ name: app, vmas: [{ name: heap, size: 64M, populate: { perTable: 511 }, advice: hugepage }] }]
run: { for: ${ns}ns }`);
      const { rangesScanned, ranges } = runScenario(scenario).result.khugepaged;
      expect(
        Object.values(ranges).reduce((sum, count) => sum + count, 0),
        `${ns} ns`,
      ).toBe(rangesScanned);
    }
  });
});
