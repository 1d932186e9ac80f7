import { Arena } from '@thplab/arena';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceFormatError } from '../errors.js';
import { TRACE_EVENTS } from '../events.js';
import { TRACE_TABLES, traceSizes } from '../tables.js';
import { Tracer } from '../tracer.js';
import { type CounterSample, chromeTrace, type LockHold } from './chrome.js';
import { ftraceText } from './ftrace.js';
import { placeSlices } from './lanes.js';
import { ndjson } from './ndjson.js';
import { namesOf, readNdjson } from './read-ndjson.js';

const TEXTS = ['failed', 'succeeded'];
const names = {
  texts: (event: string, field: string, value: number) =>
    field === 'filename' ? `file${value}` : (TEXTS[value] ?? `${event}.${field}?${value}`),
  tasks: (task: number) => (task === 2 ? { comm: 'khugepaged', pid: 57 } : undefined),
};

function recorded() {
  const clock = { nowNs: 1_234_567_890_999, cpu: 1, task: 2 };
  const { tables } = Arena.create(TRACE_TABLES, traceSizes(16));
  const tracer = new Tracer(tables, TRACE_EVENTS, clock);
  tracer.emit('mm_khugepaged_scan_pmd', {
    mm: 0x1234abcd,
    scan_pfn: 0x1234,
    referenced: 1,
    none_or_zero: 7,
    status: 1,
    unmapped: 0,
  });
  tracer.emit('mm_collapse_huge_page_isolate', { scan_pfn: -1, none_or_zero: 0, referenced: 0, status: 0, order: 9 });
  Object.assign(clock, { nowNs: 2_000_000_001_000, cpu: 12, task: 0 });
  tracer.emit('mm_collapse_huge_page_swapin', { mm: 1, swapped_in: 3, referenced: 2, ret: 1, order: 9 });
  Object.assign(clock, { nowNs: 2_000_000_002_000, task: 1_000_007 });
  tracer.emit('mm_khugepaged_collapse_file', {
    mm: 1,
    hpage_pfn: -1,
    index: -2,
    addr: 0x7f00_0000_0000,
    is_shmem: 1,
    filename: 4,
    nr: 512,
    result: 0,
  });
  return tracer.reader();
}

const join = (chunks: Iterable<string>) => [...chunks].join('');

describe('ftrace text', () => {
  it('has the columns, print forms and field order of the kernel', () => {
    expect(join(ftraceText(recorded().events(), { ...names, header: false }))).toBe(
      [
        '      khugepaged-57      [001] .....  1234.567890: mm_khugepaged_scan_pmd: mm=000000001234abcd, scan_pfn=0x1234, referenced=1, none_or_zero=7, status=succeeded, unmapped=0',
        '      khugepaged-57      [001] .....  1234.567890: mm_collapse_huge_page_isolate: scan_pfn=0xffffffffffffffff, none_or_zero=0, referenced=0, status=failed, order=9',
        '          <idle>-0       [012] .....  2000.000001: mm_collapse_huge_page_swapin: mm=0000000000000001, swapped_in=3, referenced=2, ret=1, order=9',
        '           <...>-1000007 [012] .....  2000.000002: mm_khugepaged_collapse_file: mm=0000000000000001, hpage_pfn=0xffffffffffffffff, index=-2, addr=7f0000000000, is_shmem=1, filename=file4, nr=512, result=failed',
        '',
      ].join('\n'),
    );
  });

  it('starts with the head lines, the columns of which stand over those of the events', () => {
    const text = join(ftraceText(recorded().events(), { ...names, entries: { inBuffer: 4, written: 9 }, cpus: 2 }));
    const lines = text.split('\n');
    expect(lines[0]).toBe('# tracer: nop');
    expect(lines[2]).toBe('# entries-in-buffer/entries-written: 4/9   #P:2');
    const columns = lines.findIndex((line) => line.includes('TASK-PID'));
    const event = lines[columns + 2] as string;
    expect(lines[columns]?.indexOf('|||||')).toBe(event.indexOf('.....'));
    expect(lines[columns + 1]?.indexOf('|')).toBeLessThan(event.indexOf('-'));
    expect(lines.filter((line) => line.startsWith('#'))).toHaveLength(columns + 2);
  });

  it('cuts a long name to 15 characters, as the kernel does', () => {
    const tasks = () => ({ comm: 'a-name-of-24-characters.', pid: 1 });
    const [line] = ftraceText(recorded().events(), { tasks, header: false });
    expect(line?.slice(0, 20)).toBe(' a-name-of-24-ch-1  ');
  });
});

describe('NDJSON', () => {
  it('starts with the version line, then one line per event with numbers and texts', () => {
    const reader = recorded();
    const lines = join(
      ndjson(reader.events(), { ...names, shapes: reader.shapes.values(), taskIds: [2, 3], dropped: 5 }),
    )
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(5);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      format: 'thplab/trace@1',
      tracepoints: 'merged',
      dropped: 5,
      tasks: { 2: { comm: 'khugepaged', pid: 57 } },
    });
    expect(lines[2]).toBe(
      '{"seq":1,"timeNs":1234567890999,"cpu":1,"task":2,"event":"mm_collapse_huge_page_isolate",' +
        '"args":{"scan_pfn":-1,"none_or_zero":0,"referenced":0,"status":0,"order":9},"text":{"status":"failed"}}',
    );
  });

  it('reads back what was written, however the text is cut', () => {
    const reader = recorded();
    const written = [...reader.events()];
    const text = join(ndjson(written, { ...names, shapes: reader.shapes.values(), taskIds: [2] }));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        const chunks = places.slice(1).map((to, i) => text.slice(places[i], to));
        const { header, events } = readNdjson(chunks);
        const read = [...events];
        expect(read.map(({ text: _, ...event }) => event)).toEqual(written);
        expect(namesOf(header).tasks(2)).toEqual({ comm: 'khugepaged', pid: 57 });
        expect(namesOf(header).tasks(9)).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  it('makes the same ftrace text from a file as from the ring', () => {
    const reader = recorded();
    const file = readNdjson(ndjson(reader.events(), { ...names, shapes: reader.shapes.values(), taskIds: [2] }));
    expect(join(ftraceText(file.events, namesOf(file.header)))).toBe(join(ftraceText(reader.events(), names)));
  });

  it('says which line of a damaged file is wrong, and how', () => {
    const reader = recorded();
    const lines = [...ndjson(reader.events(), { ...names, shapes: reader.shapes.values() })];
    const broken = (line: number, from: string | RegExp, to: string) =>
      lines.map((text, i) => (i === line - 1 ? text.replace(from, to) : text));
    const cases: [string[], string][] = [
      [[], 'trace line 1: the file is empty; expected the version line'],
      [['[]'], 'trace line 1: the version line is not an object'],
      [['{"format":"thplab/trace@2"}'], 'trace line 1: format "thplab/trace@2"; this code reads "thplab/trace@1"'],
      [broken(1, '"dropped":0', '"dropped":-1'), 'trace line 1: dropped is not a whole number from 0'],
      [broken(1, '"%p"', '"%n"'), 'trace line 1: print is "%n"; expected one of %p, '],
      [broken(3, '{', ''), 'trace line 3: not a JSON document'],
      [broken(2, 'scan_pmd', 'scan_pgd'), "trace line 2: event 'mm_khugepaged_scan_pgd' is not in the version line"],
      [broken(3, '"referenced":0', '"referenced":null'), 'trace line 3: args.referenced is not a number'],
      [broken(3, '"order":9', '"odor":9'), 'trace line 3: args.order is not a number'],
      [broken(4, '"cpu":12', '"cpu":1.5'), 'trace line 4: cpu is not a whole number from 0'],
      [broken(5, '"failed"', '7'), 'trace line 5: text.result is not a text'],
      [[...lines, 'x'.repeat(1 << 20), 'y'], 'trace line 6: longer than 1048576 characters'],
    ];
    for (const [chunks, message] of cases) {
      const read = () => [...readNdjson(chunks).events];
      expect(read).toThrow(TraceFormatError);
      expect(read).toThrow(message);
    }
  });

  it('is one JSON document per chunk', () => {
    const reader = recorded();
    const chunks = [...ndjson(reader.events(), { ...names, shapes: reader.shapes.values() })];
    expect(chunks).toHaveLength(5);
    for (const chunk of chunks) expect(() => JSON.parse(chunk)).not.toThrow();
  });
});

describe('a Chrome trace', () => {
  const hold = (lock: string, startNs: number, endNs: number, waitNs = 0): LockHold => ({
    lock,
    mode: 'write',
    task: 2,
    cpu: 1,
    startNs,
    endNs,
    waitNs,
  });
  const counters: CounterSample[] = [{ timeNs: 5_000, name: 'free memory', values: { MiB: 512 } }];
  const document = (holds: LockHold[]) =>
    JSON.parse(
      join(chromeTrace(recorded().events(), { ...names, holds, counters, about: { seed: '1', kernel: 'merged' } })),
    ) as { traceEvents: Record<string, unknown>[]; otherData: unknown };

  it('is one JSON document with tracks, instants, slices and counters', () => {
    const { traceEvents, otherData } = document([hold('mmap_lock[1]', 10_000, 30_000, 4_000)]);
    expect(otherData).toEqual({ format: 'thplab/chrome@1', seed: '1', kernel: 'merged' });
    expect(traceEvents).toContainEqual({
      ph: 'M',
      name: 'thread_name',
      pid: 1,
      tid: 2,
      args: { name: 'khugepaged-57' },
    });
    expect(traceEvents).toContainEqual({
      ph: 'i',
      s: 't',
      cat: 'huge_memory',
      name: 'mm_khugepaged_scan_pmd',
      pid: 1,
      tid: 2,
      ts: 1234567890.999,
      args: {
        cpu: 1,
        mm: '000000001234abcd',
        scan_pfn: '0x1234',
        referenced: 1,
        none_or_zero: 7,
        status: 'succeeded',
        unmapped: 0,
      },
    });
    const args = { lock: 'mmap_lock[1]', mode: 'write', cpu: 1, waitNs: 4000 };
    expect(traceEvents.filter((entry) => entry.ph === 'X')).toEqual([
      { ph: 'X', cat: 'lock', name: 'wait for mmap_lock[1]', pid: 1, tid: 2, ts: 6, dur: 4, args },
      { ph: 'X', cat: 'lock', name: 'mmap_lock[1] write', pid: 1, tid: 2, ts: 10, dur: 20, args },
    ]);
    expect(traceEvents).toContainEqual({ ph: 'C', name: 'free memory', pid: 1, tid: 0, ts: 5, args: { MiB: 512 } });
  });

  it('names every track that something stands on, once', () => {
    const { traceEvents } = document([hold('a', 0, 10), hold('b', 5, 15)]);
    const used = new Set(traceEvents.filter((e) => e.ph === 'X' || e.ph === 'i').map((e) => e.tid));
    const named = traceEvents.filter((e) => e.name === 'thread_name').map((e) => e.tid);
    expect(new Set(named)).toEqual(used);
    expect(named).toHaveLength(used.size);
    expect(traceEvents.filter((e) => e.name === 'thread_name').map((e) => e.args)).toContainEqual({
      name: 'khugepaged-57 locks 1',
    });
  });

  it('is a valid document also when nothing happened', () => {
    expect(JSON.parse(join(chromeTrace([])))).toMatchObject({ traceEvents: [{ name: 'process_name' }] });
  });
});

describe('slices', () => {
  it('on one lane always nest, and none is lost', () => {
    const slice = fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 12 }))
      .map(([task, startNs, length]) => ({ task, startNs, endNs: startNs + length }));
    fc.assert(
      fc.property(fc.array(slice, { maxLength: 25 }), (slices) => {
        const placed = placeSlices(slices);
        expect(placed).toHaveLength(slices.length);
        for (const a of placed) {
          for (const b of placed) {
            if (a === b || a.lane !== b.lane || a.slice.task !== b.slice.task) continue;
            const crossing =
              a.slice.startNs < b.slice.startNs && b.slice.startNs < a.slice.endNs && a.slice.endNs < b.slice.endNs;
            expect(crossing).toBe(false);
          }
        }
      }),
    );
  });

  it('that nest all stand on the task’s own track', () => {
    const slices = [
      { task: 1, startNs: 0, endNs: 10 },
      { task: 1, startNs: 0, endNs: 4 },
      { task: 1, startNs: 4, endNs: 10 },
      { task: 1, startNs: 5, endNs: 10 },
    ];
    expect(placeSlices(slices).map(({ lane }) => lane)).toEqual([0, 0, 0, 0]);
  });
});
