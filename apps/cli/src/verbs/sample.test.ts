/** Samples of a run, and what the importer makes of them: the way round. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../exit.js';
import { runCli } from '../testing/run-cli.js';

const SPARSE = `
format: thplab/scenario@1
name: sparse and dense
machine: { memory: 128M }
sysfs: { enabled: always }
processes:
  - name: app
    vmas:
      - { name: sparse, at: 0x7f0000000000, size: 16M, populate: { order: 9 } }
      - { name: dense, at: 0x7f1000000000, size: 4M, populate: { order: 9 } }
workload:
  - { process: app, vma: sparse, pattern: onePerBlock, rate: 100k }
  - { process: app, vma: dense, pattern: uniform, rate: 500k }
run: { for: 1s, khugepaged: false }
`;

describe('thplab sample', () => {
  it('and import find the sparse huge pages of a run, by virtual addresses', async () => {
    const samples = await runCli(['sample', '-', '--period', '100', '-q'], { stdin: SPARSE });
    expect(samples).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(samples.stdout.split('\n')[0]).toMatch(/^app \d+ 0\.\d{6}: memory: 7f[0-9a-f]{10} [0-9a-f]+$/);
    const found = await runCli(['import', 'perf-script', '-', '--json', '-q'], { stdin: samples.stdout });
    const { candidates, blocks } = JSON.parse(found.stdout);
    expect(blocks).toHaveLength(10);
    // All of the sparse VMA in one range, nothing of the dense one; what is one range in all is left as its blocks.
    expect(candidates.ranges).toHaveLength(8);
    for (const { startPage } of candidates.ranges) expect(startPage * 4096).toBeLessThan(0x7f0000000000 + 16 * 2 ** 20);
  });

  it('is the same each time, and loses what collides', async () => {
    const once = await runCli(['sample', '-', '--period', '1k', '--loss', '50%'], { stdin: SPARSE });
    const again = await runCli(['sample', '-', '--period', '1k', '--loss', '0.5'], { stdin: SPARSE });
    expect(again.stdout).toBe(once.stdout);
    const count = once.stdout.split('\n').length - 1;
    expect(count).toBeGreaterThan(200);
    expect(count).toBeLessThan(400);
    expect(once.stderr).toContain(`${count} samples of 1.000 s`);
  });

  it.each([
    [['examples/quickstart.yaml'], /has no workload/],
    [['-', '--period', '0'], /whole number from 1/],
    [['-', '--jitter', '2'], /share from 0 to 1/],
  ])('sample %j is wrong usage', async (args, message) => {
    const { code, stderr } = await runCli(['sample', ...args], { stdin: SPARSE });
    expect(code).toBe(EXIT.usage);
    expect(stderr).toMatch(message);
  });
});
