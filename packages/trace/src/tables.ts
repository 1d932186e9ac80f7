/**
 * The ring buffer's place in the arena: one row per event, and one row that says how far the writers are.
 *
 * An event is a stamp, a time, where it happened, its type, and eight argument cells. What the cells mean stands in the
 * catalogue (events.ts); the ring knows only numbers. The stamp is written last and says which event the row holds, so
 * that a reader beside a running writer never takes half an event for a whole one.
 */

/** Argument cells of an event. */
export const TRACE_ARGS = 8;

/** Tables to add to an arena that is traced; sizes from `traceSizes`. */
export const TRACE_TABLES = {
  traceRing: {
    doc: 'State of the ring of trace events: one row.',
    rows: 'traceRings',
    pooled: false,
    columns: {
      head: { type: 'u32', doc: 'events written since the last wrap of this counter; its remainder is the next row' },
      wraps: { type: 'u32', doc: 'times that head went back to 0' },
    },
  },
  traceEvents: {
    doc: 'The newest trace events; the oldest row is overwritten.',
    rows: 'traceEvents',
    pooled: false,
    columns: {
      stamp: { type: 'u32', doc: 'head at the time of writing, plus 1; 0: empty, or being written' },
      type: { type: 'u16', doc: 'event number in the catalogue' },
      cpu: { type: 'u16', doc: 'processor' },
      task: { type: 'u32', doc: 'task, 0: none' },
      timeNs: { type: 'f64', doc: 'time since the start of the machine, ns' },
      args: { type: 'f64', cells: 8, doc: 'arguments, in the order of the catalogue' },
    },
  },
} as const;

/** The sizes that `TRACE_TABLES` need. A machine without tracing takes 1: the ring then costs a few cache lines. */
export function traceSizes(events: number): { readonly traceEvents: number; readonly traceRings: number } {
  return { traceEvents: events, traceRings: 1 };
}
