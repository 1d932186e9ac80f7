/** `--threads` of run and what-if: the same bytes, what is seen meanwhile, Ctrl-C, and threads that end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FAKE_PID, fakeProc } from '../testing/fake-proc.js';
import { folderWith, runCli } from '../testing/run-cli.js';

/** Enough ranges in several processes that threads are started. */
const FLEET = `format: thplab/scenario@1
name: fleet
seed: 7
machine: { memory: 4G, cpus: 2 }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 1000, khugepaged/pages_to_scan: 1000000 }
processes:
  - { name: web, count: 4, vmas: [{ name: heap, size: 96M, populate: full }] }
  - { name: db, vmas: [{ name: cache, size: 128M, populate: { perTable: 400 } }] }
run: { until: { fullScans: 1 }, atMost: 1h }
expect: { counters: { khugepaged/pages_collapsed: 256 } }
`;
const NOTE =
  'thplab: 2 threads worked ahead on 256 of 256 ranges; the result is that of one thread, except for which frames are free (free blocks, fragmentation)\n';

/** A result without what depends on the numbers of frames. */
function frameless(json: string): string {
  return json.replace(/"fragmentation": \S+/, '').replace(/"freeBlocks": \{[^}]*\}/, '');
}

const testing = new URL('../../../../packages/khugepaged-scheduler/src/testing/', import.meta.url);

afterEach(() => {
  delete process.env.THPLAB_DEATH;
});

describe('run --threads', () => {
  it('prints the bytes of one thread, and says what the threads did', async () => {
    const one = await runCli(['run', '-', '--json', '--threads', '0'], { stdin: FLEET });
    const two = await runCli(['run', '-', '--json', '--threads', '2'], { stdin: FLEET });
    expect(one).toMatchObject({ code: 0, stderr: '' });
    expect(two).toMatchObject({ code: 0, stderr: NOTE });
    expect(frameless(two.stdout)).toBe(frameless(one.stdout));
    const text = await Promise.all(
      ['0', '2'].map((threads) => runCli(['run', '-', '--threads', threads], { stdin: FLEET })),
    );
    expect(text[1]?.stdout).toBe(text[0]?.stdout);
    expect((await runCli(['run', '-', '-q', '--threads', '2'], { stdin: FLEET })).stderr).toBe('');
  });

  it('writes the same trace, but for the numbers of frames', async () => {
    const cwd = folderWith({ 's.yaml': FLEET });
    await runCli(['run', 's.yaml', '-q', '--trace', 'one.txt'], { cwd });
    await runCli(['run', 's.yaml', '-q', '--threads', '2', '--trace', 'two.txt'], { cwd });
    const [one = '', two = ''] = ['one.txt', 'two.txt'].map((name) =>
      readFileSync(join(cwd, name), 'utf8').replaceAll(/scan_pfn=\S+/g, 'scan_pfn'),
    );
    expect(two.split('\n').length).toBeGreaterThan(500);
    expect(two).toBe(one);
  });

  it('shows counters and what each thread does, on a terminal', async () => {
    const { stderr } = await runCli(['run', '-', '--threads', '2'], {
      stdin: FLEET,
      terminal: 200,
      env: { NO_COLOR: '1' },
    });
    expect(stderr).toMatch(/fleet: 256\/256 ranges, 256 collapsed, full_scans 0 \| 0 \S.*? \(\d+\) \| 1 \S.*? \(\d+\)/);
    expect(stderr).not.toContain('\u001b[2m');
  });

  it('says why threads had nothing to do', async () => {
    const { code, stderr } = await runCli(['run', 'examples/quickstart.yaml', '--threads', '2']);
    expect([code, stderr]).toEqual([
      0,
      'thplab: 2 threads had nothing to do: a pass had too few ranges of more than one family of processes; the result is that of one thread\n',
    ]);
  });

  it('ends at Ctrl-C with what was done so far', async () => {
    const { code, stdout, stderr } = await runCli(['run', '-', '--threads', '2'], {
      stdin: FLEET,
      terminal: 200,
      interruptWhen: ({ stderr }) => stderr.includes('ranges,'),
    });
    expect(code).toBe(130);
    expect(stdout).toContain('PARTIAL');
    expect(stderr).toMatch(
      /2 threads worked ahead on \d+ of 256 ranges; some of them may be in the memory figures before their time|worked ahead on/,
    );
  });

  it('names a thread that dies, what it held, and the command that repeats the run', async () => {
    process.env.THPLAB_DEATH = JSON.stringify({ thread: 1, step: 1, after: true, how: 'exit' });
    const workers = { scan: new URL('dying-worker.mjs', testing) };
    const { code, stdout, stderr } = await runCli(['run', '-', '--threads', '2'], { stdin: FLEET, workers });
    expect([code, stdout]).toEqual([70, '']);
    expect(stderr).toMatch(
      /^thplab: the thread of task 2 'khugepaged\/1' ended \(.*\) and held khugepaged_mm_lock\[0\]/,
    );
    expect(stderr).toContain('\nrepeat: thplab run - --threads 2 --seed 7 < INPUT\n');
  });

  it('tells a lock that was waited for too long, with holder, waiter and chain', async () => {
    const workers = { scan: new URL('stuck-worker.mjs', testing) };
    const { code, stderr } = await runCli(['run', '-', '--threads', '2'], { stdin: FLEET, workers });
    expect(code).toBe(70);
    expect(stderr).toMatch(/'khugepaged\/1' has waited for khugepaged_mm_lock\[0\] for more than 100 ms/);
    expect(stderr).toMatch(
      /'khugepaged\/1' waits for khugepaged_mm_lock\[0\] WRITE of task 1 'khugepaged\/0' \(holds\)/,
    );
    expect(stderr).toMatch(/'khugepaged\/0' waits for no lock; it holds khugepaged_mm_lock\[0\]/);
  });

  it.each([['-1'], ['x'], ['1.5'], ['17'], ['1e1']])('refuses %s', async (threads) => {
    const { code, stderr } = await runCli(['run', 'examples/quickstart.yaml', `--threads=${threads}`]);
    expect(code).toBe(2);
    expect(stderr).toContain('It must be a whole number from 0 (no threads) to 16.');
  });

  it('says that more threads than processors gain nothing', async () => {
    const { stderr } = await runCli(['run', 'examples/quickstart.yaml', '--threads', '3'], { cores: 2 });
    expect(stderr).toContain('thplab: 3 threads on 2 processors: more than 2 gain nothing\n');
  });
});

describe('what-if --threads', () => {
  it('prints the bytes of one thread', async () => {
    const cwd = folderWith({});
    await runCli(['capture', '--pid', String(FAKE_PID), '-o', 'app.thpsnap', '-q'], { cwd, ...fakeProc() });
    const args = ['what-if', 'app.thpsnap', '--kernel', 'merged'];
    const one = await runCli(args, { cwd });
    const two = await runCli([...args, '--threads', '2'], { cwd });
    expect(two).toEqual(one);
    expect(one.stdout).toContain('always, max_ptes_none 511');
  });

  it('names the variant whose thread dies', async () => {
    const cwd = folderWith({});
    await runCli(['capture', '--pid', String(FAKE_PID), '-o', 'app.thpsnap', '-q'], { cwd, ...fakeProc() });
    const whatIf = new URL('../../../../packages/scenario/src/testing/dying-what-if-worker.mjs', import.meta.url);
    const { code, stderr } = await runCli(['what-if', 'app.thpsnap', '--threads', '2'], { cwd, workers: { whatIf } });
    expect(code).toBe(70);
    expect(stderr).toContain("the thread of task 2 'always, max_ptes_none 511' ended (exit code 3)");
    expect(stderr).toContain('\nrepeat: thplab what-if app.thpsnap --threads 2 --seed 1\n');
  });
});
