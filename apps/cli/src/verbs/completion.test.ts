import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { VERBS } from '../catalogue.js';
import { expectGolden } from '../testing/golden.js';
import { runCli } from '../testing/run-cli.js';

describe.each(['bash', 'zsh', 'fish'])('completion %s', (shell) => {
  it('is as kept', async () => {
    const { code, stdout } = await runCli(['completion', shell]);
    expect(code).toBe(0);
    expectGolden(import.meta.dirname, `completion.${shell}`, stdout);
  });

  it('knows every verb', async () => {
    const { stdout } = await runCli(['completion', shell]);
    for (const { name } of VERBS) expect(stdout).toContain(name);
  });

  const found = spawnSync(shell, ['--version']).status === 0;
  it.skipIf(!found)(`is read by ${shell} without an error`, async () => {
    const { stdout } = await runCli(['completion', shell]);
    const { status, stderr } = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('bash completes', () => {
  const found = spawnSync('bash', ['--version']).status === 0;
  const complete = async (...words: string[]): Promise<string[]> => {
    const { stdout: script } = await runCli(['completion', 'bash']);
    const list = words.map((word) => `'${word}'`).join(' ');
    const program = `${script}\nCOMP_WORDS=(thplab ${list}); COMP_CWORD=${words.length}; _thplab; printf '%s\\n' "\${COMPREPLY[@]}"\n`;
    return spawnSync('bash', ['--norc'], { input: program, encoding: 'utf8' }).stdout.trim().split('\n');
  };

  it.skipIf(!found).each([
    [['va'], 'validate'],
    [['validate', '--js'], '--json'],
    [['sysfs', 'exp'], 'export'],
    [['sysfs', 'tree', '--kernel', 'v6.1'], 'v6.18'],
    [['completion', 'fi'], 'fish'],
  ])('%s to %s', async (words, expected) => {
    expect(await complete(...words)).toContain(expected);
  });
});
