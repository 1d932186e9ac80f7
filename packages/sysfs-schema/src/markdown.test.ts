import { describe, expect, it } from 'vitest';
import { GEOMETRY_64K } from './geometry.js';
import { renderMarkdownTable } from './markdown.js';
import type { KernelProfile } from './profiles.js';

describe('the reference pages', () => {
  it.each<KernelProfile>(['v6.18', 'merged'])('docs/%s.md is what the data says', async (profile) => {
    await expect(renderMarkdownTable(profile)).toMatchFileSnapshot(`../docs/${profile}.md`);
  });

  it('tell sizes and limits by the geometry', () => {
    const page = renderMarkdownTable('merged', GEOMETRY_64K);
    expect(page).toContain('Base pages of 64 KiB, PMD size 524288 KiB.');
    expect(page).toContain('from 0 to 8191');
    expect(page).toMatch(/hugepages-\*kB\/shmem_enabled.*\(sizes 128kB to 131072kB\)/);
  });
});
