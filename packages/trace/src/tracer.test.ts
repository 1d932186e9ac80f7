import { Arena } from '@thplab/arena';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineEvents } from './catalogue.js';
import { HUGE_MEMORY_EVENTS, TRACE_EVENTS } from './events.js';
import { TRACE_TABLES, traceSizes } from './tables.js';
import { type TraceEmitter, Tracer, type TracerOptions } from './tracer.js';

const EVENTS = defineEvents({
  tick: { system: 'thplab', origin: 'thplab', doc: '', fields: { n: { print: '%d', doc: '' } } },
  tock: { system: 'thplab', origin: 'thplab', doc: '', fields: { n: { print: '%d', doc: '' } } },
} as const);

type Ticks = (typeof EVENTS)['decls'];

function ticker(rows: number, options: TracerOptions<Ticks> = {}) {
  const clock = { nowNs: 0, cpu: 0, task: 0 };
  const { tables } = Arena.create(TRACE_TABLES, traceSizes(rows));
  const tracer = new Tracer(tables, EVENTS, clock, options);
  return { clock, tables, tracer, reader: tracer.reader(), tick: (n: number) => tracer.event(tracer.ids.tick, n) };
}

const numbers = (events: Iterable<{ readonly args: { readonly n: number } }>) => [...events].map((e) => e.args.n);

describe('the ring', () => {
  it('gives events back in the order of recording, with time and place', () => {
    const { clock, tracer, reader } = ticker(8);
    Object.assign(clock, { nowNs: 1500, cpu: 3, task: 70_000 });
    tracer.emit('tick', { n: 5 });
    Object.assign(clock, { nowNs: 2500.5, cpu: 65_535, task: 2 });
    tracer.emit('tock', { n: -1 });
    expect([...reader.events()]).toMatchObject([
      { seq: 0, timeNs: 1500, cpu: 3, task: 70_000, name: 'tick', args: { n: 5 } },
      { seq: 1, timeNs: 2500.5, cpu: 65_535, task: 2, name: 'tock', args: { n: -1 } },
    ]);
  });

  it('keeps the newest events and counts the overwritten ones, for any size and number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 70 }), (rows, count) => {
        const { reader, tick } = ticker(rows);
        for (let n = 0; n < count; n++) tick(n);
        const all = Array.from({ length: count }, (_, n) => n);
        expect(numbers(reader.events())).toEqual(all.slice(Math.max(0, count - rows)));
        expect(reader.written).toBe(count);
        expect(reader.dropped).toBe(Math.max(0, count - rows));
      }),
    );
  });

  it('goes on when its 32-bit counter goes back to zero', () => {
    const { tables, reader, tick } = ticker(6);
    const span = 6 * Math.floor((2 ** 32 - 1) / 6);
    tables.traceRing.head[0] = span - 2;
    for (let n = 0; n < 5; n++) tick(n);
    expect(tables.traceRing.head[0]).toBe(3);
    expect(reader.written).toBe(span + 3);
    expect([...reader.events()].map((e) => [e.seq, e.args.n])).toEqual([0, 1, 2, 3, 4].map((n) => [span - 2 + n, n]));
  });

  it('leaves out an event that is being overwritten', () => {
    const { tables, reader, tick } = ticker(4);
    for (let n = 0; n < 4; n++) tick(n);
    tables.traceEvents.stamp[1] = 0;
    expect(numbers(reader.events())).toEqual([0, 2, 3]);
  });

  it('is shared by all who attach to the buffer', () => {
    const { handle, tables } = Arena.create(TRACE_TABLES, traceSizes(4));
    const clock = { nowNs: 0, cpu: 0, task: 0 };
    const here = new Tracer(tables, EVENTS, clock);
    const there = new Tracer(Arena.attach(TRACE_TABLES, handle.sizes, handle.buffer).tables, EVENTS, clock);
    here.emit('tick', { n: 1 });
    there.emit('tick', { n: 2 });
    here.emit('tick', { n: 3 });
    expect(numbers(there.reader().events())).toEqual([1, 2, 3]);
  });

  it('can be cleared', () => {
    const { tracer, reader, tick } = ticker(2);
    for (let n = 0; n < 5; n++) tick(n);
    tracer.clear();
    expect([...reader.events()]).toEqual([]);
    expect([reader.written, reader.dropped]).toEqual([0, 0]);
    tick(9);
    expect(numbers(reader.events())).toEqual([9]);
  });
});

describe('a cursor', () => {
  it('reads each event once and counts those it came too late for', () => {
    const { reader, tick } = ticker(4);
    const cursor = reader.cursor();
    for (let n = 0; n < 3; n++) tick(n);
    expect(numbers(cursor.read())).toEqual([0, 1, 2]);
    expect(numbers(cursor.read())).toEqual([]);
    for (let n = 3; n < 10; n++) tick(n);
    expect(numbers(cursor.read())).toEqual([6, 7, 8, 9]);
    expect(cursor.lost).toBe(3);
  });

  it('stops before an event that another thread is still writing, and goes on when it is written', () => {
    const { tables, reader, tick } = ticker(4);
    const cursor = reader.cursor();
    for (let n = 0; n < 3; n++) tick(n);
    tables.traceEvents.stamp[1] = 0;
    expect(numbers(cursor.read())).toEqual([0]);
    expect([reader.isPending(0), reader.isPending(1), reader.isPending(3)]).toEqual([false, true, false]);
    tables.traceEvents.stamp[1] = 2;
    expect(numbers(cursor.read())).toEqual([1, 2]);
    expect(cursor.lost).toBe(0);
  });

  it('loses nothing when it reads whenever the ring is full', () => {
    const seen: number[] = [];
    const { reader, tick } = ticker(4, { onFull: () => seen.push(...numbers(cursor.read())) });
    const cursor = reader.cursor();
    for (let n = 0; n < 23; n++) tick(n);
    seen.push(...numbers(cursor.read()));
    expect(seen).toEqual(Array.from({ length: 23 }, (_, n) => n));
    expect(cursor.lost).toBe(0);
  });
});

describe('the tracer', () => {
  it('records nothing while it is off', () => {
    const { tracer, reader, tick } = ticker(4, { enabled: false });
    tick(1);
    tracer.emit('tock', { n: 2 });
    expect(tracer.wants('tick')).toBe(false);
    tracer.enabled = true;
    tick(3);
    expect(numbers(reader.events())).toEqual([3]);
  });

  it('records only the events asked for, and says which there are if one is unknown', () => {
    const { tracer, reader } = ticker(4, { only: ['tock'] });
    tracer.emit('tick', { n: 1 });
    tracer.emit('tock', { n: 2 });
    expect(numbers(reader.events())).toEqual([2]);
    expect([tracer.wants('tick'), tracer.wants('tock')]).toEqual([false, true]);
    expect(() => ticker(4, { only: ['tuck' as 'tick'] })).toThrow("no event 'tuck'; there are: tick, tock");
  });

  it('records by name what it records by place', () => {
    const { tables } = Arena.create(TRACE_TABLES, traceSizes(4));
    const tracer = new Tracer(tables, TRACE_EVENTS, { nowNs: 0, cpu: 0, task: 0 });
    tracer.emit('mm_collapse_huge_page_isolate', {
      scan_pfn: 1,
      none_or_zero: 2,
      referenced: 3,
      status: 5,
      order: 6,
    });
    tracer.event(tracer.ids.mm_collapse_huge_page_isolate, 1, 2, 3, 0, 5, 6);
    const [byName, byPlace] = tracer.reader().events();
    expect(byName?.args).toEqual({ scan_pfn: 1, none_or_zero: 2, referenced: 3, status: 5, order: 6 });
    expect(byPlace?.args).toEqual(byName?.args);
  });

  it('does not record an event that the generation does not have', () => {
    for (const [format, count] of [
      ['v6.18', 0],
      ['mthp', 0],
      ['merged', 1],
    ] as const) {
      const { tables } = Arena.create(TRACE_TABLES, traceSizes(4));
      const tracer = new Tracer(tables, TRACE_EVENTS, { nowNs: 0, cpu: 0, task: 0 }, { format });
      tracer.emit('mm_khugepaged_scan', { mm: 1, progress: 512, full_scan_finished: 0 });
      expect(tracer.reader().written).toBe(count);
    }
  });

  it('has its arguments checked by the compiler', () => {
    const { tracer } = ticker(4, { enabled: false });
    // @ts-expect-error no such event
    expect(() => tracer.emit('tuck', { n: 1 })).not.toThrow();
    // @ts-expect-error no such field
    expect(() => tracer.emit('tick', { m: 1 })).not.toThrow();
    // @ts-expect-error the field is missing
    expect(() => tracer.emit('tick', {})).not.toThrow();
  });

  it('serves a lower package that knows only its own events', () => {
    const catalogue = defineEvents({ ...HUGE_MEMORY_EVENTS, ...EVENTS.decls });
    const { tables } = Arena.create(TRACE_TABLES, traceSizes(4));
    const wide = new Tracer(tables, catalogue, { nowNs: 0, cpu: 0, task: 0 });
    const narrow: TraceEmitter<Ticks> = wide;
    narrow.event(narrow.ids.tock, 7);
    expect([...wide.reader().events()]).toMatchObject([{ name: 'tock', args: { n: 7 } }]);
  });
});
