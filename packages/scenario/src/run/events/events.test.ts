import { describe, expect, it } from 'vitest';
import type { ScenarioResult } from '../../report/result.js';
import { runText } from '../../testing/scenario-text.js';

/** Runs events on one process with a heap of 4M, khugepaged off. */
function run(events: string, over: { vma?: string; head?: string; run?: string } = {}): ScenarioResult {
  return runText(`
${over.head ?? 'sysfs: { enabled: never }'}
processes: [{ name: app, vmas: [{ name: heap, size: 4M, ${over.vma ?? 'populate: full'} }] }]
events:
${events
  .trim()
  .split('\n')
  .map((line) => `  - { ${line.trim()} }`)
  .join('\n')}
run: ${over.run ?? '{ until: { eventsDone: true }, khugepaged: false }'}
`).result;
}

const app = (result: ScenarioResult): ScenarioResult['processes'][number] => result.processes[0];
const errnos = (result: ScenarioResult): Record<string, number>[] => result.events.map((event) => event.errnos);

describe('events that touch memory', () => {
  it('fault: touches each page, and counts what the faults took', () => {
    const result = run('at: 0s, fault: { process: app, vma: heap, pages: 0-99 }', { vma: 'populate: none' });
    expect(app(result).rss).toBe(100 * 4096);
    expect(app(result).faults.count).toBe(100);
    expect(app(result).faults.p50Ns).toBeGreaterThan(1000);
    expect(app(result).faults.maxNs).toBeGreaterThanOrEqual(app(result).faults.p99Ns);
  });

  it('fault: a page that is mapped already costs no fault', () => {
    expect(app(run('at: 0s, fault: { process: app, vma: heap }')).faults.count).toBe(0);
  });

  it('fault: read faults map the zero page', () => {
    const result = run('at: 0s, fault: { process: app, vma: heap, write: false }', { vma: 'populate: none' });
    expect(app(result).rss).toBe(0);
    expect(app(result).faults.count).toBe(1024);
  });

  it('fault over time: the last page is touched near the end', () => {
    const result = run('at: 0s, fault: { process: app, vma: heap, pages: 0-9, over: 1s }', { vma: 'populate: none' });
    expect(result.end.atNs).toBeGreaterThan(900e6);
    expect(result.end.atNs).toBeLessThan(1e9);
  });

  it('fault: without memory the event ends at the page that finds none', () => {
    const { result } = runText(`machine: { memory: 32M }
processes: [{ name: app, vmas: [{ name: heap, size: 64M }] }]
events: [{ at: 0s, fault: { process: app, vma: heap }, expect: { errno: ENOMEM } }]
run: { for: 1s, khugepaged: false }`);
    expect(errnos(result)).toEqual([{ ENOMEM: 1 }]);
    expect(app(result).failures).toEqual({ oom: 1 });
    expect(app(result).rss).toBeGreaterThan(30 * 2 ** 20);
  });

  it('fault: a write where the VMA is read-only fails', () => {
    const result = run('at: 0s, fault: { process: app, vma: heap, pages: 0 }, expect: { errno: EFAULT }', {
      vma: 'prot: r--, populate: none',
    });
    expect(result.expectations.map((one) => one.ok)).toEqual([true]);
    expect(app(result).failures).toEqual({ sigsegv: 1 });
  });

  it('access: touches all pages once per period, for so long', () => {
    const result = run('at: 0s, access: { process: app, vma: heap, pages: 0-9, every: 10ms, for: 100ms }', {
      vma: 'populate: none',
    });
    expect(app(result).faults.count).toBe(10);
    expect(result.end.atNs).toBeGreaterThan(90e6);
    expect(result.end.atNs).toBeLessThan(101e6);
  });

  it('access: brings pages back that were swapped out or dropped', () => {
    const result = run(
      `at: 0s, access: { process: app, vma: heap, pages: 0-9, write: true, every: 10ms, for: 100ms }
       at: 33ms, swapout: { process: app, vma: heap, pages: 0-4 }
       at: 55ms, madvise: { process: app, vma: heap, advice: dontneed }`,
      { head: 'machine: { swap: 16M }\nsysfs: { enabled: never }' },
    );
    expect(app(result).rss).toBe(10 * 4096);
    expect(result.vmstat.pswpin).toBe(5);
    expect(app(result).faults.count).toBe(15);
  });

  it('pin and unpin: a pinned page keeps a range from being collapsed; a duration ends it too', () => {
    const collapse = 'madvise: { process: app, vma: heap, blocks: 0, advice: collapse }';
    const result = run(
      `at: 0s, pin: { process: app, vma: heap, pages: 7 }
       at: 1ms, ${collapse}, expect: { errno: EAGAIN }
       at: 2ms, unpin: { process: app, vma: heap, pages: 7 }
       at: 3ms, ${collapse}, expect: { errno: ok }
       at: 4ms, unpin: { process: app, vma: heap, pages: 7 }, expect: { errno: ENOENT }
       at: 5ms, pin: { process: app, vma: heap, pages: 1000, for: 2ms }
       at: 6ms, madvise: { process: app, vma: heap, blocks: 1, advice: collapse }, expect: { errno: EAGAIN }
       at: 8ms, madvise: { process: app, vma: heap, blocks: 1, advice: collapse }, expect: { errno: ok }`,
    );
    expect(result.expectations.filter((one) => !one.ok)).toEqual([]);
    expect(app(result).coverage.hugeOfSize).toBe(1);
  });

  it('lock and unlock: a locked folio keeps a range from being collapsed', () => {
    const collapse = 'madvise: { process: app, vma: heap, blocks: 0, advice: collapse }';
    const result = run(
      `at: 0s, lock: { process: app, vma: heap, pages: 7 }
       at: 1ms, ${collapse}, expect: { errno: EAGAIN }
       at: 2ms, unlock: { process: app, vma: heap, pages: 7 }
       at: 3ms, ${collapse}, expect: { errno: ok }`,
    );
    expect(result.expectations.filter((one) => !one.ok)).toEqual([]);
  });

  it('lock: who holds a lock holds the folio, also when its last mapping goes and the memory is wanted elsewhere', () => {
    const result = run(
      `at: 0s, lock: { process: app, vma: heap, pages: 0-99 }
       at: 1ms, madvise: { process: app, vma: heap, advice: dontneed }
       at: 2ms, fault: { process: app, vma: heap }
       at: 3ms, unlock: { process: app, vma: heap, pages: 0-99 }
       at: 4ms, madvise: { process: app, vma: heap, advice: collapse }, expect: { errno: ok }
       at: 5ms, lock: { process: app, vma: heap, pages: 3 }
       at: 6ms, exit: { process: app }`,
    );
    expect(result.expectations.filter((one) => !one.ok)).toEqual([]);
    expect(result.invariants).toEqual([]);
  });

  it('swapout: writes pages to swap, as far as there is room', () => {
    const result = run('at: 0s, swapout: { process: app, vma: heap, pages: 0-9 }', {
      head: 'machine: { swap: 16M }\nsysfs: { enabled: never }',
    });
    expect(app(result).swap).toBe(10 * 4096);
    const full = run('at: 0s, swapout: { process: app, vma: heap, pages: 0-9 }', {
      head: 'machine: { swap: 16K }\nsysfs: { enabled: never }',
    });
    expect(app(full).swap).toBe(4 * 4096);
    expect(errnos(full)).toEqual([{ EAGAIN: 1 }]);
  });
});

describe('events that are system calls', () => {
  it('madvise: gives the errno of the call', () => {
    const result = run(
      `at: 0s, madvise: { process: app, vma: heap, pages: 0-255, advice: dontneed }, expect: { errno: ok }
       at: 1ms, madvise: { process: app, vma: heap, advice: nohugepage }
       at: 2ms, madvise: { process: app, vma: heap, advice: collapse }, expect: { errno: EINVAL }`,
    );
    expect(result.expectations.every((one) => one.ok)).toBe(true);
    expect(app(result).rss).toBe((1024 - 256) * 4096);
  });

  it('mmap: a VMA with pages and advice of its own; munmap takes them away', () => {
    const mapped = run('at: 0s, mmap: { process: app, name: more, size: 2M, populate: full, advice: hugepage }');
    expect(app(mapped).rss).toBe(6 * 2 ** 20);
    expect(app(mapped).vmas.map((vma) => vma.name)).toEqual(['heap', 'more']);
    const result = run(
      `at: 0s, mmap: { process: app, name: more, size: 2M, populate: full }
       at: 1ms, munmap: { process: app, vma: more }`,
    );
    expect(app(result).rss).toBe(4 * 2 ** 20);
    expect(app(result).vmas[1].ineligible).toBe('not mapped any more');
  });

  it('mmap repeated: each time a new VMA, the name means the newest', () => {
    const result = run(
      `at: 0s, repeat: { every: 1ms, times: 3 }, mmap: { process: app, name: more, size: 2M, populate: full }
       at: 10ms, munmap: { process: app, vma: more }`,
    );
    expect(app(result).rss).toBe((4 + 3 * 2 - 2) * 2 ** 20);
  });

  it('mremap: moves the pages, and the name goes with them', () => {
    const result = run(
      `at: 0s, mremap: { process: app, vma: heap, to: 0x200000000000, size: 4M }
       at: 1ms, madvise: { process: app, vma: heap, advice: collapse }, expect: { errno: ok }`,
    );
    expect(app(result).vmas[0].start).toBe(0x200000000000);
    expect(app(result).coverage.hugeOfSize).toBe(1);
  });

  it('mprotect: takes rights away', () => {
    const result = run(
      `at: 0s, mprotect: { process: app, vma: heap, prot: r-- }
       at: 1ms, fault: { process: app, vma: heap, pages: 0 }, expect: { errno: EFAULT }`,
    );
    expect(result.expectations.map((one) => one.ok)).toEqual([true]);
  });

  it('mlock brings pages in; munlock leaves them', () => {
    const result = run(
      `at: 0s, mlock: { process: app, vma: heap }
       at: 1ms, munlock: { process: app, vma: heap }`,
      { vma: 'populate: none' },
    );
    expect(app(result).rss).toBe(4 * 2 ** 20);
  });

  it('uffd: registering, protecting, unregistering', () => {
    const collapse = 'madvise: { process: app, vma: heap, blocks: 0, advice: collapse }';
    const result = run(
      `at: 0s, uffd: { process: app, vma: heap, call: register, modes: wp }
       at: 1ms, uffd: { process: app, vma: heap, pages: 3, call: writeprotect }
       at: 2ms, ${collapse}, expect: { errno: EINVAL }
       at: 3ms, fault: { process: app, vma: heap, pages: 3 }, expect: { errno: EAGAIN }
       at: 4ms, uffd: { process: app, vma: heap, pages: 600, call: poison }, expect: { errno: EEXIST }
       at: 5ms, uffd: { process: app, vma: heap, call: unregister }
       at: 6ms, ${collapse}, expect: { errno: ok }
       at: 7ms, uffd: { process: app, vma: heap, pages: 600, call: poison }, expect: { errno: ENOENT }`,
    );
    expect(result.expectations.filter((one) => !one.ok)).toEqual([]);
  });

  it('prctl: switches huge pages off and on', () => {
    const collapse = 'madvise: { process: app, vma: heap, advice: collapse }';
    const result = run(
      `at: 0s, prctl: { process: app, thp: disable }
       at: 1ms, ${collapse}, expect: { errno: EINVAL }
       at: 2ms, prctl: { process: app, thp: default }
       at: 3ms, ${collapse}, expect: { errno: ok }`,
    );
    expect(result.expectations.every((one) => one.ok)).toBe(true);
  });
});

describe('events in the life of processes and of the machine', () => {
  it('fork: children share pages, have names of their own, and exit after their lifetime', () => {
    const result = run(
      `at: 0s, fork: { process: app, as: child, count: 2 }
       at: 1ms, fork: { process: app, as: short, lifetime: 5ms }
       at: 2ms, fault: { process: child.1, vma: heap, pages: 0-9 }
       at: 3ms, exit: { process: child.0 }`,
    );
    expect(result.processes.map(({ name, rss, exitNs }) => [name, rss, exitNs !== null])).toEqual([
      ['app', 4 * 2 ** 20, false],
      ['child.0', 0, true],
      ['child.1', 4 * 2 ** 20, false],
      ['short', 0, true],
    ]);
    expect(result.processes[2].faults.count).toBe(10);
    expect(result.memory.total - result.memory.free).toBeGreaterThan((4 + 10 / 256) * 2 ** 20);
    expect(result.end.atNs).toBeGreaterThan(6e6);
  });

  it('events of one time follow each other in a family, and go side by side otherwise', () => {
    const result = runText(`
sysfs: { enabled: never }
processes:
  - { name: a, vmas: [{ name: heap, size: 4M }] }
  - { name: b, vmas: [{ name: heap, size: 4M }] }
events:
  - { at: 0s, fault: { process: a, vma: heap } }
  - { at: 0s, fork: { process: a, as: child } }
  - { at: 0s, fault: { process: b, vma: heap } }
run: { until: { eventsDone: true } }`).result;
    const alone = run('at: 0s, fault: { process: app, vma: heap }', { vma: 'populate: none' });
    expect(result.processes[2].rss).toBe(4 * 2 ** 20);
    expect(result.processes[2].bornNs).toBeGreaterThan(alone.end.atNs * 0.9);
    expect(result.end.atNs).toBeLessThan(alone.end.atNs * 1.5);
  });

  it('checks and sysfs writes wait for what stands before them', () => {
    const result = run(
      `at: 0s, fault: { process: app, vma: heap }
       at: 0s, check: { memory: { process: app, rss: 4M } }
       at: 0s, sysfs: { khugepaged/max_ptes_none: 600 }, expect: { errno: EINVAL }
       at: 0s, sysfs: { khugepaged/max_ptes_none: 6 }, expect: { errno: ok }`,
      { vma: 'populate: none' },
    );
    expect(result.expectations.map((one) => one.ok)).toEqual([true, true, true]);
  });

  it('failAllocation: the n-th, each n-th, or the next n fail', () => {
    const collapse = 'madvise: { process: app, vma: heap, advice: collapse }';
    const tries = [1, 2, 3, 4].map((ms) => `at: ${ms}ms, ${collapse}`).join('\n');
    const failed = (which: string): number =>
      run(`at: 0s, failAllocation: { order: 2M, ${which} }\n${tries}`).vmstat.thp_collapse_alloc_failed ?? 0;
    expect(failed('nth: 2')).toBe(1);
    expect(failed('count: 3')).toBe(3);
    expect(failed('every: 1')).toBe(4);
    // Two ranges: the first is collapsed, the second fails, and succeeds at the next try.
    expect(failed('every: 2')).toBe(1);
  });

  it('expects changes of counters by an event, and says what they were', () => {
    const result = run(
      `at: 0s, madvise: { process: app, vma: heap, blocks: 0, advice: collapse }, expect: { counters: { thp_collapse_alloc: 1 } }
       at: 1ms, madvise: { process: app, vma: heap, blocks: 1, advice: collapse }, expect: { counters: { thp_collapse_alloc: 2 } }`,
    );
    expect(result.expectations.map(({ ok, actual }) => [ok, actual])).toEqual([
      [true, '1'],
      [false, '1'],
    ]);
  });
});
