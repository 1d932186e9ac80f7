import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectGolden } from '../testing/golden.js';
import { folderWith, repositoryFile, runCli } from '../testing/run-cli.js';

const QUICKSTART = 'examples/quickstart.yaml';

/** What happens to a process that faults, forks and is collapsed under its hands, in a moment. */
const BUSY = `format: thplab/scenario@1
name: busy
seed: 7
machine: { memory: 256M }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 100, khugepaged/max_ptes_none: 64 }
processes:
  - name: app
    vmas:
      - { name: heap, size: 8M, advice: hugepage, populate: { sparse: 0.9, seed: 3 } }
      - { name: cold, size: 4M, advice: nohugepage, populate: full }
events:
  - at: 10ms
    fault: { process: app, vma: heap, pages: "0-1023" }
  - at: 50ms
    madvise: { process: app, vma: cold, advice: collapse }
run: { for: 1s, sample: 250ms }
`;

const LONG = BUSY.replace('for: 1s, sample: 250ms', 'for: 300s');

describe('run', () => {
  it('shows what happened on one screen', async () => {
    const { code, stdout, stderr } = await runCli(['run', QUICKSTART]);
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'run', stdout);
  });

  it('shows reasons, stalls, events and a time line', async () => {
    const { code, stdout, stderr } = await runCli(['run', '-', '--timeline'], { stdin: BUSY });
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'run.busy', stdout);
  });

  it('prints the same bytes at every run', async () => {
    const first = await runCli(['run', QUICKSTART, '--json']);
    const second = await runCli(['run', QUICKSTART, '--json']);
    expect(first.stdout).toBe(second.stdout);
    const { format, header } = JSON.parse(first.stdout);
    expect(format).toBe('thplab/result@1');
    expect(header).toMatchObject({ seed: 1, kernel: 'merged' });
  });

  it('streams one document per line', async () => {
    const { stdout } = await runCli(['run', QUICKSTART, '--ndjson']);
    const kinds = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).kind);
    expect(kinds[0]).toBe('header');
    expect(kinds.at(-1)).toBe('end');
    expect(kinds).toContain('expectation');
  });

  it('is 1 when an expectation fails, with the command that repeats it', async () => {
    const { code, stdout, stderr } = await runCli(['run', QUICKSTART, '--set', 'enabled=never']);
    expect(code).toBe(1);
    expect(stdout).toContain('✗  app heap: huge');
    const repeat = `repeat: thplab run ${QUICKSTART} --set enabled=never`;
    expect(stderr).toBe(`thplab: 4 of 5 expectations failed\n${repeat} --seed 1\n`);
    const quiet = await runCli(['run', QUICKSTART, '--set', 'enabled=never', '-q']);
    expect([quiet.code, quiet.stdout]).toEqual([1, '']);
    expect(quiet.stderr).toContain('thplab: expectation failed: thp_collapse_alloc is 0, expected 32');
    expect(quiet.stderr).toContain(`${repeat} -q --seed 1\n`);
    const unjudged = await runCli(['run', QUICKSTART, '--set', 'enabled=never', '--no-expect', '-q']);
    expect(unjudged).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('runs another kernel and another seed', async () => {
    const { stdout } = await runCli(['run', QUICKSTART, '--kernel', 'v6.18', '--seed', '99', '--json']);
    expect(JSON.parse(stdout).header).toMatchObject({ kernel: 'v6.18', seed: 99 });
  });

  it.each([
    ['20ms', { atNs: 20_000_000, reason: 'time' }],
    ['pagesCollapsed=3', { reason: 'goal' }],
    ['covered=50%', { reason: 'goal' }],
  ])('runs until %s', async (until, end) => {
    const { stdout } = await runCli(['run', QUICKSTART, '--no-expect', '--until', until, '--json']);
    expect(JSON.parse(stdout).end).toMatchObject(end);
  });

  it('shows progress on a terminal only', async () => {
    expect((await runCli(['run', '-'], { stdin: LONG, terminal: 100 })).stderr).toMatch(/busy: \[#*\.*\] +\d+%/);
    expect((await runCli(['run', '-'], { stdin: LONG })).stderr).toBe('');
  });
});

describe('run --trace', () => {
  it.each([
    [
      't.txt',
      /^# tracer: nop\n[\s\S]*khugepaged-\d+ .* mm_collapse_huge_page: mm=[0-9a-f]{16}, isolated=1, status=succeeded, order=9\n/,
    ],
    ['t.ndjson', /^\{"format":"thplab\/trace@1"/],
    ['t.json', /"name":"mmap_lock\[\d+\] write"/],
  ])('writes %s in the form that its name says', async (name, form) => {
    const cwd = folderWith({ 's.yaml': repositoryFile(QUICKSTART) });
    const { code } = await runCli(['run', 's.yaml', '-q', '--trace', name], { cwd });
    expect(code).toBe(0);
    const text = readFileSync(join(cwd, name), 'utf8');
    expect(text).toMatch(form);
    if (name.endsWith('.json')) JSON.parse(text);
  });

  it('writes to stdout with the form named', async () => {
    const { stdout } = await runCli(['run', QUICKSTART, '-q', '--trace', '-', '--trace-format', 'ftrace']);
    expect(stdout).toContain('# tracer: nop');
  });
});

describe('run refuses', () => {
  it.each([
    [['--set', 'khugepaged/max_ptes_none'], 2, 'PATH=VALUE'],
    [['--set', 'khugepaged/max_pte_none=1'], 2, 'did you mean khugepaged/max_ptes_none?'],
    [['--set', 'khugepaged/max_ptes_none=512'], 2, 'above 511'],
    [['--kernel', 'damon-rfc'], 2, 'the collapse code of kernel damon-rfc is not modelled; there are v6.13'],
    [['--until', 'tomorrow'], 2, '--until "tomorrow" is no end of a run'],
    [['--timeline', '1'], 2, '--timeline "1" is no step'],
    [['--trace', 'trace'], 2, 'does not say its format'],
    [['--trace-format', 'ftrace'], 2, '--trace-format without --trace'],
    [['--seed', '-1'], 2, 'whole number'],
  ])('%j', async (args, expected, message) => {
    const { code, stdout, stderr } = await runCli(['run', QUICKSTART, ...args]);
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toContain(message);
  });

  it('a kernel without the files that the scenario needs', async () => {
    const args = ['run', 'examples/mthp-only.yaml', '--kernel', 'v6.18'];
    const { code, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/expects something of a counter that --kernel v6\.18 lacks: .*; or give --no-expect/);
    expect((await runCli([...args, '--no-expect', '-q'])).code).toBe(0);
    const stdin = BUSY.replace('khugepaged/max_ptes_none: 64', 'hugepages-8kB/shmem_enabled: never');
    expect((await runCli(['run', '-', '--kernel', 'v6.13', '-q'], { stdin })).code).toBe(0);
  });

  it('what only the run can find, at its place', async () => {
    const { code, stderr } = await runCli(['run', '-'], { stdin: BUSY.replace('memory: 256M', 'memory: 8M') });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^<stdin>:\d+:\d+: .*; raise machine\.memory/);
  });

  it('a file that is not there, with the nearest name', async () => {
    const { code, stderr } = await runCli(['run', 'examples/quikstart.yaml']);
    expect([code, stderr]).toEqual([
      3,
      'thplab: examples/quikstart.yaml cannot be read: no such file; did you mean examples/quickstart.yaml?\n',
    ]);
  });

  it('a wrong file, with its place', async () => {
    const { code, stdout, stderr } = await runCli(['run', '-'], { stdin: BUSY.replace('sparse:', 'sparce:') });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^<stdin>:9:\d+: unknown key "sparce".*did you mean "sparse"\?/);
  });
});

describe('Ctrl-C', () => {
  it('ends a run at its next step and shows what was done so far, marked as partial', async () => {
    const options = {
      stdin: LONG,
      terminal: 100,
      interruptWhen: ({ stderr }: { stderr: string }) => stderr.includes('busy: ['),
    };
    const { code, stdout, stderr, exits } = await runCli(['run', '-'], options);
    expect([code, exits]).toEqual([130, []]);
    expect(stdout).toContain('PARTIAL');
    expect(stdout).toContain('khugepaged');
    expect(stderr).toContain('stopping at the next step; Ctrl-C again ends at once');
  });
});
