import { describe, expect, it } from 'vitest';
import { FAKE_PID, fakeProc } from '../testing/fake-proc.js';
import { expectGolden } from '../testing/golden.js';
import { folderWith, runCli } from '../testing/run-cli.js';

const HEAP = `format: thplab/scenario@1
name: heap
machine: { memory: 256M }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 100 }
processes:
  - name: app
    vmas: [{ name: heap, size: 8M, populate: { sparse: 0.8, seed: 3 } }]
run: { for: 1s }
`;
const NONE = ['--vary', 'khugepaged/max_ptes_none=0,64,511'];

describe('compare', () => {
  it('shows a row per variant and marks what differs from the first', async () => {
    const { code, stdout, stderr } = await runCli(['compare', '-', ...NONE], { stdin: HEAP });
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'compare', stdout);
  });

  it('shows two kernels in chosen columns', async () => {
    const metrics = ['-m', 'folios', '-m', 'thp_collapse_alloc', '-m', 'khugepaged/full_scans'];
    const set = ['--set', 'khugepaged/max_ptes_none=0', '--set', 'hugepages-64kB/enabled=always'];
    const args = ['compare', '-', '--kernels', 'v6.18,merged', ...set, ...metrics];
    const { code, stdout } = await runCli(args, { stdin: HEAP.replace('{ sparse: 0.8, seed: 3 }', '"0-63,512-515"') });
    expect(code).toBe(0);
    expectGolden(import.meta.dirname, 'compare.kernels', stdout);
  });

  it('shows of kernels what they chose, tried and failed, and with --why the rule on which they part', async () => {
    const args = ['compare', 'examples/mthp-only.yaml', '--kernels', 'v12,rfc-v2,dev-v1,merged', '--why'];
    const { code, stdout, stderr } = await runCli([
      ...args,
      '--set',
      'khugepaged/max_ptes_none=255',
      '--until',
      '200ms',
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'compare.why', stdout);
  });

  it('prints where variants part as data', async () => {
    const args = ['compare', 'examples/toy-table.yaml', '--vary', 'khugepaged/max_ptes_none=0,7', '--why', '--json'];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    const { why, variants } = JSON.parse(stdout);
    expect(variants[0].attempts).toMatchObject({ '32K': { succeeded: 1 } });
    expect(why).toMatchObject([
      {
        first: 'max_ptes_none=0',
        second: 'max_ptes_none=7',
        range: 'app/heap:1',
        outcomes: ['collapsed 16K', 'collapsed 32K'],
        decision: {
          about: 'entries 0-7 as 32K',
          first: 'not tried: 6 of 8 present, 8 needed: max_ptes_none 0: 0 may be empty',
        },
      },
    ]);
  });

  it.each([
    ['v6.18,merged', 'this kernel knows the PMD order only|not looked at'],
    ['v15,v17', 'nowhere'],
    ['v12,dev-v2', 'entries 64-79 as 64K'],
  ])('says why %s part', async (kernels, text) => {
    const args = ['compare', 'examples/mthp-only.yaml', '--kernels', kernels, '--why', '--until', '200ms'];
    const { stdout } = await runCli([...args, '--set', 'khugepaged/max_ptes_none=511']);
    expect(stdout).toMatch(new RegExp(text));
  });

  it('runs every combination', async () => {
    const args = ['compare', '-', ...NONE, '--vary', 'enabled=always,never', '--kernels', 'v6.18,merged', '--ndjson'];
    const { stdout } = await runCli(args, { stdin: HEAP });
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.length).toBe(12);
    expect(rows[11]).toMatchObject({
      name: 'merged max_ptes_none=511 enabled=never',
      kernel: 'merged',
      metrics: { huge: 0 },
    });
  });

  it('says when all rows are alike', async () => {
    const { stdout } = await runCli(['compare', '-', '--vary', 'use_zero_page=0,1'], { stdin: HEAP });
    expect(stdout).toContain('all rows are alike');
    expect(stdout).not.toContain(' *');
  });

  it('prints one document, the same at every run', async () => {
    const [first, second] = [
      await runCli(['compare', '-', ...NONE, '--json'], { stdin: HEAP }),
      await runCli(['compare', '-', ...NONE, '--json'], { stdin: HEAP }),
    ];
    expect(first?.stdout).toBe(second?.stdout);
    const { variants, partial } = JSON.parse(first?.stdout ?? '');
    expect(partial).toBe(false);
    expect(variants[0].differs).toEqual([]);
    expect(variants[2].differs).toContain('extra');
  });

  it('compares variants of a captured process', async () => {
    const cwd = folderWith({});
    await runCli(['capture', '--pid', String(FAKE_PID), '-o', 'app.thpsnap', '-q'], { cwd, ...fakeProc() });
    const args = ['compare', 'app.thpsnap', '--set', 'enabled=always', ...NONE, '--kernel', 'merged'];
    const { code, stdout, stderr } = await runCli(args, { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'compare.snapshot', stdout);
  });

  it('lists its metrics', async () => {
    const { stdout } = await runCli(['compare', '-', '-m', 'help']);
    expect(stdout).toMatch(/^huge +share of resident memory/m);
  });

  it('ends at Ctrl-C with the variants that are done', async () => {
    const interruptWhen = ({ stderr }: { stderr: string }): boolean => stderr.includes('2/3');
    const stdin = HEAP.replace('for: 1s', 'for: 300s');
    const { code, stdout } = await runCli(['compare', '-', ...NONE], { stdin, terminal: 120, interruptWhen });
    expect(code).toBe(130);
    expect(stdout).toContain('PARTIAL: interrupted after 1 of 3 variants');
    expect(stdout).toContain('max_ptes_none=0');
    expect(stdout).not.toContain('max_ptes_none=64');
  });

  it.each([
    [[], 'nothing is varied'],
    [['--kernels', 'merged,v7'], 'no kernel profile is called "v7"'],
    [['--vary', 'enabled'], 'PATH=VALUE,VALUE'],
    [[...NONE, '-m', 'hugh'], 'did you mean huge?'],
    [[...NONE, '--why', '--ndjson'], 'give --json'],
    [['--kernels', 'merged', '--why'], '--why needs two variants'],
    [['--vary', `khugepaged/pages_to_scan=${Array.from({ length: 65 }, (_, i) => i + 1)}`], 'at most 64'],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['compare', '-', ...args], { stdin: HEAP });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
