/** `thplab import`: samples of perf and smaps, from the text to lines for a machine. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PageFlag, PageKind, type Snapshot, writeSnapshot } from '@thplab/capture';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../exit.js';
import { runCli } from '../testing/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'thplab-import-'));
const HEAP = 0x7f0012200;
const FRAMES = 0x2081f200;

/** Two huge pages: in the first, 3 of 512 pages are used; in the second, all of them. */
function samples(columns: (page: number, frame: number) => string): string {
  const lines: string[] = [];
  const add = (page: number, count: number): void => {
    for (let at = 0; at < count; at++) lines.push(columns(HEAP + page, FRAMES + page));
  };
  add(1, 300);
  add(2, 200);
  add(77, 100);
  for (let page = 512; page < 1024; page++) add(page, 2);
  return `${lines.join('\n')}\n`;
}

const both = samples(
  (page, frame) => `oracle 4242 1234.567890: memory: ${page.toString(16)}678 ${frame.toString(16)}678`,
);
const physicalOnly = samples((_, frame) => `   ${frame.toString(16)}678`);

function snapshot(keepsFrames: boolean): Snapshot {
  const length = 1024;
  const at = <T>(make: (row: number) => T): T[] => Array.from({ length }, (_, row) => make(row));
  return {
    format: 'thplab/snapshot@1',
    capturedAt: '2026-01-02T03:04:05.678Z',
    process: { pid: 4242, name: 'oracle', threads: 1, thpEnabled: true, statusKb: {} },
    kernel: {
      release: '6.18.0',
      machine: 'aarch64',
      pageSize: 4096,
      pmdOrder: 9,
      thp: {},
      memTotalKb: null,
      memFreeKb: null,
      freeBlocks: [],
    },
    vmas: [
      {
        startVpn: HEAP,
        endVpn: HEAP + length,
        kind: 'anon',
        flags: [],
        pageOffset: 0,
        fileIndex: 0,
        name: '',
        hasAnonVma: true,
        thpEligible: true,
        smapsKb: {},
        firstRow: 0,
        rowCount: length,
        skippedPages: 0,
        pmdMappedExact: true,
      },
    ],
    pages: {
      length,
      vpn: Float64Array.from(at((row) => HEAP + row)),
      kind: Uint8Array.from(at(() => PageKind.anon)),
      frame: Uint32Array.from(at((row) => row)),
      order: Uint8Array.from(at(() => 9)),
      flags: Uint16Array.from(at((row) => (row < 512 ? PageFlag.pmdMapped : 0))),
      mapcount: Uint16Array.from(at(() => 1)),
      ...(keepsFrames ? { pfn: Uint32Array.from(at((row) => FRAMES + row)) } : {}),
    },
    frameCount: length,
    missing: [],
    notes: [],
    unexposed: [],
  };
}

beforeAll(() => {
  writeFileSync(join(folder, 'spe.txt'), both);
  writeFileSync(join(folder, 'pa.txt'), physicalOnly);
  writeFileSync(join(folder, 'kept.thpsnap'), writeSnapshot(snapshot(true)));
  writeFileSync(join(folder, 'plain.thpsnap'), writeSnapshot(snapshot(false)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('thplab import perf-script', () => {
  it('finds the sparse block by virtual addresses', async () => {
    const { code, stdout, stderr } = await runCli(['import', 'perf-script', 'spe.txt'], { cwd: folder });
    expect(code).toBe(EXIT.done);
    expect(stdout).toContain('1,624 samples under memory, by virtual address, in 2 blocks');
    expect(stdout).toContain('to split: 1 of 2 blocks with less than 30 % hot, in 1 ranges');
    expect(stdout).toMatch(/0x7f0012200000-0x7f0012400000 +2M +0 % +600\n/);
    expect(stderr).toContain('which blocks are huge is not known');
  });

  it('places physical addresses by a snapshot, and takes huge blocks only', async () => {
    const { code, stdout, stderr } = await runCli(
      ['import', 'perf-script', 'pa.txt', '--snapshot', 'kept.thpsnap', '--json'],
      {
        cwd: folder,
      },
    );
    expect({ code, stderr }).toEqual({ code: EXIT.done, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      by: 'physical',
      elsewhere: 0,
      blocks: [
        { startPage: HEAP, samples: 600, accessed: 3, hot: 3, hotPercent: 0, huge: true },
        { startPage: HEAP + 512, samples: 1024, accessed: 512, hot: 512, hotPercent: 100, huge: false },
      ],
      candidates: { ranges: [{ startPage: HEAP, endPage: HEAP + 512 }] },
    });
  });

  it('prints the lines for a root shell', async () => {
    const { code, stdout } = await runCli(['import', 'perf-script', 'spe.txt', '--as', 'sysfs', '-q'], { cwd: folder });
    expect(code).toBe(EXIT.done);
    expect(stdout).toContain('echo 4242 > /sys/kernel/mm/damon/admin/kdamonds/0/contexts/0/targets/0/pid_target\n');
    expect(stdout).toContain(`filters/0/addr_start\necho ${0x7f0012400000} >`);
  });

  it.each([
    [['pa.txt'], EXIT.usage, /physical addresses only.*--keep-frames/],
    [['pa.txt', '--snapshot', 'plain.thpsnap'], EXIT.input, /no physical frame numbers.*--keep-frames/],
    [['pa.txt', '--snapshot', 'spe.txt'], EXIT.input, /no snapshot/],
    [['pa.txt', '--by', 'virtual'], EXIT.usage, /no sample of pa.txt has a virtual address/],
    [['spe.txt', '--event', 'llc-miss'], EXIT.input, /^spe.txt:1:1: no sample under llc-miss; there are: memory/],
    [['spe.txt', '--threshold', '101'], EXIT.usage, /0 to 100/],
    [['spe.txt', '--snapshot', 'kept.thpsnap', '--page-size', '64K'], EXIT.usage, /--page-size 4K/],
    [['kept.thpsnap'], EXIT.input, /not UTF-8 text/],
    [['nothing.txt'], EXIT.input, /no such file/],
    [['.'], EXIT.input, /folder/],
  ])('import perf-script %j ends with %i', async (args, expected, message) => {
    const { code, stdout, stderr } = await runCli(['import', 'perf-script', ...args], { cwd: folder });
    expect(code).toBe(expected);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  it('names line and column of what is no sample', async () => {
    const text = `${both.split('\n').slice(0, 3).join('\n')}\n   what is this?\n`;
    const { code, stderr } = await runCli(['import', 'perf-script', '-'], { stdin: text });
    expect(code).toBe(EXIT.input);
    expect(stderr).toMatch(/^<stdin>:4:4: "what is this\?" is no sample; expected/);
    const skipping = await runCli(['import', 'perf-script', '-', '--skip-bad-lines'], { stdin: text });
    expect(skipping.code).toBe(EXIT.done);
    expect(skipping.stderr).toContain('1 lines are no samples');
  });

  it('says when too few samples make a block look sparse', async () => {
    const few = both.split('\n').slice(0, 20).join('\n');
    const { stderr, stdout } = await runCli(['import', 'perf-script', '-', '--min-samples', '0'], { stdin: few });
    expect(stderr).toContain('1 of the blocks below 30 % have fewer than 183 samples');
    expect(stdout).toContain('1 of 1 blocks');
    const strict = await runCli(['import', 'perf-script', '-', '--min-samples', '183'], { stdin: few });
    expect(strict.stdout).toContain('0 of 1 blocks');
  });
});

describe('thplab import smaps', () => {
  const smaps = '7f0000000000-7f0000a00000 rw-p 00000000 00:00 0 \nRss: 10240 kB\nAnonHugePages: 4096 kB\n';

  it('takes all blocks of VMAs with huge pages, and says that this is too much', async () => {
    const { code, stdout, stderr } = await runCli(['import', 'smaps', '-'], { stdin: smaps });
    expect(code).toBe(EXIT.done);
    expect(stdout.trim().split('\n')).toHaveLength(6);
    expect(stderr).toContain('5 blocks were taken, 2.5 times as many as are huge (2)');
  });

  it('makes a scenario with as much in each mapping', async () => {
    const made = await runCli(['import', 'smaps', '-', '--scenario'], {
      stdin: `${smaps}VmFlags: rd wr hg\n7fff00000000-7fff00200000 r-xp 00000000 08:01 77 /lib/libc.so\nRss: 100 kB\n`,
    });
    expect(made).toMatchObject({ code: EXIT.done, stderr: '' });
    const run = await runCli(['run', '-', '--json', '--until', '1ms', '--set', 'enabled=never'], {
      stdin: made.stdout,
    });
    expect(JSON.parse(run.stdout).processes[0]).toMatchObject({ anonHuge: 4 * 2 ** 20 });
    expect(made.stdout).toContain('advice: hugepage');
  });

  it.each([
    ['', /^<stdin>:1:1: no VMA/],
    ['hello\n', /^<stdin>:1:1: .*neither the head of a mapping nor a field/],
    [`${smaps}\u0000\n`, /^<stdin>:4:1: /],
  ])('refuses %j', async (stdin, message) => {
    const { code, stderr } = await runCli(['import', 'smaps', '-'], { stdin });
    expect(code).toBe(EXIT.input);
    expect(stderr).toMatch(message);
  });
});

describe('thplab import masim and damo', () => {
  const masim = 'heap, 4M\n\nwarm\n20\nheap, 0, 4096, 1\n';

  it('makes a scenario that runs the configuration', async () => {
    writeFileSync(join(folder, 'warm.cfg'), masim.replace('4M', `${4 * 2 ** 20}`));
    const made = await runCli(['import', 'masim', 'warm.cfg', '--rate', '1M', '-o', 'warm.yaml'], { cwd: folder });
    expect(made.code).toBe(EXIT.done);
    const run = await runCli(['run', 'warm.yaml', '--json'], { cwd: folder });
    expect(run.code).toBe(EXIT.done);
    expect(JSON.parse(run.stdout).processes[0].rss).toBe(4 * 2 ** 20);
  });

  it('makes a scenario that replays the record', async () => {
    const line = (seconds: number, samples: number): string =>
      `kdamond.0 1 [000] ${seconds}.000000: damon:damon_aggregated: target_id=7 nr_regions=1 ${2 ** 30}-${2 ** 30 + 2 ** 22}: ${samples} 0`;
    writeFileSync(join(folder, 'record.txt'), `${line(1, 0)}\n${line(2, 3)}\n`);
    const made = await runCli(['import', 'damo', 'record.txt', '-o', 'replay.yaml'], { cwd: folder });
    expect(made.code).toBe(EXIT.done);
    const run = await runCli(['run', 'replay.yaml', '--json'], { cwd: folder });
    expect(run).toMatchObject({ code: EXIT.done });
    expect(JSON.parse(run.stdout).processes[0].rss).toBe(2 ** 22);
  });

  it.each([
    [['masim', 'spe.txt'], EXIT.input, /^spe.txt:1:\d+: /],
    [['damo', 'spe.txt'], EXIT.input, /^spe.txt:1:1: /],
    [['damo', '-'], EXIT.usage, /must be a file/],
  ])('import %j ends with %i', async (args, expected, message) => {
    const { code, stderr } = await runCli(['import', ...args], { cwd: folder });
    expect(code).toBe(expected);
    expect(stderr).toMatch(message);
  });
});
