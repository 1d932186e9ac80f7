import { describe, expect, it } from 'vitest';
import { FAKE_PID, fakeProc } from '../testing/fake-proc.js';
import { expectGolden } from '../testing/golden.js';
import { folderWith, runCli } from '../testing/run-cli.js';

describe('cover', () => {
  it('holds the walks of eight kernels against the optimum on made-up tables', async () => {
    const { code, stdout, stderr } = await runCli(['cover', '--tables', '60']);
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'cover', stdout);
  });

  it('shows the worst table of each', async () => {
    const args = [
      'cover',
      '--kernel',
      'dev-v1,merged',
      '--max-ptes-none',
      '0',
      '--tables',
      '30',
      '--pattern',
      'runs',
      '--show',
    ];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    expectGolden(import.meta.dirname, 'cover.show', stdout);
    expect((await runCli(args.map((word) => (word === '--show' ? '--why' : word)))).stdout).toBe(stdout);
  });

  it('takes the tables of a scenario as it begins', async () => {
    const { code, stdout } = await runCli(['cover', 'examples/mthp-only.yaml', '--kernel', 'v12,merged', '--show']);
    expect(code).toBe(0);
    expectGolden(import.meta.dirname, 'cover.scenario', stdout);
  });

  it('looks at tables that sysfs allows no size for, if the orders are given', async () => {
    const args = ['cover', 'examples/madvise-collapse-errnos.yaml', '--orders', '2-9', '--kernel', 'merged', '--json'];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).kernels[0].tables).toBeGreaterThan(5);
  });

  it('takes those of a captured process', async () => {
    const cwd = folderWith({});
    await runCli(['capture', '--pid', String(FAKE_PID), '-o', 'app.thpsnap', '-q'], { cwd, ...fakeProc() });
    const args = ['cover', 'app.thpsnap', '--kernel', 'merged', '--orders', '4,9', '--max-ptes-none', '0', '--json'];
    const { code, stdout, stderr } = await runCli(args, { cwd });
    expect([code, stderr]).toEqual([0, '']);
    const document = JSON.parse(stdout);
    expect(document.kernels).toMatchObject([{ kernel: 'merged', below: 0 }]);
    expect(document.kernels[0].tables).toBeGreaterThan(0);
  });

  it('is the same at every run, and other tables with another seed', async () => {
    const args = ['cover', '--tables', '40', '--ndjson', '--kernel', 'v12'];
    const [one, two, other] = [await runCli(args), await runCli(args), await runCli([...args, '--seed', '2'])];
    expect(one?.stdout).toBe(two?.stdout);
    expect(one?.stdout).not.toBe(other?.stdout);
  });

  it('prefers less memory if told so', async () => {
    const args = ['cover', '--tables', '20', '--max-ptes-none', '511', '--kernel', 'merged', '--json'];
    const of = async (goal: string): Promise<{ optimumAdded: number; covered: number; optimum: number }> =>
      JSON.parse((await runCli([...args, '--goal', goal])).stdout).kernels[0];
    const [fewest, leanest] = [await of('fewest'), await of('leanest')];
    expect(leanest.optimumAdded).toBeLessThan(fewest.optimumAdded);
    expect([leanest.optimum, leanest.covered]).toEqual([fewest.optimum, fewest.covered]);
  });

  it('ends at Ctrl-C with the kernels that are done', async () => {
    const interruptWhen = ({ stderr }: { stderr: string }): boolean => stderr.includes('2/2');
    const args = ['cover', '--tables', '300', '--kernel', 'v12,merged'];
    const { code, stdout } = await runCli(args, { terminal: 100, interruptWhen });
    expect(code).toBe(130);
    expect(stdout).toContain('PARTIAL: interrupted after 1 kernel');
  });

  it.each([
    [2, ['--density', '2'], 'expected a share from 0 to 1'],
    [2, ['--tables', '0'], 'expected 1 to 1,000,000'],
    [2, ['--max-ptes-none', '0-3'], 'one value at a time'],
    [2, ['--max-ptes-none', '512'], 'not within 0 to 511'],
    [2, ['--kernel', 'v19'], 'no kernel profile'],
    [2, ['examples/mthp-only.yaml', '--tables', '5'], '--tables is for made-up tables'],
    [3, ['examples/madvise-collapse-errnos.yaml'], 'no page table holds a page that khugepaged may collapse'],
    [3, ['nothing.yaml'], 'nothing.yaml'],
  ])('ends with %i for %j', async (expected, args, message) => {
    const { code, stdout, stderr } = await runCli(['cover', ...args]);
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toContain(message);
  });
});
