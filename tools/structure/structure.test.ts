// The order of the house, checked on every file. The rules first prove on small wrong examples that they see them.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inRoot } from '../lib/root.mjs';
import { importCircles, undeclaredOrUnused, upwardImports } from './import-rules.js';
import { floorsBelow, STANDS_ON } from './law.js';
import { parseSource } from './source.js';
import { defaultExports, impureModel, longFiles, machinePaths } from './text-rules.js';
import {
  type Manifest,
  type Package,
  parseAll,
  repositoryFiles,
  rootManifest,
  workspacePackages,
} from './workspace.js';

const sources = parseAll(repositoryFiles('with new ones'));
const packages = workspacePackages(sources);

describe('this repository', () => {
  it('has every package in the law', () => {
    expect(packages.length).toBeGreaterThanOrEqual(11);
    expect(packages.map(({ folder }) => folder).filter((folder) => !(folder in STANDS_ON))).toEqual([]);
  });

  it('imports only downwards', () => {
    expect(upwardImports(packages)).toEqual([]);
  });

  it('declares every dependency it imports and imports every one it declares', () => {
    expect(undeclaredOrUnused(packages, rootManifest())).toEqual([]);
  });

  it('has no circle of imports inside a package', () => {
    expect(packages.flatMap((own) => importCircles(own.sources))).toEqual([]);
  });

  it('keeps files short', () => {
    expect(longFiles(sources)).toEqual([]);
  });

  it('has no default exports but in configuration files', () => {
    expect(defaultExports(sources)).toEqual([]);
  });

  it('has no chance, clock, console or Node in the model packages', () => {
    expect(impureModel(packages)).toEqual([]);
  });

  it('names no path of the machine it was written on', () => {
    const tracked = repositoryFiles('tracked');
    expect(tracked.flatMap((path) => machinePaths(path, readFileSync(inRoot(path), 'utf8')))).toEqual([]);
  });
});

/** A package made of texts, as a rule would get it. */
function madeUp(folder: string, texts: Record<string, string>, manifest: Partial<Manifest> = {}): Package {
  const path = `packages/${folder}`;
  const full: Manifest = { name: `@thplab/${folder}`, ...manifest };
  return {
    folder,
    path,
    manifest: full,
    manifestText: JSON.stringify(full, null, 2),
    references: [],
    sources: Object.entries(texts).map(([name, text]) => parseSource(`${path}/src/${name}`, text)),
  };
}

describe('the rules', () => {
  it('see an import that points up, and none that points down through several floors', () => {
    const low = madeUp('arena', { 'a.ts': "\nimport type { Machine } from '@thplab/mm-model';" });
    const high = madeUp('mm-model', { 'a.ts': "export { bits } from '@thplab/arena';" });
    expect(upwardImports([low, high])).toEqual([
      'packages/arena/src/a.ts:2: arena must not import mm-model: it stands on nothing',
    ]);
    expect(floorsBelow('scenario')).toContain('arena');
    expect(floorsBelow('trace')).not.toContain('mm-model');
  });

  it('see a relative import that leaves its package', () => {
    const own = madeUp('sync', { 'a.ts': "import { bits } from '../../arena/src/index.js';" });
    expect(upwardImports([own])).toEqual([
      'packages/sync/src/a.ts:1: ../../arena/src/index.js leaves packages/sync: import the other package by its name',
    ]);
  });

  it('see a shipped file that imports a help for tests', () => {
    const own = madeUp('sync', {
      'a.ts': "import { hammer } from './testing/hammer.js';",
      'a.test.ts': "import { hammer } from './testing/hammer.js';",
    });
    expect(upwardImports([own])).toEqual([
      'packages/sync/src/a.ts:1: ./testing/hammer.js is for tests only and does not ship',
    ]);
  });

  it('see an undeclared import, an unused dependency and a missing reference', () => {
    const own = madeUp(
      'sync',
      { 'a.ts': "import { parse } from 'yaml/lib';", 'a.test.ts': "import { it } from 'vitest';" },
      { dependencies: { '@thplab/arena': 'workspace:^' } },
    );
    expect(undeclaredOrUnused([madeUp('arena', {}), own], { name: 'root', devDependencies: { vitest: '5' } })).toEqual([
      'packages/sync/src/a.ts:1: yaml is imported but is no dependency in packages/sync/package.json',
      'packages/sync/package.json:4: @thplab/arena is a dependency, but no shipped source imports it',
      'packages/sync/tsconfig.json:1: references lack ../arena, a dependency in package.json',
    ]);
  });

  it('see a circle of imports, and let a type-only one pass', () => {
    const texts = (form: string): Record<string, string> => ({
      'a.ts': "import { b } from './b.js';",
      'b.ts': "import { c } from './c.js';",
      'c.ts': `${form} { A } from './a.js';`,
    });
    expect(importCircles(madeUp('sync', texts('import')).sources)).toEqual([
      'packages/sync/src/a.ts:1: circle of imports: packages/sync/src/a.ts:1 -> packages/sync/src/b.ts:1 -> packages/sync/src/c.ts:1 -> packages/sync/src/a.ts',
    ]);
    expect(importCircles(madeUp('sync', texts('import type')).sources)).toEqual([]);
  });

  it('see chance, clocks, prints and Node in a model package, but not in its comments', () => {
    const text = [
      '// Math.random() in a comment',
      "import { readFileSync } from 'node:fs';",
      'export const a = Math.random() + Date.now() + globalThis.performance.now();',
      'console.log(new Date());',
    ].join('\n');
    const found = impureModel([madeUp('trace', { 'a.ts': text })]);
    expect(found.map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'packages/trace/src/a.ts:3 Math.random',
      'packages/trace/src/a.ts:3 Date.now',
      'packages/trace/src/a.ts:3 performance.now',
      'packages/trace/src/a.ts:4 new Date()',
      'packages/trace/src/a.ts:4 console',
      'packages/trace/src/a.ts:2 node:fs',
    ]);
    expect(impureModel([madeUp('capture', { 'a.ts': text })])).toEqual([]);
  });

  it('see what a model package imports from outside, but for the rooms that run on Node', () => {
    const imports = ["import 'piscina';", "import 'node:fs';", "import 'yaml';"].join('\n');
    const own = madeUp('khugepaged-scheduler', {
      'a.ts': `${imports}\nimport './pool/b.js';\nimport '@thplab/sync';`,
      'pool/b.ts': `${imports}\nimport './c.js';\nimport '../a.js';`,
    });
    expect(impureModel([own]).map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'packages/khugepaged-scheduler/src/a.ts:1 piscina',
      'packages/khugepaged-scheduler/src/a.ts:2 node:fs',
      'packages/khugepaged-scheduler/src/a.ts:3 yaml',
      'packages/khugepaged-scheduler/src/a.ts:4 ./pool/b.js',
      'packages/khugepaged-scheduler/src/pool/b.ts:3 yaml',
    ]);
  });

  it('see every form of a default export, but for configuration files', () => {
    const forms = ['export default 1;', 'export default function f() {}', 'const a = 1;\nexport { a as default };'];
    const all = forms.map((text, index) => parseSource(`tools/${index}.ts`, text));
    expect(defaultExports(all)).toHaveLength(forms.length);
    expect(defaultExports([parseSource('vitest.config.ts', 'export default {};')])).toEqual([]);
  });

  it('see a file that is too long', () => {
    expect(longFiles([parseSource('a.ts', '\n'.repeat(501)), parseSource('b.ts', '\n'.repeat(500))])).toEqual([
      'a.ts:501: 501 lines, at most 500 allowed: two ideas in one room?',
    ]);
  });

  it("see a path of somebody's machine, but not a folder of the same name elsewhere", () => {
    const bad = ['', 'tmp', 'x'].join('/');
    expect(machinePaths('a.md', `first\nsee ${bad}/y`)).toEqual([`a.md:2: a path of one machine: see ${bad}/y`]);
    expect(machinePaths('a.md', `src/tmp/x, ./${'work'}/y`)).toEqual([]);
  });
});
