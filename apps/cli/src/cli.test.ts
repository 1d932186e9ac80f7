import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VERBS } from './catalogue.js';
import { expectGolden } from './testing/golden.js';
import { repository, runCli } from './testing/run-cli.js';

describe('thplab --help', () => {
  it('shows the verbs by question', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'cli.help', stdout);
  });

  it('is on stderr when nothing was asked, which is wrong usage', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: thplab <verb> [options]');
  });

  it('has the version', async () => {
    const { stdout } = await runCli(['--version']);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

const SUBCOMMANDS = ['tree', 'get', 'set', 'diff', 'export'].map((name) => ['sysfs', name]);

describe.each([...VERBS.map(({ name }) => [name]), ...SUBCOMMANDS])('%s %s', (...path) => {
  const words = path.filter((word) => word !== undefined);

  it('--help starts with two to four examples', async () => {
    const { code, stdout } = await runCli([...words, '--help']);
    expect(code).toBe(0);
    const [head, ...lines] = stdout.split('\n');
    expect(head).toBe('Examples');
    const count = lines.indexOf('');
    expect(count).toBeGreaterThanOrEqual(2);
    expect(count).toBeLessThanOrEqual(4);
    expect(lines[0]).toContain('thplab');
  });

  it('a wrong option is wrong usage, with the nearest one', async () => {
    const { code, stdout, stderr } = await runCli([...words, '--hepl']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain("unknown option '--hepl'; did you mean --help?");
    expect(stderr).toContain(`usage: thplab ${words.join(' ')}`);
  });
});

describe('wrong usage', () => {
  it.each([
    [['rnu'], "unknown verb 'rnu'; did you mean run?"],
    [['sysfs', 'tre'], "unknown command 'tre'; did you mean tree?"],
    [['validate'], "missing required argument 'file'"],
    [['schema', 'x'], 'too many arguments'],
    [['schema', '-o'], "option '-o, --output <file>' argument missing"],
    [['sysfs', 'tree', '--kernel', 'v7'], 'Allowed choices are v6.13'],
    [['sysfs', 'tree', '--json', '--ndjson'], "'--json' cannot be used with option '--ndjson'"],
    [['schema', '-o', 'no/such/folder/file'], 'cannot be written (ENOENT)'],
    [['schema', '-o', 'examples'], 'examples is a folder'],
  ])('%j: %s', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^thplab: /);
    expect(stderr).toContain(message);
  });
});

describe('colours', () => {
  const ESCAPE = '\u001b[';

  it.each([
    ['are for terminals', { terminal: 80 }, true],
    ['are not for files and pipes', {}, false],
    ['obey NO_COLOR', { terminal: 80, env: { NO_COLOR: '1' } }, false],
    ['obey an empty NO_COLOR as if it were not there', { terminal: 80, env: { NO_COLOR: '' } }, true],
    ['obey FORCE_COLOR', { env: { FORCE_COLOR: '1' } }, true],
    ['obey NO_COLOR before FORCE_COLOR', { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }, false],
    ['obey FORCE_COLOR=0', { terminal: 80, env: { FORCE_COLOR: '0' } }, false],
    ['are not for dumb terminals', { terminal: 80, env: { TERM: 'dumb' } }, false],
  ])('%s', async (_fact, options, expected) => {
    const { stdout } = await runCli(['sysfs', 'tree', 'khugepaged'], options);
    expect(stdout.includes(ESCAPE)).toBe(expected);
    const help = await runCli(['sysfs', '--help'], options);
    expect(help.stdout.includes(ESCAPE)).toBe(expected);
  });
});

it('a defect in thplab is 70, with the command that repeats it and where to report', async () => {
  const defect = new TypeError('x is not a function');
  const { code, stdout, stderr } = await runCli(['sysfs', 'set', 'enabled=always '], { defect });
  expect([code, stdout]).toEqual([70, '']);
  expect(stderr).toContain('thplab: a defect in thplab, not in your input:\nTypeError: x is not a function');
  expect(stderr).toContain("repeat: thplab sysfs set 'enabled=always '\n");
  expect(stderr).toContain('report: ');
});

describe('built', () => {
  const program = join(repository, 'apps/cli/dist/main.js');
  const run = (command: string) =>
    spawnSync('sh', ['-c', command], { encoding: 'utf8', env: { ...process.env, PROGRAM: program } });

  it.skipIf(!existsSync(program))('it ends with the exit code', () => {
    const node = `'${process.execPath}' "$PROGRAM"`;
    expect(run(`${node} --help`)).toMatchObject({ status: 0, stderr: '' });
    expect(run(`${node} nonsense`)).toMatchObject({ status: 2, stdout: '' });
    expect(run(`echo format: x | ${node} validate -`).status).toBe(3);
  });

  it.skipIf(!existsSync(program))('it is quiet when nobody reads on', () => {
    const { stdout, stderr } = run(`'${process.execPath}' "$PROGRAM" sysfs tree --docs --json | head -n 1`);
    expect([stdout, stderr]).toEqual(['{\n', '']);
  });
});
