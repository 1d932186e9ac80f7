import { folioTrylock, type Pfn, PTE_YOUNG, placeZeroPages, type Vpn } from '@thplab/mm-model';
import { ftraceText } from '@thplab/trace';
import { describe, expect, it } from 'vitest';
import { collapseTexts } from './collapse-trace.js';
import { GENERATIONS } from './generations/index.js';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
import { SCAN, scanResultName } from './results.js';
import { BASE, CollapseWorld } from './testing/collapse-world.js';

describe('tracepoints', () => {
  it('one range: isolate, attempt and scan, in the order in which they end', () => {
    const w = new CollapseWorld();
    w.map();
    w.place(0, 500);
    placeZeroPages(w.m, w.vma(), (BASE + 500) as Vpn, 2, PTE_YOUNG);
    const last = w.frame(BASE + 499);
    w.range();
    const events = [...w.tracer.reader().events()].map(({ name, args }) => ({ name, ...args }));
    expect(events).toEqual([
      { name: 'mm_collapse_huge_page_isolate', scan_pfn: last, none_or_zero: 12, referenced: 500, status: 1, order: 9 },
      { name: 'mm_collapse_huge_page', mm: w.mm, isolated: 1, status: 1, order: 9 },
      {
        name: 'collapse_window',
        mm: w.mm,
        addr: BASE * 4096,
        order: 9,
        occupied: 500,
        max_none: 511,
        result: 1,
      },
      {
        name: 'mm_khugepaged_scan_pmd',
        mm: w.mm,
        scan_pfn: last,
        referenced: 500,
        none_or_zero: 12,
        status: 1,
        unmapped: 0,
      },
      { name: 'collapse_range', mm: w.mm, addr: BASE * 4096, result: 1, collapsed: 1, progress: 512 },
    ]);
  });

  it('a scan that stops shows what it counted up to there, and the folio it stopped at', () => {
    const w = new CollapseWorld();
    w.map();
    w.place(3, 100);
    folioTrylock(w.m, w.frame(BASE + 10) as Pfn);
    w.range();
    expect(w.events('mm_khugepaged_scan_pmd')).toEqual([
      {
        mm: w.mm,
        scan_pfn: w.frame(BASE + 10),
        referenced: 7,
        none_or_zero: 3,
        status: SCAN.PAGE_LOCK,
        unmapped: 0,
      },
    ]);
  });

  it('a range without a table is no scan event, only one of ours', () => {
    const w = new CollapseWorld();
    w.map();
    w.range();
    expect([...w.tracer.reader().events()].map((event) => event.name)).toEqual(['collapse_range']);
  });

  it('decoders get the texts of the generation', () => {
    const w = new CollapseWorld({ generation: legacy618 });
    w.map();
    w.place(0, 1);
    w.set('khugepaged.max_ptes_none', 0);
    w.range();
    const text = [...ftraceText(w.tracer.reader().events(), { texts: collapseTexts(legacy618) })].join('');
    expect(text).toContain('status=exceed_none_pte');
  });

  it.each(GENERATIONS)('every result of $name has a text', (generation) => {
    const texts = collapseTexts(generation);
    for (const [number, result] of generation.results.entries()) {
      expect(texts('mm_collapse_huge_page', 'status', number), scanResultName(result)).toBeTypeOf('string');
    }
    expect(texts('mm_collapse_huge_page', 'order', 1)).toBeUndefined();
    expect(texts('mm_collapse_huge_page', 'status', generation.results.length)).toBeUndefined();
  });

  it('nothing is recorded while tracing is off', () => {
    const w = new CollapseWorld({ generation: merged });
    w.tracer.enabled = false;
    w.map();
    w.place(0, 512);
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect([...w.tracer.reader().events()]).toEqual([]);
  });
});
