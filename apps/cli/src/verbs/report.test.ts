/** `thplab report`: damo's records and layouts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { type DamonRecord, writeDamoRecord } from '@thplab/scenario';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../exit.js';
import { runCli } from '../testing/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'thplab-report-'));
const MiB = 2 ** 20;

const record: DamonRecord = {
  kdamond: 0,
  context: 0,
  scheme: null,
  target: 4242,
  intervals: { sampleNs: 5e6, aggregationNs: 1e8, updateNs: 1e9 },
  snapshots: [0, 1].map((at) => ({
    startNs: at * 1e8,
    endNs: (at + 1) * 1e8,
    regions: [0, 1].map((part) => ({
      start: part * 4 * MiB,
      end: (part + 1) * 4 * MiB,
      samples: part === at ? 20 : 0,
      percent: part === at ? 100 : 0,
      ageNs: 0,
      ageAggregations: 0,
      filterPassedBytes: 0,
    })),
  })),
};

beforeAll(() => {
  writeFileSync(join(folder, 'damon.data'), deflateSync(writeDamoRecord([record])));
  writeFileSync(join(folder, 'plain.json'), writeDamoRecord([record]));
  writeFileSync(join(folder, 'broken.data'), deflateSync(writeDamoRecord([record])).subarray(0, 40));
  writeFileSync(join(folder, 'binary'), Uint8Array.of(0x50, 0x45, 0xff, 0xfe, 0x00));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('thplab report', () => {
  it.each(['damon.data', 'plain.json'])('heatmap of %s: time down, addresses across', async (file) => {
    const { code, stdout } = await runCli(['report', 'heatmap', file, '--resol', '2x4'], { cwd: folder });
    expect(code).toBe(EXIT.done);
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      '8800',
      '0088',
      '# access_frequency: 0123456789 (0.000-200.000 hz)',
    ]);
    expect(stdout).toContain('# x-axis: space [0, 8388608) (8.000 MiB)');
  });

  it('draws a part', async () => {
    const part = ['--resol', '1x1', '--time-range', '100 ms-200 ms', '--address-range', '4M-8M', '--json'];
    const { stdout } = await runCli(['report', 'heatmap', 'damon.data', ...part], { cwd: folder });
    expect(JSON.parse(stdout).records[0]).toMatchObject({ heat: [200], addressRange: [4 * MiB, 8 * MiB] });
  });

  it('wss and nr_regions show short records whole, and say so', async () => {
    const wss = await runCli(['report', 'wss', 'damon.data'], { cwd: folder });
    expect(wss.stdout).toContain('# avr:\t4.000 MiB');
    expect(wss.stderr).toContain('no more than 20 snapshots');
    const together = await runCli(['report', 'wss', 'damon.data', '--work-time', '200 ms', '--skip', '0'], {
      cwd: folder,
    });
    expect(together).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(together.stdout).toContain('# avr:\t8.000 MiB');
    const regions = await runCli(['report', 'nr_regions', 'damon.data', '--skip', '1'], { cwd: folder });
    expect(regions.stdout).toContain('50\t2\n');
  });

  it('access reads lines of perf script from standard input', async () => {
    const stdin = 'kdamond.0 1 [000] 5.000000: damon:damon_aggregated: target_id=7 nr_regions=1 0-4096: 3 2\n';
    const { code, stdout } = await runCli(['report', 'access', '--raw', '-'], { stdin });
    expect(code).toBe(EXIT.done);
    expect(stdout).toContain('000000000000-000000001000 (   4.000 KiB)           3     2\n');
  });

  it.each([
    [['heatmap', 'broken.data'], EXIT.input, /^broken.data:1:1: .*cannot be inflated/],
    [['heatmap', 'binary'], EXIT.input, /^binary:1:1: neither a record of damo/],
    [['heatmap', 'nothing'], EXIT.input, /no such file/],
    [['heatmap', 'damon.data', '--resol', '0x4'], EXIT.usage, /rows by columns such as 40x80/],
    [['heatmap', 'damon.data', '--address-range', '2G-1G'], EXIT.usage, /the second the greater/],
    [['wss', 'damon.data', '--work-time', 'soon'], EXIT.usage, /a time such as "1 s"/],
    [['access', 'damon.data', '--target', '5'], EXIT.usage, /nothing of target 5/],
    [['holistic', 'damon.data'], EXIT.usage, /access, heatmap, wss, nr_regions/],
  ])('report %j ends with %i', async (args, expected, message) => {
    const { code, stdout, stderr } = await runCli(['report', ...args], { cwd: folder });
    expect(code).toBe(expected);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  it('refuses damaged records with line and reason', async () => {
    const stdin = writeDamoRecord([record]).replace('"end_time":"100000000"', '"end_time":"never"');
    const { code, stderr } = await runCli(['report', 'wss', '-'], { stdin });
    expect(code).toBe(EXIT.input);
    expect(stderr).toMatch(/^<stdin>:1:\d+: \[0\].snapshots\[0\].end_time: "never" is not a time/);
  });
});
