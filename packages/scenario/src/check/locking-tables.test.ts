import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockingTables } from './index.js';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/locking.md'), 'utf8');

describe('docs/locking.md', () => {
  it('shows the locks, guards and excused accesses that the code has ("pnpm docs:locking --write" brings it up to date)', () => {
    const made = /<!-- tables: [^\n]*-->\n\n([\s\S]*?)\n\n<!-- end of the tables -->/.exec(page)?.[1];
    expect(made).toBe(lockingTables());
  });

  it('orders the locks as khugepaged spec 10 does', () => {
    const order = /\n {2}(khugepaged_mutex --> .*)\n/.exec(lockingTables())?.[1]?.split(' --> ') ?? [];
    const spec = ['mmap_lock', 'vma_lock', 'anon_vma', 'pmd_lock', 'pte_lock', 'khugepaged_mm_lock'];
    expect(order.filter((name) => spec.includes(name))).toEqual(spec);
    expect(order.length).toBeGreaterThan(spec.length);
  });
});
