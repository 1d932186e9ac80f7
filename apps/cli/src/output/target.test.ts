import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith, runCli } from '../testing/run-cli.js';

const SET = ['sysfs', 'set', 'enabled=always', '-o'];

describe('-o', () => {
  it('writes to what is no file, and leaves it what it is', async () => {
    const folder = folderWith({});
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      expect((await runCli([...SET, pipe])).code).toBe(0);
      const bytes = Buffer.alloc(4096);
      expect(bytes.toString('utf8', 0, readSync(reader, bytes))).toContain('enabled');
    } finally {
      closeSync(reader);
    }
    expect(statSync(pipe).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(['pipe']);
  });

  it('writes to the file behind a link, which keeps its mode', async () => {
    const folder = folderWith({ file: 'old' });
    execFileSync('chmod', ['600', join(folder, 'file')]);
    symlinkSync('file', join(folder, 'link'));
    expect((await runCli([...SET, join(folder, 'link')])).code).toBe(0);
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toContain('enabled');
    expect(statSync(join(folder, 'file')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(['file', 'link']);
  });
});
