import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ACTOR_KINDS } from './index.js';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/check.md'), 'utf8');

describe('docs/check.md', () => {
  it('lists all actors, and says of each what its summary says', () => {
    const listed = [...page.matchAll(/^\| `([a-z-]+)` +\| (.*?) +\|$/gm)].map(([, name, text]) => [name, text]);
    const actors = ACTOR_KINDS.map(({ name, summary }) => [name, summary]);
    expect(listed.sort()).toEqual(actors.sort());
  });

  it('has a word about every bug of khugepaged spec 19', () => {
    const bugs = Array.from({ length: 25 }, (_, at) => `B${at + 1}`);
    const rows = new Set([...page.matchAll(/^\| (B\d+) \|/gm)].map(([, bug]) => bug));
    expect(bugs.filter((bug) => !rows.has(bug))).toEqual([]);
  });
});
