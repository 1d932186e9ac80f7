import { describe, expect, it } from 'vitest';
import { defineEvents, shapeOf, type TraceFormat } from './catalogue.js';
import { HUGE_MEMORY_EVENTS } from './events.js';

/** Name and print forms of an event, as a format string of C shows them. */
function formatOf(name: keyof typeof HUGE_MEMORY_EVENTS, format: TraceFormat): string | undefined {
  return shapeOf(name, HUGE_MEMORY_EVENTS[name], format)
    ?.fields.map((field) => `${field.name}=${field.print}`)
    .join(', ');
}

describe('the tracepoints of the kernel', () => {
  it('print the fields of the merged version in its order', () => {
    const formats = Object.keys(HUGE_MEMORY_EVENTS).map((name) => [
      name,
      formatOf(name as keyof typeof HUGE_MEMORY_EVENTS, 'merged'),
    ]);
    expect(Object.fromEntries(formats)).toEqual({
      mm_khugepaged_scan_pmd: 'mm=%p, scan_pfn=0x%lx, referenced=%d, none_or_zero=%d, status=%s, unmapped=%d',
      mm_collapse_huge_page: 'mm=%p, isolated=%d, status=%s, order=%u',
      mm_collapse_huge_page_isolate: 'scan_pfn=0x%lx, none_or_zero=%d, referenced=%d, status=%s, order=%u',
      mm_collapse_huge_page_swapin: 'mm=%p, swapped_in=%d, referenced=%d, ret=%d, order=%u',
      mm_khugepaged_scan_file: 'mm=%p, scan_pfn=0x%lx, filename=%s, present=%d, swap=%d, result=%s',
      mm_khugepaged_collapse_file:
        'mm=%p, hpage_pfn=0x%lx, index=%ld, addr=%lx, is_shmem=%d, filename=%s, nr=%d, result=%s',
      mm_khugepaged_scan: 'mm=%p, progress=%u, full_scan_finished=%d',
    });
  });

  it('have a writable field before 6.18, and no order without the mTHP series', () => {
    expect(formatOf('mm_khugepaged_scan_pmd', 'v6.13')).toBe(
      'mm=%p, scan_pfn=0x%lx, writable=%d, referenced=%d, none_or_zero=%d, status=%s, unmapped=%d',
    );
    expect(formatOf('mm_collapse_huge_page_isolate', 'v6.13')).toBe(
      'scan_pfn=0x%lx, none_or_zero=%d, referenced=%d, writable=%d, status=%s',
    );
    expect(formatOf('mm_collapse_huge_page', 'v6.13')).toBe('mm=%p, isolated=%d, status=%s');
    expect(formatOf('mm_collapse_huge_page_isolate', 'v6.18')).toBe(
      'scan_pfn=0x%lx, none_or_zero=%d, referenced=%d, status=%s',
    );
    expect(formatOf('mm_collapse_huge_page_isolate', 'mthp-rfc')).toBe(
      'scan_pfn=0x%lx, none_or_zero=%d, referenced=%d, writable=%d, status=%s, order=%u',
    );
    expect(formatOf('mm_collapse_huge_page_swapin', 'v6.18')).toBe('mm=%p, swapped_in=%d, referenced=%d, ret=%d');
  });

  it('have mm_khugepaged_scan only in the merged version', () => {
    const formats = ['v6.13', 'v6.18', 'mthp-rfc', 'mthp', 'merged'] as const;
    expect(formats.filter((format) => formatOf('mm_khugepaged_scan', format) !== undefined)).toEqual(['merged']);
  });
});

describe('a catalogue', () => {
  const event = (fields: number, field = 'f') => ({
    system: 's',
    origin: 'thplab' as const,
    doc: '',
    fields: Object.fromEntries(
      Array.from({ length: fields }, (_, i) => [`${field}${i}`, { print: '%d' as const, doc: '' }]),
    ),
  });

  it('numbers events from 1 in the order given', () => {
    const { ids, names } = defineEvents({ b: event(1), a: event(8) });
    expect(ids).toEqual({ b: 1, a: 2 });
    expect(names).toEqual(['', 'b', 'a']);
  });

  it('refuses a ninth field and names that cannot be printed', () => {
    expect(() => defineEvents({ a: event(9) })).toThrow("event 'a' has 9 fields; an event holds at most 8");
    expect(() => defineEvents({ 'a b': event(1) })).toThrow("event 'a b': 'a b' is no name");
    expect(() => defineEvents({ a: event(1, 'x=') })).toThrow("event 'a': 'x=0' is no name");
  });
});
