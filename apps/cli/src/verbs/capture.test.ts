import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSnapshot } from '@thplab/capture';
import { describe, expect, it } from 'vitest';
import { FAKE_PID, fakeProc } from '../testing/fake-proc.js';
import { expectGolden } from '../testing/golden.js';
import { folderWith, runCli } from '../testing/run-cli.js';

const PID = ['--pid', String(FAKE_PID)];

describe('capture', () => {
  it('writes a snapshot and shows its sums beside those of smaps', async () => {
    const cwd = folderWith({});
    const { code, stdout, stderr } = await runCli(['capture', ...PID, '-o', 'app.thpsnap'], { cwd, ...fakeProc() });
    expect(code).toBe(0);
    // Its size depends on the compression library.
    expectGolden(import.meta.dirname, 'capture', stdout.replace(/thpsnap: \S+,/, 'thpsnap: SIZE,'));
    expect(stderr).toMatch(/^took \d+\.\d\d s\n$/);
    expect(readSnapshot(readFileSync(join(cwd, 'app.thpsnap'))).pages.length).toBe(528);
    expect(readdirSync(cwd)).toEqual(['app.thpsnap']);
  });

  it('says what is missing without root, and that sums differ', async () => {
    const cwd = folderWith({});
    const { smaps } = { smaps: readFileSync(join(fakeProc().procRoot, `${FAKE_PID}/smaps`), 'utf8') };
    const fake = fakeProc({ hideFrames: true, smaps: smaps.replaceAll('2112 kB', '2512 kB') });
    const { code, stdout, stderr } = await runCli(['capture', ...PID, '-o', 'app.thpsnap'], { cwd, ...fake });
    expect(code).toBe(0);
    expect(stdout).toMatch(/Rss +2,112 kB +2,512 kB +differs by 15\.9 %/);
    expect(stderr).toContain('missing: Frame numbers are hidden');
  });

  it('prints one document', async () => {
    const cwd = folderWith({});
    const { stdout } = await runCli(['capture', ...PID, '-o', 's', '--json'], { cwd, ...fakeProc() });
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'thplab/capture@1',
      file: 's',
      pages: 528,
      process: { pid: FAKE_PID, name: 'fake server' },
      memory: [
        { kind: 'anon', folioBytes: 4096, bytes: 2 ** 21 },
        { kind: 'anon', folioBytes: 65536, bytes: 65536 },
      ],
    });
  });

  it('writes the snapshot itself to stdout, and all else to stderr', async () => {
    const { code, stdout, stderr, bytes } = await runCli(['capture', ...PID, '-o', '-'], fakeProc());
    expect([code, stdout]).toEqual([0, '']);
    expect(readSnapshot(bytes).process.pid).toBe(FAKE_PID);
    expect(stderr).toContain('fake server');
    expect((await runCli(['capture', ...PID, '-o', '-'], { ...fakeProc(), terminal: 80 })).code).toBe(2);
  });

  it('shows progress on a terminal only', async () => {
    const cwd = folderWith({});
    const { stderr } = await runCli(['capture', ...PID, '-o', 's'], { cwd, ...fakeProc(), terminal: 80 });
    expect(stderr).toContain(`capture of ${FAKE_PID}: pagemap`);
    const quiet = await runCli(['capture', ...PID, '-o', 's', '-q'], { cwd, ...fakeProc(), terminal: 80 });
    expect(quiet).toMatchObject({ stderr: '', stdout: '' });
  });

  it('ends at Ctrl-C without a file', async () => {
    const cwd = folderWith({});
    const interruptWhen = ({ stderr }: { stderr: string }): boolean => stderr.includes('smaps');
    const options = { cwd, ...fakeProc(), terminal: 80, interruptWhen };
    const { code, stderr } = await runCli(['capture', ...PID, '-o', 's'], options);
    expect(code).toBe(130);
    expect(stderr).toContain('stopping at the next step');
    expect(stderr).toContain('no snapshot was written');
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.each([
    [['--pid', '4243'], 3, '"ps -e" lists the processes'],
    [['--pid', 'x'], 2, 'It must be the number of a process'],
    [[], 2, 'which process? give --pid N'],
  ])('refuses %j', async (args, expected, message) => {
    const cwd = folderWith({});
    const { code, stdout, stderr } = await runCli(['capture', ...args, '-o', 's'], { cwd, ...fakeProc() });
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toContain(message);
    expect(existsSync(join(cwd, 's'))).toBe(false);
  });

  it.skipIf(process.platform !== 'linux')('captures the process that the test runs in', async () => {
    const cwd = folderWith({});
    const { code, stdout } = await runCli(['capture', '--pid', String(process.pid), '-o', 's', '--json'], { cwd });
    expect(code).toBe(0);
    const { totals } = JSON.parse(stdout);
    const rss = totals.find(({ field }: { field: string }) => field === 'Rss');
    expect(rss.snapshotKb).toBeGreaterThan(10_000);
    expect(rss.smapsKb).toBeGreaterThan(10_000);
  });
});
