// What an npm user gets: every publishable package is packed, linted as a package, installed from its tarball into an empty
// project, and the example of its README runs there from ESM and from CommonJS on each supported line of Node.

import { existsSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inRoot, pinnedNode } from '../lib/root.mjs';
import { parseAll, workspacePackages } from '../structure/workspace.js';
import { type Consumer, installTarballs, run } from './consumer.js';
import { asCommonJs, firstExample } from './readme-example.js';

/** Node 24 is the pinned one; 22 is an optional root dependency that npm carries for linux-x64 only. */
const NODES = [
  { line: 'Node 24', node: pinnedNode },
  { line: 'Node 22', node: inRoot('node_modules/node22/bin/node') },
] as const;

const packages = workspacePackages(parseAll([])).filter(({ manifest }) => manifest.private !== true);
const libraries = packages.filter(({ path }) => path.startsWith('packages/')).map(({ manifest }) => manifest.name);
let consumer: Consumer;

beforeAll(async () => {
  consumer = await installTarballs(packages);
});
afterAll(() => consumer?.remove());

describe.for(packages.map(({ manifest }) => manifest.name))('the tarball of %s', (name) => {
  it('holds README and LICENSE', () => {
    expect(consumer.installedFile(name, 'README.md')).not.toBe('');
    expect(consumer.installedFile(name, 'LICENSE')).toContain('MIT License');
  });

  it('has none of its dependencies inside, optional ones included', () => {
    const map = JSON.parse(consumer.installedFile(name, 'dist/index.js.map')) as {
      readonly sources: readonly string[];
    };
    expect(map.sources.filter((source) => source.includes('node_modules'))).toEqual([]);
  });

  it.concurrent('is clean for publint', async ({ expect }) => {
    const { code, output } = await run('publint', ['run', consumer.tarball(name), '--strict'], inRoot());
    expect(code, output).toBe(0);
  });

  it.concurrent('resolves its types for every importer, as attw sees it', async ({ expect }) => {
    const { code, output } = await run('attw', [consumer.tarball(name), '--profile', 'esm-only'], inRoot());
    expect(code, output).toBe(0);
  });
});

describe.for(NODES)('on $line', ({ line, node }) => {
  const skip = !existsSync(node);
  if (skip) console.warn(`${line} is not here (npm has it for linux-x64 only): its examples are skipped`);

  it.skipIf(skip)('is the line of Node it says', async () => {
    const { output } = await run(node, ['--version'], inRoot());
    expect(output).toMatch(new RegExp(`^v${line.replace('Node ', '')}\\.`));
  });

  it.skipIf(skip).for(libraries)('the README example of %s runs as ESM and as CommonJS', async (name) => {
    const example = firstExample(consumer.installedFile(name, 'README.md'));
    if (example === undefined) throw new Error(`the README of ${name} has no \`\`\`js example`);
    const stem = name.replace(/\W+/g, '-');
    const programs = [
      consumer.write(`example${stem}.mjs`, example),
      consumer.write(`example${stem}.cjs`, asCommonJs(example)),
    ];
    const [esm, cjs] = await Promise.all(programs.map((program) => run(node, [program], consumer.folder)));
    expect(esm?.code, `ESM: ${esm?.output}`).toBe(0);
    expect(esm?.stdout.trim()).not.toBe('');
    expect(cjs?.code, `CommonJS: ${cjs?.output}`).toBe(0);
    expect(cjs?.stdout).toBe(esm?.stdout);
  });

  it.skipIf(skip)('npx thplab --help prints its help', async () => {
    const path = [dirname(node), process.env.PATH].join(delimiter);
    const { code, output, stdout } = await run('npx', ['--no-install', 'thplab', '--help'], consumer.folder, path);
    expect(code, output).toBe(0);
    expect(stdout).toContain('thplab');
  });
});

describe('an example as CommonJS', () => {
  it('requires what it imported', () => {
    const readme =
      "# x\n\n```js\nimport { a, b as c } from 'x';\nimport * as y from 'y';\n\nconsole.log(await a(c, y));\n```\n";
    expect(asCommonJs(firstExample(readme) ?? '')).toBe(
      "const { a, b: c } = require('x');\nconst y = require('y');\n(async () => {\nconsole.log(await a(c, y));\n})();\n",
    );
  });
});
