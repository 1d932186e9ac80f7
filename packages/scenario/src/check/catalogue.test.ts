/**
 * Every case in examples/check: the faulty kernel must fail in the way that the case says, the merged one must not. The plain
 * test run searches a part of the larger cases; THPLAB_CHECK=full (`pnpm check:all`) searches all.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCheck, runCatalogueCase } from './index.js';

const folder = join(import.meta.dirname, '../../../../examples/check');
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const options = process.env.THPLAB_CHECK === 'full' ? {} : { mostSchedules: 500 };

describe('the catalogue of known bugs', () => {
  it.each(files)('%s', { timeout: 600_000 }, (file) => {
    const check = parseCheck(readFileSync(join(folder, file), 'utf8'), file);
    expect(runCatalogueCase(check, options).problems).toEqual([]);
  });

  it('has cases for the races and lock errors of khugepaged spec 19 that the model can express', () => {
    const ids = files.map((file) => parseCheck(readFileSync(join(folder, file), 'utf8'), file).bug?.id);
    const wanted = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18, 23, 25].map((n) => `B${n}`);
    expect([...new Set(ids.filter((id) => id !== undefined))].sort()).toEqual(wanted.sort());
  });
});
