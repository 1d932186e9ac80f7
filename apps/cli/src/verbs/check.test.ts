import { describe, expect, it } from 'vitest';
import { expectGolden } from '../testing/golden.js';
import { repositoryFile, runCli } from '../testing/run-cli.js';

const B7 = 'examples/check/b07-rmap-empty-pmd.yaml';
const B1 = 'examples/check/b01-stale-vma.yaml';

describe('thplab check', () => {
  it('shows the schedule that breaks a faulty variant', async () => {
    const { code, stdout, stderr } = await runCli(['check', B7]);
    expect([code, stderr]).toEqual([1, '']);
    expectGolden(import.meta.dirname, 'check.fail', stdout);
  });

  it('says what was covered when nothing breaks', async () => {
    const { code, stdout } = await runCli(['check', B7, '--fixed']);
    expect(code).toBe(0);
    expectGolden(import.meta.dirname, 'check.pass', stdout);
  });

  it('prints the command that replays a failure, which gives the same failure', async () => {
    const { stdout } = await runCli(['check', B7]);
    const line = /^replay: thplab (.*)$/m.exec(stdout)?.[1] ?? '';
    const again = await runCli(line.split(' '));
    expect(again.code).toBe(1);
    const rows = (text: string): string => text.slice(text.indexOf('step '), text.indexOf('replay:'));
    expect(rows(again.stdout)).toBe(rows(stdout));
  });

  it.each(['pct', 'random'])('%s samples, and says so', async (strategy) => {
    const { code, stdout } = await runCli(['check', B1, '--fixed', '--strategy', strategy, '--max-schedules', '50']);
    expect(code).toBe(0);
    expect(stdout).toContain(`PASS  50 sampled schedules keep all invariants (${strategy}, seed 1)`);
  });

  it('says that a bound on pre-emptions leaves schedules out', async () => {
    const { stdout } = await runCli(['check', B1, '--fixed', '--preemptions', '1']);
    expect(stdout).toContain('every schedule with at most 1 pre-emption keeps all invariants; others were not tried');
  });

  it.each([
    [['--no-reduction', '--max-schedules', '40'], 'after 40 schedules'],
    [['--no-reduction', '--time-limit', '0'], 'after 0 schedules'],
  ])('ends with 4 where a limit comes first: %j', async (options, effort) => {
    const { code, stdout } = await runCli(['check', B1, '--fixed', ...options]);
    expect(code).toBe(4);
    expect(stdout).toContain('NO VERDICT  a limit ended the search');
    expect(stdout).toContain(effort);
  });

  it('ends at Ctrl-C with what it has tried, and claims no more', async () => {
    const endless = ['check', 'examples/check/stale-pte-or-vma.yaml', '--no-reduction'];
    const interruptWhen = ({ stderr }: { stderr: string }): boolean => /[1-9]\d* schedules tried/.test(stderr);
    const { code, stdout } = await runCli(endless, { terminal: 100, interruptWhen });
    expect(code).toBe(130);
    expect(stdout).toMatch(/NO VERDICT\S* {2}interrupted after [1-9]\d* schedules, .*; nothing was found up to there/);
    const json = await runCli([...endless, '--json'], { terminal: 100, interruptWhen });
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
      130,
      { verdict: 'limit', interrupted: true, coverage: { kind: 'sampled' } },
    ]);
  });

  it('gives the result as JSON', async () => {
    const { code, stdout } = await runCli(['check', B1, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'thplab/check-result@1',
      kernel: 'v18',
      variant: { passVmaToNoneHelper: true },
      verdict: 'fail',
      failure: { kind: 'exception', name: 'KernelOopsError', preemptions: 1, fewest: true },
    });
  });

  it.each([
    [['--replay', 'zzz'], '--replay: the code is cut off'],
    [['--replay', 'AQIHCSoFpkM', '--fixed'], 'another case, another variant of it, or another version'],
    [['--max-schedules', '0'], '--max-schedules must be at least 1'],
    [['--strategy', 'pct', '--preemptions', '1'], '--preemptions is for strategy dfs, and this search is by pct'],
    [['--strategy', 'bfs'], 'Allowed choices are dfs, pct, random'],
  ])('refuses %j as wrong usage', async (options, message) => {
    const { code, stdout, stderr } = await runCli(['check', B1, ...options]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it.each([
    ['format: thplab/check@1', 'format: thplab/scenario@1', '4:9', 'expected "thplab/check@1"'],
    ['passVmaToNoneHelper', 'passVmaToNoneHelpr', '', 'no field "passVmaToNoneHelpr"'],
    ['passVmaToNoneHelper: true', 'passVmaToNoneHelper: 3', '', 'expected a boolean'],
    ['- munmap:', '- unmap:', '', 'did you mean "munmap"?'],
    ['munmap: {}', 'munmap: {vma: hep}', '', 'app has no VMA "hep"; expected one of heap'],
    ['munmap: {}', 'munmap: {page: 8}', '', 'it has 8 pages, from 0'],
    ['munmap: {}', 'munmap: {process: ap}', '', 'there is no process "ap"; expected one of app'],
  ])('a case with %s as %s is refused with its place', async (from, to, place, message) => {
    const text = repositoryFile(B1);
    expect(text).toContain(from);
    const { code, stdout, stderr } = await runCli(['check', '-'], { stdin: text.replace(from, to) });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^<stdin>:\d+:\d+: /);
    expect(stderr).toContain(`<stdin>:${place}`);
    expect(stderr).toContain(message);
  });
});
