import { describe, expect, it } from 'vitest';
import { validateScenario } from '../format/index.js';
import { runText } from '../testing/scenario-text.js';

function problems(body: string): string[] {
  const outcome = validateScenario(`format: thplab/scenario@1\nname: test\n${body}`, { path: 'f.yaml' });
  return outcome.ok ? [] : outcome.error.message.split('\n');
}

describe('files of a scenario', () => {
  it('are shared by all processes that name them, and outlive those', () => {
    const { result, world } = runText(`files: [{ name: board, size: 2M }]
processes:
  - { name: one, vmas: [{ name: a, size: 2M, file: board, populate: "0-9" }] }
  - { name: two, vmas: [{ name: b, size: 1M, file: board, offset: 32K, populate: "0-3" }] }
events: [{ at: 1ms, exit: { process: one } }]
run: { for: 5ms, khugepaged: false }`);
    expect(world.m.machine.pageCachePages[0]).toBe(12);
    expect(result.processes[1].rss).toBe(16 * 1024);
  });

  it('hold what "cached" says, later layers over earlier ones', () => {
    const { world } = runText(`machine: { swap: 4M }
files:
  - { name: board, size: 6M, cached: [full, { pages: "0-3", state: swap }, { pages: "512-1023", huge: true }] }
run: { for: 1ms }`);
    const { m } = world;
    expect([m.file.cached[1], m.file.swapped[1]]).toEqual([1532, 4]);
  });

  it('khugepaged ends a run that waits for coverage of shared memory', () => {
    const { result } = runText(`sysfs: { enabled: never, shmem_enabled: always, khugepaged/scan_sleep_millisecs: 10 }
processes: [{ name: app, vmas: [{ name: heap, size: 4M, kind: shmem, populate: full }] }]
events: [{ at: 50ms, fault: { process: app, vma: heap, stride: 512, write: false } }]
run: { until: { covered: 1 }, atMost: 1s }`);
    expect(result.end.reason).toBe('goal');
    expect([result.processes[0].anonHuge, result.processes[0].fileHuge]).toEqual([0, 4 * 2 ** 20]);
  });

  it('regular files are collapsed by old kernels only if they were built for it', () => {
    const body = (more: string): string => `machine: { kernel: v6.18${more} }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 10 }
files: [{ name: lib, size: 2M, kind: file, cached: full }]
processes: [{ name: app, vmas: [{ name: text, size: 2M, file: lib, prot: r-x, flags: private }] }]
run: { for: 100ms }`;
    expect(runText(body('')).result.processes[0].vmas[0].outcomes).toEqual({ not_scanned: 1 });
    const built = runText(body(', readOnlyThpForFs: true')).result;
    expect(built.processes[0].vmas[0].outcomes).toEqual({ 'collapsed 2M': 1 });
  });
});

describe('mistakes in files', () => {
  it.each([
    [
      'a name that is none',
      'files: [{ name: a, size: 2M }]\nprocesses: [{ name: p, vmas: [{ name: v, size: 2M, file: b }] }]',
      'there is no file "b"; did you mean "a"?',
    ],
    [
      'two of a name',
      'files: [{ name: a, size: 2M }, { name: a, size: 2M }]',
      'a second file "a"; give each its own name',
    ],
    [
      'a size that is no whole page',
      'files: [{ name: a, size: 5000 }]',
      'size is no multiple of the page size; expected a multiple of 4K',
    ],
    [
      'another kind',
      'files: [{ name: a, size: 2M }]\nprocesses: [{ name: p, vmas: [{ name: v, size: 2M, kind: anon, file: a }] }]',
      '"a" is of kind shmem; expected shmem, or no kind',
    ],
    [
      'a place in no file',
      'processes: [{ name: p, vmas: [{ name: v, size: 2M, offset: 4K }] }]',
      'offset is a place in a file; name the file: file: NAME',
    ],
    [
      'a place within a page',
      'files: [{ name: a, size: 2M }]\nprocesses: [{ name: p, vmas: [{ name: v, size: 2M, file: a, offset: 100 }] }]',
      'offset is no multiple of the page size; expected a multiple of 4K',
    ],
    [
      'a regular file in swap',
      'files: [{ name: a, size: 2M, kind: file, cached: { state: swap } }]',
      'pages of a regular file are not swapped out; expected present, or kind: shmem',
    ],
    [
      'private and shared',
      'processes: [{ name: p, vmas: [{ name: v, size: 2M, kind: shmem, flags: [private, shared] }] }]',
      'private and shared at once; keep one of them',
    ],
    [
      'pages behind the end',
      'files: [{ name: a, size: 2M, cached: "0-512" }]',
      'page 512 is outside the range; its pages are 0 to 511',
    ],
  ])('%s', (_what, body, message) => {
    const found = problems(`${body}\nrun: { for: 1ms }`);
    expect(
      found.some((line) => line.includes(message)),
      found.join('\n'),
    ).toBe(true);
  });

  it('more in swap than there is room for is told where it stands', () => {
    expect(() => runText('files: [{ name: a, size: 2M, cached: { state: swap } }]\nrun: { for: 1ms }')).toThrow(
      /the swap device is full/,
    );
  });
});
