import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectGolden } from '../../testing/golden.js';
import { folderWith, runCli } from '../../testing/run-cli.js';

const SCENARIO = `format: thplab/scenario@1
name: two phases
machine: { memory: 256M, tlb: kunpeng920 }
sysfs: { enabled: always }
processes:
  - name: app
    vmas:
      - { name: low, size: 8M, populate: full }
      - { name: high, size: 8M, populate: { order: 9 } }
workload: [{ process: app, masim: phases.cfg, rate: 200k }]
run: { for: 2s, khugepaged: false }
expect: { tlb: { process: app, hitRate: ">= 50%" } }
`;
const PHASES = `# two regions
low, 8388608
high, 8388608

first
500
low, 1, 64, 3
high, 0, 4096, 1, ro

second
1500
high, 1, 64, 1
`;

describe('run with a workload', () => {
  it('says what address translation did, for masim phases', async () => {
    const cwd = folderWith({ 'scenario.yaml': SCENARIO, 'phases.cfg': PHASES });
    const { code, stdout, stderr } = await runCli(['run', 'scenario.yaml'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'run.workload', stdout);
  });

  it('tells where a masim configuration is wrong, and where it is named', async () => {
    const wrong = PHASES.replace('high, 1, 64, 1', 'heigh, 1, 64, 1');
    const cwd = folderWith({ 'scenario.yaml': SCENARIO, 'phases.cfg': wrong });
    const { code, stderr } = await runCli(['run', 'scenario.yaml'], { cwd });
    expect(code).toBe(3);
    expect(stderr).toContain(
      'scenario.yaml:10:35: phases.cfg:12:1: there is no region "heigh"; the file defines low, high',
    );
  });

  it('tells where a file is named that is not there, or is none', async () => {
    const cwd = folderWith({ 'scenario.yaml': SCENARIO });
    const missing = await runCli(['run', 'scenario.yaml'], { cwd });
    expect(missing.code).toBe(3);
    expect(missing.stderr).toContain('scenario.yaml:10:35: phases.cfg cannot be read: no such file');
    writeFileSync(join(cwd, 'record.yaml'), SCENARIO.replace('masim: phases.cfg, rate: 200k', 'record: scenario.yaml'));
    const record = await runCli(['run', 'record.yaml'], { cwd });
    expect(record.code).toBe(3);
    expect(record.stderr).toContain('record.yaml:10:36: scenario.yaml:1:1');
  });

  it('replays a record of damo', async () => {
    const region = (start: number, end: number, samples: number): unknown => ({
      start: `${0x40000000 + start * 2 ** 20}`,
      end: `${0x40000000 + end * 2 ** 20}`,
      nr_accesses: { samples, percent: samples * 5 },
      age: { usec: '0 us', aggr_intervals: '0' },
      probe_hits: [],
      sz_filter_passed: '0 B',
    });
    const record = [
      {
        kdamond_idx: 0,
        context_idx: 0,
        intervals: { sample_us: '5 ms', aggr_us: '100 ms', ops_update_us: '1 s' },
        scheme_idx: 0,
        target_id: 1,
        scheme_filters: [],
        snapshots: [
          { start_time: '0', end_time: '100000000', total_bytes: '1', regions: [region(0, 4, 20), region(4, 8, 0)] },
          { start_time: '100000000', end_time: '200000000', total_bytes: '1', regions: [region(0, 8, 5)] },
        ],
      },
    ];
    const scenario = SCENARIO.replace('name: low, size: 8M', 'name: low, size: 8M, at: "0x40000000"')
      .replace('masim: phases.cfg, rate: 200k', 'record: damon.json')
      .replace('hitRate: ">= 50%"', 'hitRate: ">= 0%"');
    const cwd = folderWith({ 'scenario.yaml': scenario, 'damon.json': JSON.stringify(record) });
    const { stdout } = await runCli(['run', 'scenario.yaml', '--json'], { cwd });
    // 20 sweeps of 1024 pages, then 5 of 2048.
    const { accesses } = JSON.parse(stdout).processes[0].tlb;
    expect(Math.abs(accesses - (20 * 1024 + 5 * 2048))).toBeLessThan(50);
  });
});
