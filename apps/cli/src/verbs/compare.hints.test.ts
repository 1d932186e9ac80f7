/** `compare --hints`: the same scenario under several queues of collapse hints. */
import { describe, expect, it } from 'vitest';
import { runCli } from '../testing/run-cli.js';

const HOT = `format: thplab/scenario@1
name: hot
machine: { memory: 128M }
sysfs: { enabled: always, khugepaged/pages_to_scan: 512, khugepaged/scan_sleep_millisecs: 1000 }
processes:
  - name: cold
    vmas: [{ name: heap, size: 8M, populate: full }]
  - name: app
    vmas: [{ name: heap, size: 4M, populate: full }]
events:
  - { at: 0s, access: { process: app, vma: heap, stride: { every: 64 }, every: 500ms } }
run: { for: 8s }
`;
const HINTED = HOT.replace('memory: 128M', 'memory: 128M, kernel: hints-rfc').replace(
  'events:',
  'hints: { policy: as-posted }\nevents:\n  - { at: 0s, hint: { process: app, vma: heap } }',
);

interface Row {
  readonly name: string;
  readonly metrics: Readonly<Record<string, number | string | null>>;
}

async function compared(text: string, ...args: readonly string[]): Promise<readonly Row[]> {
  const { code, stdout, stderr } = await runCli(['compare', '-', '--json', ...args], { stdin: text });
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout).variants;
}

describe('compare --hints', () => {
  it('gives a row per queue, with the columns of hints', async () => {
    const rows = await compared(HINTED, '--hints', 'none,as-posted,as-posted:failureBudget=1');
    expect(rows.map(({ name }) => name)).toEqual(['none', 'as-posted', 'as-posted:failureBudget=1']);
    const [none, posted] = rows as [Row, Row];
    expect(posted.metrics.hot90).toBeLessThan(0.5 * (none.metrics.hot90 as number));
    expect([none.metrics.queued, posted.metrics.queued, posted.metrics.served]).toEqual([0, 2, 2]);
  });

  it('lays a queue over the merged kernel, and takes what is accessed for hot', async () => {
    const [row] = (await compared(HOT, '--hints', 'best', '-m', 'hot90', '-m', 'cold')) as [Row];
    expect(row.metrics.hot90).toBeGreaterThan(0);
    expect(row.metrics.cold).toBeCloseTo(2 / 3);
  });

  it('goes with settings, each combination a row', async () => {
    const rows = await compared(
      HINTED,
      '--hints',
      'fair,best',
      '--vary',
      'khugepaged/pages_to_scan=512,4096',
      '-m',
      'hot50',
    );
    expect(rows.map(({ name }) => name)).toEqual([
      'fair pages_to_scan=512',
      'fair pages_to_scan=4096',
      'best pages_to_scan=512',
      'best pages_to_scan=4096',
    ]);
  });

  it.each([
    [['--hints', 'swift'], '--hints: there is no hint policy "swift"; expected one of none, as-posted,'],
    [['--hints', 'fair:speed=1'], '--hints: hint policies have no field "speed"; there are failureBudget,'],
    [['--hints', 'fair', '--kernel', 'v18'], '--hints: kernel v18 has no collapse hints; expected hints-rfc'],
    [[], '--hints a,b'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await runCli(['compare', '-', ...args], { stdin: HOT });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('hints elsewhere', () => {
  it('run tells what became of them, and its trace says so in words', async () => {
    const { code, stdout } = await runCli(['run', '-', '--trace', '-', '--trace-format', 'ftrace', '-q'], {
      stdin: HINTED,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/khugepaged_hint_add: mm=.* priority=0, max_order=0, reason=queued/);
    expect(stdout).toMatch(/khugepaged_hint_drain: mm=.* result=succeeded, progress=513, fail=0/);
    const shown = await runCli(['run', '-'], { stdin: HINTED });
    expect(shown.stdout).toMatch(/collapse hints: as-posted\n {2}hot memory .*100% huge: 50 % after/);
  });

  it('explain says of each range when it was hinted and what came of it', async () => {
    const { stdout } = await runCli(['explain', '-', '--process', 'app'], { stdin: HINTED });
    expect(stdout).toMatch(/app\/heap:0 .*hinted at .*served at .*: succeeded/);
    const gone = HINTED.replace('run:', '  - { at: 0s, munmap: { process: app, vma: heap, blocks: 1 } }\nrun:');
    const dropped = await runCli(['explain', '-', '--process', 'app'], { stdin: gone });
    expect(dropped.stdout).toMatch(/hinted at .*dropped at .*: vma_gone/);
  });
});
