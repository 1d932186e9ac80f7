import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSnapshot } from '@thplab/capture';
import { describe, expect, it } from 'vitest';
import { FAKE_PID, fakeProc } from '../testing/fake-proc.js';
import { expectGolden } from '../testing/golden.js';
import { folderWith, runCli } from '../testing/run-cli.js';

const PID = ['--pid', String(FAKE_PID)];
const NONE = ['--vary', 'khugepaged/max_ptes_none=0,511', '--set', 'enabled=always'];

/** The same at every time of day. */
function timeless(text: string): string {
  return text.replace(/captured \S+ on/, 'captured TIME on');
}

async function snapshotFile(): Promise<string> {
  const cwd = folderWith({});
  await runCli(['capture', ...PID, '-o', 'app.thpsnap', '-q'], { cwd, ...fakeProc() });
  return cwd;
}

describe('what-if', () => {
  it('tries a usual set of settings on a live process', async () => {
    const { code, stdout, stderr } = await runCli(['what-if', ...PID, '--kernel', 'merged'], fakeProc());
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'what-if', timeless(stdout));
  });

  it('tries chosen settings on a captured one, the settings as they are first', async () => {
    const cwd = await snapshotFile();
    const { code, stdout } = await runCli(['what-if', 'app.thpsnap', ...NONE, '--choose', '3'], { cwd });
    expect(code).toBe(0);
    expectGolden(import.meta.dirname, 'what-if.vary', timeless(stdout));
  });

  it('gives the same document at every run, with the lines to apply', async () => {
    const cwd = await snapshotFile();
    const args = ['what-if', 'app.thpsnap', ...NONE, '--json'];
    const first = await runCli(args, { cwd });
    expect((await runCli(args, { cwd })).stdout).toBe(first.stdout);
    const { format, variants, chosen, assumptions } = JSON.parse(first.stdout);
    expect(format).toBe('thplab/what-if@1');
    expect(variants.map(({ label }: { label: string }) => label)).toEqual([
      'as it is',
      'max_ptes_none=0',
      'max_ptes_none=511',
    ]);
    expect(variants[2].shell).toEqual([
      'echo always > /sys/kernel/mm/transparent_hugepage/enabled',
      'echo 511 > /sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none',
    ]);
    expect(variants[2].after.rss).toBeGreaterThan(variants[2].before.rss);
    expect(chosen).toBe('max_ptes_none=0');
    expect(assumptions.length).toBeGreaterThan(0);
  });

  it('tries kernels', async () => {
    const cwd = await snapshotFile();
    const args = ['what-if', 'app.thpsnap', '--kernels', 'v6.18,merged', '--ndjson'];
    const set = ['--set', 'enabled=always', '--set', 'hugepages-64kB/enabled=always'];
    const { stdout } = await runCli([...args, ...set, '--advise-all'], { cwd });
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ label, kernel }) => [label, kernel])).toEqual([
      ['as it is', 'v6.18'],
      ['v6.18 enabled=always hugepages-64kB/enabled=always', 'v6.18'],
      ['merged enabled=always hugepages-64kB/enabled=always', 'merged'],
    ]);
  });

  it('keeps the capture when asked to', async () => {
    const cwd = folderWith({});
    const { code } = await runCli(['what-if', ...PID, '--save', 'kept'], { cwd, ...fakeProc() });
    expect(code).toBe(0);
    expect(readSnapshot(readFileSync(join(cwd, 'kept'))).process.pid).toBe(FAKE_PID);
    expect(readdirSync(cwd)).toEqual(['kept']);
  });

  it('shows the variants that are done at Ctrl-C', async () => {
    const interruptWhen = ({ stderr }: { stderr: string }): boolean => stderr.includes('3/');
    const { code, stdout } = await runCli(['what-if', ...PID], { ...fakeProc(), terminal: 120, interruptWhen });
    expect(code).toBe(130);
    expect(stdout).toContain('PARTIAL: interrupted after 2 variants');
  });

  it.each([
    [[], 2, 'name a snapshot file or give --pid N'],
    [['x', '--pid', '1'], 2, 'one of the two'],
    [['examples/quickstart.yaml'], 2, 'thplab compare examples/quickstart.yaml'],
    [[...PID, '--kernels', 'merged,damon-rfc'], 2, 'kernel damon-rfc is not modelled'],
    [[...PID, '--choose', '9'], 2, '--choose 9 names no row'],
    [[...PID, '--set', 'enabled=maybe'], 2, 'one of always, madvise, never'],
    [['--pid', '4243'], 3, '"ps -e" lists the processes'],
    [['no-such-file'], 3, 'cannot be read: no such file'],
  ])('refuses %j', async (args, expected, message) => {
    const { code, stdout, stderr } = await runCli(['what-if', ...args], fakeProc());
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toContain(message);
  });
});

it.skipIf(process.platform !== 'linux')('what-if looks at the process that the test runs in', async () => {
  const { code, stdout } = await runCli(['what-if', '--pid', String(process.pid), '--set', 'enabled=always', '--json']);
  expect(code).toBe(0);
  const { variants, partial } = JSON.parse(stdout);
  expect(partial).toBe(false);
  expect(variants.length).toBe(2);
  expect(variants[0].before.rss).toBeGreaterThan(2 ** 24);
  expect(variants[1].after.anonHuge).toBeGreaterThanOrEqual(variants[1].before.anonHuge);
});
