import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseScenario } from './index.js';

const folder = fileURLToPath(new URL('../../../../examples/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

describe('examples', () => {
  it('are twelve at least', () => {
    expect(files.length).toBeGreaterThanOrEqual(12);
  });

  it.each(files)('%s is a valid scenario named like its file, and its first line asks a question', (name) => {
    const text = readFileSync(`${folder}${name}`, 'utf8');
    expect(parseScenario(text, { path: name }).name).toBe(name.replace('.yaml', ''));
    expect(text.split('\n', 1)[0]).toMatch(/^# .*\?/);
  });
});
