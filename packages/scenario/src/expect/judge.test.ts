import { describe, expect, it } from 'vitest';
import type { ExpectationResult } from '../report/result.js';
import { runText } from '../testing/scenario-text.js';

/** What is expected of a heap of four ranges: two full, one with 100 pages, one empty; 255 empty pages are allowed. */
function judged(expectations: string): ExpectationResult[] {
  return [
    ...runText(`
sysfs: { khugepaged/max_ptes_none: 255 }
processes:
  - name: app
    vmas: [{ name: heap, size: 8M, advice: hugepage, populate: [{ pages: 0-1023 }, { pages: 1024-1123 }] }]
events: [{ at: 1ms, fault: { process: app, vma: heap, pages: 1600-1699 } }]
run: { for: 1s }
expect: ${expectations}`).result.expectations,
  ];
}

const summary = (rows: readonly ExpectationResult[]): unknown[] =>
  rows.map(({ what, expected, actual, ok }) => [what, expected, actual, ok]);

describe('expectations', () => {
  it('about coverage count huge PMDs and whole folios, of size or of what is resident', () => {
    // The fault in the last range, advised and empty, gets a huge page of its own.
    expect(
      summary(
        judged(
          '{ coverage: [{ process: app, huge: 75%, sizes: { 2M: ">= 50%", 64K: 0 } }, { process: app, of: resident, huge: ">= 99%" }] }',
        ),
      ),
    ).toEqual([
      ['app: huge', '75%', '75%', true],
      ['app: in folios of 2M', '>= 50%', '75%', true],
      ['app: in folios of 64K', '0%', '0%', true],
      ['app: huge', '>= 99%', '93.89%', false],
    ]);
  });

  it('about memory count a process, a VMA or the machine', () => {
    const rows = judged(
      '{ memory: [{ process: app, rss: 6.390625M, swap: 0 }, { process: app, vma: heap, anonHuge: 6M }, { free: "<= 1G" }] }',
    );
    expect(rows.map((row) => row.ok)).toEqual([true, true, true, true]);
    expect(rows.map((row) => row.what)).toEqual([
      'app: rss',
      'app: swap',
      'app heap: huge',
      'all processes: free memory',
    ]);
  });

  it('about outcomes name the blocks that are wrong, and what became of them', () => {
    const rows = judged(
      '{ outcomes: [{ process: app, vma: heap, blocks: 0-1, outcome: collapsed 2M }, { process: app, vma: heap, outcome: collapsed }] }',
    );
    expect(summary(rows)).toEqual([
      ['app heap: outcome of blocks 0-1', 'collapsed 2M', 'collapsed 2M', true],
      ['app heap: outcome of blocks 0-3', 'collapsed', 'exceed_none_pte (block 2), no_pte_table (block 3)', false],
    ]);
  });

  it('about stalls and time are bounds on faults, on the end of the run and on the work of khugepaged', () => {
    const rows = judged(
      '{ stalls: { process: app, worst: "<= 1ms", p99: "<= 1ms", median: ">= 100ns" }, time: { end: 1s, khugepagedCpu: ">= 1us", khugepagedShare: "<= 1%" } }',
    );
    expect(rows.every((row) => row.ok)).toBe(true);
    expect(rows).toHaveLength(6);
  });

  it('about counters are numbers, or the text that a read prints', () => {
    const rows = judged(
      '{ counters: { thp_collapse_alloc: 2, khugepaged/pages_collapsed: ">= 3", enabled: "always [madvise] never" } }',
    );
    expect(summary(rows)).toEqual([
      ['thp_collapse_alloc', '2', '2', true],
      ['khugepaged/pages_collapsed', '>= 3', '2', false],
      ['enabled', 'always [madvise] never', 'always [madvise] never', true],
    ]);
  });
});
