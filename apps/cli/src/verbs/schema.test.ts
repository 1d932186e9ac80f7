import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectGolden } from '../testing/golden.js';
import { folderWith, repositoryFile, runCli } from '../testing/run-cli.js';

it('schema prints the schema file of the scenario package', async () => {
  const { code, stdout } = await runCli(['schema']);
  expect(code).toBe(0);
  expect(stdout).toBe(repositoryFile('packages/scenario/schema/scenario-1.schema.json'));
  const { properties, ...head } = JSON.parse(stdout);
  expectGolden(import.meta.dirname, 'schema.head', `${Object.keys(properties).join('\n')}\n${head.$schema}\n`);
});

it('schema -o writes the file whole', async () => {
  const cwd = folderWith({ 's.json': 'old' });
  expect(await runCli(['schema', '-o', 's.json'], { cwd })).toMatchObject({ code: 0, stdout: '' });
  expect(JSON.parse(readFileSync(join(cwd, 's.json'), 'utf8')).title).toBe('thplab scenario');
});
