import { describe, expect, it } from 'vitest';
import { FAKE_PID, fakeProc } from '../testing/fake-proc.js';
import { expectGolden } from '../testing/golden.js';
import { folderWith, repositoryFile, runCli } from '../testing/run-cli.js';

describe('validate', () => {
  it('says what good files hold, and every problem of bad ones', async () => {
    const bad = repositoryFile('examples/quickstart.yaml').replace('populate: full', 'populat: full');
    const cwd = folderWith({ 'good.yaml': repositoryFile('examples/quickstart.yaml'), 'bad.yaml': bad });
    const { code, stdout, stderr } = await runCli(['validate', 'good.yaml', 'bad.yaml', 'god.yaml'], { cwd });
    expect(code).toBe(3);
    expect(stderr).toBe('');
    expectGolden(import.meta.dirname, 'validate', stdout);
  });

  it('gives places as data', async () => {
    const { code, stdout } = await runCli(['validate', '--json', '-'], { stdin: 'format: thplab/scenario@2\n' });
    expect(code).toBe(3);
    const [file] = JSON.parse(stdout).files;
    expect(file).toMatchObject({ path: '<stdin>', ok: false, kind: 'scenario' });
    expect(file.problems).toContainEqual(expect.objectContaining({ line: 1, column: 9, key: 'format' }));
  });

  it('stops reading what never ends', async () => {
    const { code, stdout } = await runCli(['validate', '/dev/zero']);
    expect([code, stdout]).toEqual([
      3,
      expect.stringContaining('/dev/zero:1:1: this is no snapshot and has more than'),
    ]);
    const long = await runCli(['validate', '-'], { stdin: ' '.repeat(2 ** 24 + 1) });
    expect([long.code, long.stdout]).toEqual([3, expect.stringContaining('<stdin>:1:1: this is no snapshot')]);
  });

  it('says nothing of good files when quiet', async () => {
    expect(await runCli(['validate', '-q', 'examples/quickstart.yaml'])).toMatchObject({ code: 0, stdout: '' });
  });

  it.each([
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0, 1]), 'neither UTF-8 text nor a snapshot'],
    ['a damaged snapshot', 'THPSNAP1 and no more', 'capture it again'],
    ['an empty file', '', '<stdin>:1:1: '],
  ])('refuses %s', async (_what, stdin, message) => {
    const { code, stdout } = await runCli(['validate', '-'], { stdin });
    expect(code).toBe(3);
    expect(stdout).toContain(message);
  });

  it('looks at the snapshots that a scenario names, beside the file', async () => {
    const scenario = (snapshot: string): string =>
      `format: thplab/scenario@1\nname: s\nprocesses:\n  - { name: p, snapshot: ${snapshot} }\nrun: { for: 1s }\n`;
    const cwd = folderWith({ 'a/good.yaml': scenario('app.thpsnap'), 'a/bad.yaml': scenario('ap.thpsnap') });
    await runCli(['capture', '--pid', String(FAKE_PID), '-o', 'a/app.thpsnap', '-q'], { cwd, ...fakeProc() });
    const { code, stdout } = await runCli(['validate', 'a/good.yaml', 'a/bad.yaml'], { cwd });
    expect(code).toBe(3);
    expect(stdout).toContain('a/good.yaml: ok');
    expect(stdout).toContain('a/bad.yaml:4:26: a/ap.thpsnap cannot be read: no such file; did you mean a/app.thpsnap?');
    const ran = await runCli(['run', 'a/good.yaml', '--set', 'enabled=never', '--json'], { cwd });
    expect(JSON.parse(ran.stdout).processes[0]).toMatchObject({ name: 'p', rss: 2112 * 1024 });
  });
});
