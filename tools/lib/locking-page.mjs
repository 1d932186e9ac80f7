// Prints the generated part of docs/locking.md. Started by tools/docs-locking.mjs, with everything built.

import { readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from './root.mjs';

/** @type {typeof import('../../packages/scenario/src/index.js')} */
const { lockingTables } = await import(inRoot('packages/scenario/dist/index.js'));

const page = inRoot('docs/locking.md');
const BEGIN = '<!-- tables: written by "pnpm docs:locking --write" -->';
const END = '<!-- end of the tables -->';

const tables = lockingTables();
process.stdout.write(`${tables}\n`);
if (process.argv.includes('--write')) {
  const text = readFileSync(page, 'utf8');
  const [head, rest = ''] = text.split(BEGIN);
  writeFileSync(page, `${head}${BEGIN}\n\n${tables}\n\n${END}${rest.slice(rest.indexOf(END) + END.length)}`);
}
