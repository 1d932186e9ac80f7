import { describe, expect, it } from 'vitest';
import { expectGolden } from '../testing/golden.js';
import { runCli } from '../testing/run-cli.js';

describe('creep', () => {
  it('proves that the merged kernel does not climb', async () => {
    const { code, stdout, stderr } = await runCli(['creep']);
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'creep', stdout);
  });

  it('shows which settings climb, and one case scan by scan', async () => {
    const { code, stdout, stderr } = await runCli([
      'creep',
      '--kernel',
      'v12',
      '--kernel',
      'dev-v1,merged',
      '--ptes',
      '8',
    ]);
    expect([code, stderr]).toEqual([1, '']);
    expectGolden(import.meta.dirname, 'creep.kernels', stdout);
  });

  it('samples tables of 512 entries, and the case it shows can be repeated alone', async () => {
    const args = [
      'creep',
      '--kernel',
      'dev-v1',
      '--ptes',
      '512',
      '--max-ptes-none',
      '255-257,511',
      '--orders',
      '7-9',
      '--samples',
      '5',
    ];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(1);
    expectGolden(import.meta.dirname, 'creep.512', stdout);
    const repeat = /repeat: thplab (.*)/.exec(stdout)?.[1]?.split(' ') ?? [];
    const again = await runCli(repeat);
    expect(again.code).toBe(1);
    const from = (text: string): string => text.slice(text.indexOf('for instance'));
    expect(from(again.stdout)).toBe(from(stdout));
  });

  it('prints data: verdicts, and the case as tables', async () => {
    const { code, stdout } = await runCli([
      'creep',
      '--kernel',
      'v12',
      '--max-ptes-none',
      '4',
      '--orders',
      '2-4',
      '--json',
    ]);
    expect(code).toBe(1);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ format: 'thplab/creep@1', ptes: 16, partial: false });
    const [kernel] = document.kernels;
    expect(kernel).toMatchObject({ kernel: 'v12', creeps: true, proof: 'every table', orderSets: [[2, 3, 4]] });
    expect(kernel.rows).toMatchObject([{ maxPtesNone: 4, verdict: 'together', cases: 65_536 }]);
    expect(kernel.example.scans.at(-1).table).toBe('4444444444444444');
    const lines = (await runCli(['creep', '--kernel', 'v17,v18', '--ptes', '8', '--ndjson'])).stdout
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line).creeps)).toEqual([false, false]);
  });

  it('tells greedy orders apart', async () => {
    const greedy = ['creep', '--kernel', 'rfc-v2', '--max-ptes-none', '12', '--orders', '3,4'];
    expect((await runCli(greedy)).stdout).not.toBe((await runCli([...greedy, '--always'])).stdout);
  });

  it('ends at Ctrl-C with what it knows', async () => {
    const interruptWhen = ({ stderr }: { stderr: string }): boolean => stderr.includes('50%');
    const { code, stdout } = await runCli(['creep', '--kernel', 'v12'], { terminal: 100, interruptWhen });
    expect(code).toBe(130);
    expect(stdout).toContain('PARTIAL');
    expect(stdout).toContain('as far as it came');
  });

  it.each([
    [['--kernel', 'v7'], 'no kernel profile is called "v7"'],
    [['--kernel', 'damon-rfc'], 'is not modelled'],
    [['--ptes', '32'], 'Allowed choices are 8, 16, 512'],
    [['--max-ptes-none', '16'], '16 is not within 0 to 15'],
    [['--max-ptes-none', '4-'], 'no number and no range'],
    [['--orders', '2,5'], '5 is not within 2 to 4'],
    [['--orders', ''], 'no number and no range'],
    [['--samples', '-1'], 'whole number'],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['creep', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
