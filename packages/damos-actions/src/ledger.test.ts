// That every row of the specification's sections on DAMON has its numbers as data, and that tests read them.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { GOLDEN_FILES, IN_TESTS, LEDGER, NOT_MODELLED, SAME_AS, SECTIONS } from './testing/ledger.js';

const PACKAGES = fileURLToPath(new URL('../../', import.meta.url));

/** A table of golden data: where it is, and the rows that it has. */
interface Table {
  readonly file: string;
  readonly rows: ReadonlySet<string>;
}

const tables = new Map<string, Table>();

beforeAll(async () => {
  for (const file of GOLDEN_FILES) {
    const module: Record<string, unknown> = await import(/* @vite-ignore */ `${PACKAGES}${file}`);
    for (const [name, value] of Object.entries(module)) {
      const rows = new Set(rowsIn(value));
      if (rows.size === 0) continue;
      expect(tables.get(name)?.file, `${name} is a table in two files`).toBeUndefined();
      tables.set(name, { file, rows });
    }
  }
});

/** Names of rows anywhere in a table. */
function rowsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'row' in value && typeof value.row === 'string' ? [value.row] : [];
  return [...own, ...Object.values(value).flatMap(rowsIn)];
}

function sectionOf(row: string): string {
  return row.slice(0, row.indexOf(' '));
}

describe('the ledger of the DAMON specification', () => {
  it.each(SECTIONS)('has its rows of %s in the tables that it names', (section) => {
    const own = Object.entries(LEDGER).filter(([row]) => sectionOf(row) === section);
    const pairs = own.flatMap(([row, names]) => names.split(' ').map((name) => ({ row, name })));
    expect(pairs.length).toBeGreaterThan(0);
    expect(pairs.filter(({ row, name }) => !tables.get(name)?.rows.has(row))).toEqual([]);
  });

  it('lists all data of its sections, with every table that has them', () => {
    const missing: string[] = [];
    for (const [name, { rows }] of tables) {
      for (const row of rows) {
        if (!SECTIONS.includes(sectionOf(row))) continue;
        if (!LEDGER[row]?.split(' ').includes(name)) missing.push(`${row}: ${name}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('has rows of each section, and of no other', () => {
    expect(Object.keys(LEDGER).filter((row) => !SECTIONS.includes(sectionOf(row)))).toEqual([]);
    // The list of edge cases is numbered.
    const numbers = Object.keys(LEDGER).flatMap((row) => /^10 #(\d+)/.exec(row)?.[1] ?? []);
    expect([...new Set(numbers.map(Number))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 18 }, (_, i) => i + 1),
    );
  });

  it('names rows elsewhere that are there', () => {
    const lost = Object.entries(SAME_AS).filter(([row, other]) => row in LEDGER || !(other in LEDGER));
    expect(lost).toEqual([]);
    for (const { test, name } of IN_TESTS) expect(readFileSync(PACKAGES + test, 'utf8')).toContain(`'${name}'`);
  });

  it('says of rows that are not modelled where it is explained', () => {
    const deviations = readFileSync(`${PACKAGES}../docs/deviations.md`, 'utf8').replaceAll(/\s+/g, ' ');
    expect(NOT_MODELLED.filter(({ deviation }) => !deviations.includes(deviation))).toEqual([]);
    expect(NOT_MODELLED.filter(({ row }) => row in LEDGER || row in SAME_AS)).toEqual([]);
  });
});

describe('golden data', () => {
  const texts = new Map<string, readonly string[]>();

  /** Texts of the tests of a package. */
  function testsOf(packageName: string): readonly string[] {
    const known = texts.get(packageName);
    if (known !== undefined) return known;
    const read = globSync(`${PACKAGES}${packageName}/src/**/*.test.ts`).map((path) => readFileSync(path, 'utf8'));
    texts.set(packageName, read);
    return read;
  }

  it('are read by a test of their package, table by table', () => {
    const unread = [...tables].filter(([name, { file }]) => {
      const [packageName = ''] = file.split('/');
      const uses = (text: string): number => text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
      // Once to import it, and once to use it.
      return !testsOf(packageName).some((text) => uses(text) >= 2);
    });
    expect(unread.map(([name]) => name)).toEqual([]);
  });

  it('are in the files that the ledger names', () => {
    for (const file of GOLDEN_FILES) expect(existsSync(PACKAGES + file), file).toBe(true);
    const all = globSync(`${PACKAGES}*/src/testing/golden*.ts`).map((path) => path.slice(PACKAGES.length));
    // Texts of tracepoints are section 7's.
    const own = all.filter((path) => !path.endsWith('/golden-lines.ts') && path.startsWith('damos-actions/'));
    expect(own.filter((path) => !GOLDEN_FILES.includes(path))).toEqual([]);
  });
});
