import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { readDamoRecord } from '@thplab/scenario';
import { describe, expect, it } from 'vitest';
import { folderWith, runCli } from '../testing/run-cli.js';

const GROW = `format: thplab/scenario@1
name: grow
machine: { memory: 256M }
processes: [{ name: app, vmas: [{ name: heap, size: 8M, at: "0x40000000", populate: full }] }]
damon:
  - operations: fvaddr
    targets: [{ process: app, ranges: { vma: heap } }]
    schemes: [{ name: grow, action: collapse, size: ">= 2M", accesses: ">= 50%", quota: { size: 8M } }]
run: { for: 300ms }
`;

describe("DAMON's files on the command line", () => {
  it('are listed with N for numbers of folders', async () => {
    const { stdout } = await runCli(['sysfs', 'tree', 'damon', '--kernel', 'v6.18']);
    expect(stdout).toContain('-rw-------  kdamonds/N/contexts/N/operations');
    expect(stdout).not.toContain('target_order');
    const rfc = await runCli(['sysfs', 'tree', 'damon/admin/kdamonds/0/contexts/0/schemes/0', '--kernel', 'damon-rfc']);
    expect(rfc.stdout).toContain('target_order');
    const json = JSON.parse((await runCli(['sysfs', 'tree', 'damon', '--json'])).stdout);
    expect(json.nodes.find(({ path }: { path: string }) => path.endsWith('/sample_us'))).toMatchObject({
      read: '5000',
      unit: 'us',
      mode: '0600',
    });
  });

  it('are read and explained', async () => {
    expect((await runCli(['sysfs', 'get', 'damon/admin/kdamonds/0/contexts/0/operations'])).stdout).toBe('vaddr\n');
    const { stdout } = await runCli(['sysfs', 'get', '-l', 'damon/admin/kdamonds/0/state']);
    expect(stdout).toContain('one of on, off, commit');
    const bad = await runCli(['sysfs', 'get', 'damon/admin/kdamonds/0/contexts/0/operation']);
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain('did you mean damon/admin/kdamonds/N/contexts/N/operations?');
  });

  it('answer writes one after the other', async () => {
    const at = 'damon/admin/kdamonds';
    const { stdout, code } = await runCli([
      'sysfs',
      'set',
      `${at}/0/state=on`,
      `${at}/nr_kdamonds=1`,
      `${at}/0/contexts/nr_contexts=2`,
      `${at}/0/contexts/nr_contexts=1`,
      `${at}/0/contexts/0/operations=paddr`,
      `${at}/0/state=on`,
    ]);
    expect(code).toBe(1);
    expect(stdout.match(/: (ok|[A-Z]+)/g)).toEqual([': ENOENT', ': ok', ': EINVAL', ': ok', ': ok', ': ok']);
    expect(stdout).toContain('nr_kdamonds is 0');
  });

  it("of a scenario's kdamonds become lines for a real machine", async () => {
    const cwd = folderWith({ 'grow.yaml': GROW });
    const { stdout } = await runCli(['sysfs', 'export', 'grow.yaml'], { cwd });
    expect(stdout).toContain('echo 1 > /sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds\n');
    expect(stdout).toContain('echo "$(pidof -s app)" > ');
    expect(stdout).toContain('/schemes/0/action\n');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('echo on > /sys/kernel/mm/damon/admin/kdamonds/0/state');
  });

  it('or a damo document, which can be run again', async () => {
    const cwd = folderWith({ 'grow.yaml': GROW });
    const { stdout } = await runCli(['sysfs', 'export', 'grow.yaml', '--damo'], { cwd });
    const { kdamonds } = JSON.parse(stdout);
    expect(kdamonds[0].contexts[0].schemes[0]).toMatchObject({
      action: 'collapse',
      access_pattern: { sz_bytes: { min: '2.000 MiB', max: 'max' }, nr_accesses: { min: '50 %', max: '100 %' } },
      quotas: { sz_bytes: '8.000 MiB', reset_interval_ms: '1 s' },
    });
    const again = `${GROW.slice(0, GROW.indexOf('damon:'))}damon: { damo: k.json }\nrun: { for: 300ms }\n`;
    const other = folderWith({ 'grow.yaml': again, 'k.json': stdout });
    const run = await runCli(['run', 'grow.yaml', '--json'], { cwd: other });
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout).damon[0].schemes[0].action).toBe('collapse');
  });

  it('a bad document is an error with its place', async () => {
    const scenario = GROW.slice(0, GROW.indexOf('damon:'));
    const cwd = folderWith({
      'a.yaml': `${scenario}damon: { damo: k.json }\n`,
      'b.yaml': `${scenario}damon: { damo: nothing.json }\n`,
      'k.json': '{"kdamonds":[{"contexts":[{"ops":"vadr","targets":[]}]}]}',
    });
    const bad = await runCli(['run', 'a.yaml'], { cwd });
    expect(bad.code).toBe(3);
    expect(bad.stderr).toMatch(/k\.json:1:\d+: ops "vadr" is not known here; did you mean vaddr\?/);
    const missing = await runCli(['run', 'b.yaml'], { cwd });
    expect(missing.code).toBe(3);
    expect(missing.stderr).toMatch(/b\.yaml:5:\d+: .*nothing\.json cannot be read: no such file/);
  });

  it('can be set and varied by the names of schemes', async () => {
    const cwd = folderWith({ 'grow.yaml': GROW });
    const args = ['compare', 'grow.yaml', '--vary', 'damon/grow/quotas/bytes=0,2097152', '-m', 'huge'];
    const { stdout, stderr } = await runCli(args, { cwd });
    expect(stderr).toBe('');
    expect(stdout).toContain('bytes=2097152');
    const bad = await runCli(['run', 'grow.yaml', '--set', 'damon/grow/quotas/byte=1'], { cwd });
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain('did you mean');
  });

  it('records what DAMON saw as damo does', async () => {
    const cwd = folderWith({ 'grow.yaml': GROW });
    const { code } = await runCli(['run', 'grow.yaml', '--damo-record', 'damon.data'], { cwd });
    expect(code).toBe(0);
    const [record] = readDamoRecord(inflateSync(readFileSync(join(cwd, 'damon.data'))).toString('utf8'));
    expect(record).toMatchObject({ kdamond: 0, target: 1000, intervals: { sampleNs: 5e6, aggregationNs: 100e6 } });
    expect(record?.snapshots).toHaveLength(2);
    const sizes = record?.snapshots.map(({ regions }) => regions.reduce((sum, { start, end }) => sum + end - start, 0));
    expect(sizes).toEqual([8 * 2 ** 20, 8 * 2 ** 20]);
    const none = await runCli(['run', 'none.yaml', '--damo-record', 'x'], {
      cwd: folderWith({ 'none.yaml': GROW.replace(/damon:[\s\S]*(?=run:)/, '') }),
    });
    expect(none.code).toBe(3);
    expect(none.stderr).toContain('see the key damon');
  });
});
