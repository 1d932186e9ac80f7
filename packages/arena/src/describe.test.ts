import { describe, expect, it } from 'vitest';
import { describeLayout, layoutMarkdown } from './describe.js';
import { planArena } from './layout.js';

const PLAN = planArena(
  {
    pte: {
      doc: 'page tables',
      rows: 'pageTables',
      slots: 'ptes',
      pooled: true,
      columns: {
        pfn: { type: 'u32', per: 'slot', doc: 'frame', guard: 'pte' },
        present: { type: 'bit', per: 'slot', doc: 'mapped | not' },
      },
    },
    cpu: { doc: 'processors', rows: 'cpus', pooled: false, columns: { busyNs: { type: 'f64', doc: 'ns' } } },
  },
  { pageTables: 3, ptes: 512, cpus: 2 },
);

describe('a described layout', () => {
  it('has every place, size and explanation, as plain JSON', () => {
    const layout = describeLayout(PLAN);
    expect(JSON.parse(JSON.stringify(layout))).toEqual(layout);
    expect(layout).toMatchObject({
      format: 'thplab/arena-layout@1',
      bytes: PLAN.bytes,
      sizes: { pageTables: 3, ptes: 512, cpus: 2 },
      tables: [
        {
          name: 'pte',
          rows: 4,
          limit: 'pageTables',
          pooled: true,
          slots: 512,
          bytesPerRow: 4 + 2048 + 64,
          bytes: 4 * (4 + 2048 + 64),
          columns: [
            { name: 'pfn', type: 'u32', per: 'slot', stride: 512, bytes: 8192, guard: 'pte', doc: 'frame' },
            { name: 'present', type: 'bit', per: 'slot', stride: 16, bytes: 256, guard: null },
          ],
        },
        { name: 'cpu', rows: 2, pooled: false, slots: 0, bytesPerRow: 8, bytes: 16 },
      ],
    });
  });

  it('prints as Markdown', () => {
    const [pfn, present] = PLAN.tables[0]?.columns ?? [];
    expect(layoutMarkdown(PLAN)).toBe(`${PLAN.bytes} bytes in 2 tables.

| table | rows | pooled | slots | bytes per row | bytes | what |
|---|---|---|---|---|---|---|
| \`pte\` | 4 | yes | 512 | 2116 | 8464 | page tables |
| \`cpu\` | 2 | no |  | 8 | 16 | processors |

### pte

| column | type | per | offset | stride | bytes | guard | what |
|---|---|---|---|---|---|---|---|
| \`pfn\` | u32 | slot | ${pfn?.offset} | 512 | 8192 | pte | frame |
| \`present\` | bit | slot | ${present?.offset} | 16 | 256 |  | mapped \\| not |

### cpu

| column | type | per | offset | stride | bytes | guard | what |
|---|---|---|---|---|---|---|---|
| \`busyNs\` | f64 | row | ${PLAN.tables[1]?.columns[0]?.offset} | 1 | 16 |  | ns |
`);
  });
});
