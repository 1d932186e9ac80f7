import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { staleReason } from './setup.mjs';

describe('a build', () => {
  const built = new Date('2026-01-02T00:00:00Z');
  const earlier = new Date('2026-01-01T00:00:00Z');
  const later = new Date('2026-01-03T00:00:00Z');
  let folder: string;
  const at = (...parts: string[]): string => join(folder, ...parts);
  const reason = (): string | undefined =>
    staleReason([{ inputs: [at('src'), at('no-such-file')], dist: at('dist.js') }], at('stamp'));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'thplab-setup-'));
    mkdirSync(at('src/deep'), { recursive: true });
    for (const file of ['src/deep/a.ts', 'src/deep/a.test.ts', 'dist.js', 'stamp']) writeFileSync(at(file), '');
    for (const path of ['src/deep/a.ts', 'src/deep/a.test.ts', 'src/deep', 'src'])
      utimesSync(at(path), earlier, earlier);
    utimesSync(at('stamp'), built, built);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is fresh while every input is older than its stamp', () => {
    expect(reason()).toBeUndefined();
  });

  it('is stale once a source deep below is newer', () => {
    utimesSync(at('src/deep/a.ts'), later, later);
    expect(reason()).toBe('sources have changed');
  });

  it('is stale once a file was deleted or renamed, which only its folder shows', () => {
    utimesSync(at('src/deep'), later, later);
    expect(reason()).toBe('sources have changed');
  });

  it('does not depend on tests', () => {
    utimesSync(at('src/deep/a.test.ts'), later, later);
    expect(reason()).toBeUndefined();
  });

  it('is missing without its stamp or without its output', () => {
    rmSync(at('dist.js'));
    expect(reason()).toBe('not built yet');
    writeFileSync(at('dist.js'), '');
    rmSync(at('stamp'));
    expect(reason()).toBe('not built yet');
  });
});
