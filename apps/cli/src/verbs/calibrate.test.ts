import { loadLibc } from '@thplab/live-kernel';
import { parseCostFile, UNSEEN } from '@thplab/scenario';
import { describe, expect, it } from 'vitest';
import { folderWith, runCli } from '../testing/run-cli.js';

const COSTS = 'format: thplab/costs@1\nmachine: m\nkernel: k\ncosts: {copyPage: 6.5us}\n';
const SCENARIO = `format: thplab/scenario@1
name: x
machine: { memory: 64M }
sysfs: { enabled: always }
processes: [{ name: app, vmas: [{ name: heap, size: 4M, populate: full }] }]
run: { until: { fullScans: 1 }, atMost: 60s }
`;

describe('--costs', () => {
  it('changes virtual times and nothing else', async () => {
    const cwd = folderWith({ 'x.yaml': SCENARIO, 'costs.yaml': COSTS });
    const [plain, dear] = await Promise.all([
      runCli(['run', 'x.yaml', '--json'], { cwd }),
      runCli(['run', 'x.yaml', '--json', '--costs', 'costs.yaml'], { cwd }),
    ]);
    expect([plain.code, dear.code]).toEqual([0, 0]);
    const [a, b] = [JSON.parse(plain.stdout), JSON.parse(dear.stdout)];
    expect(b.khugepaged.cpuNs).toBeGreaterThan(2 * a.khugepaged.cpuNs);
    expect(b.processes.map(({ rss }: { rss: number }) => rss)).toEqual(
      a.processes.map(({ rss }: { rss: number }) => rss),
    );
  });

  it.each(['run', 'explain', 'compare'])('of %s is refused at its place when it is no cost file', async (verb) => {
    const vary = verb === 'compare' ? ['--vary', 'defrag=always,never'] : [];
    const done = await runCli([verb, 'x.yaml', ...vary, '--costs', 'bad.yaml'], {
      cwd: folderWith({ 'x.yaml': SCENARIO, 'bad.yaml': COSTS.replace('copyPage', 'copyPages') }),
    });
    expect(done).toMatchObject({ code: 3, stderr: 'bad.yaml:4:9: "copyPages" is no cost; did you mean copyPage?\n' });
  });

  it('of calibrate is for --check only', async () => {
    expect(await runCli(['calibrate', '--costs', 'x'], {})).toMatchObject({ code: 2 });
  });
});

const { missing } = await loadLibc();

describe('calibrate on this machine', () => {
  const reason = missing === undefined ? '' : ` (skipped: ${missing})`;
  it.skipIf(missing !== undefined)(
    `writes a cost file that --check reads and tries on memory it has not seen${reason}`,
    async () => {
      const made = await runCli(['calibrate', '--quiet'], {});
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const file = parseCostFile(made.stdout);
      expect(Object.keys(file.costs)).toContain('copyPage');
      const checked = await runCli(['calibrate', '--check', '--costs', 'costs.yaml', '--json'], {
        cwd: folderWith({ 'costs.yaml': made.stdout }),
      });
      // How near it comes depends on what else this machine does meanwhile: that is not for a test to judge.
      expect([0, 1]).toContain(checked.code);
      const { rows } = JSON.parse(checked.stdout);
      expect(rows.map(({ workload }: { workload: string }) => workload)).toEqual(UNSEEN.map(({ name }) => name));
      for (const { predictedNs, measuredNs } of rows) expect(Math.min(predictedNs, measuredNs)).toBeGreaterThan(1000);
    },
  );
});
