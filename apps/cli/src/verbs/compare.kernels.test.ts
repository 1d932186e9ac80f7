/**
 * Every kernel that is modelled, on every example. The examples are made smaller and cut short here: what is tested is that each
 * generation runs on each kind of memory and event, not what comes of it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATIONS } from '@thplab/mthp-collapse';
import { describe, expect, it } from 'vitest';
import { repository, repositoryFile, runCli } from '../testing/run-cli.js';

const EXAMPLES = readdirSync(join(repository, 'examples')).filter((name) => name.endsWith('.yaml'));
const KERNELS = GENERATIONS.map(({ name }) => name);

/** Sizes that are only there to be large, and smaller ones in their place. */
const SMALLER: readonly (readonly [pattern: RegExp, size: string])[] = [
  [/count: 12/, 'count: 3'],
  [/memory: 144G/, 'memory: 256M'],
  [/size: 64G/, 'size: 64M'],
  [/memory: 1G/, 'memory: 192M'],
  [/memory: 2G/, 'memory: 384M'],
  [/memory: 512M/, 'memory: 128M'],
  [/size: (128M|64M)/g, 'size: 8M'],
  [/size: 32M/g, 'size: 4M'],
];
/** Tables of 8192 entries are slow to work on: the first of them are enough. */
const UNTIL: Readonly<Record<string, string>> = { 'base-64k.yaml': '200us' };

describe.each(EXAMPLES)('compare of all kernels on %s', (name) => {
  it('has a row for each', { timeout: 60_000 }, async () => {
    const stdin = SMALLER.reduce(
      (text, [pattern, size]) => text.replace(pattern, size),
      repositoryFile(`examples/${name}`),
    );
    const args = ['compare', '-', '--kernels', KERNELS.join(','), '--until', UNTIL[name] ?? '20ms', '--json', '-q'];
    const { code, stdout, stderr } = await runCli(args, { stdin, cwd: join(repository, 'examples') });
    expect([code, stderr]).toEqual([0, '']);
    const rows = JSON.parse(stdout).variants as { readonly kernel: string }[];
    expect(rows.map(({ kernel }) => kernel)).toEqual(KERNELS);
  });
});

describe('compare of kernels of which one refuses the scenario', () => {
  it('names the place in the file, and the kernel', async () => {
    // Without a profile, DAMON is that of the kernel.
    const stdin = repositoryFile('examples/damon/grow.yaml').replace('  profile: mm-2026\n', '');
    const { code, stdout, stderr } = await runCli(['compare', '-', '--kernels', 'merged,v12', '--until', '1ms'], {
      stdin,
    });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^<stdin>:\d+:\d+: .*"collapse".*\n {2}under v12\n$/s);
  });
});

describe('compare of kernels that lack a file', () => {
  it('says which one, and that it is the scenario that wants it', async () => {
    const stdin = repositoryFile('examples/quickstart.yaml').replace(
      'sysfs:',
      'sysfs:\n  hugepages-64kB/no_such_file: 1',
    );
    const { code, stderr } = await runCli(['compare', '-', '--kernels', 'v6.13,merged'], { stdin });
    expect(code).toBe(3);
    expect(stderr).toContain('no_such_file');
  });
});
