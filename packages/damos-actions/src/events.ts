/** Tracepoints of DAMON (DAMON spec 7), for the catalogue of a tracer: `defineEvents({ ...TRACE_EVENTS.decls, ...DAMON_EVENTS })`. */
import { type Catalogue, defineEvents } from '@thplab/trace';

/**
 * The fields are the kernel's, by name, in its order. The kernel prints a region as `START-END: NR AGE`; here its four
 * numbers are four fields.
 */
export const DAMON_EVENTS = {
  damon_aggregated: {
    system: 'damon',
    origin: 'kernel',
    doc: 'An aggregation of a region is over; its counters have not been set back yet.',
    fields: {
      target_id: { print: '%u', doc: 'number of the target' },
      nr_regions: { print: '%u', doc: 'regions of the target' },
      start: { print: '%u', doc: 'first address' },
      end: { print: '%u', doc: 'one past the last address' },
      nr_accesses: { print: '%u', doc: 'samples with an access' },
      age: { print: '%u', doc: 'age in aggregations' },
    },
  },
  damos_before_apply: {
    system: 'damon',
    origin: 'kernel',
    doc: 'A scheme is about to be applied to a region.',
    fields: {
      ctx_idx: { print: '%u', doc: 'number of the context' },
      scheme_idx: { print: '%u', doc: 'number of the scheme' },
      target_idx: { print: '%u', doc: 'number of the target' },
      nr_regions: { print: '%u', doc: 'regions of the target' },
      start: { print: '%u', doc: 'first address' },
      end: { print: '%u', doc: 'one past the last address' },
      nr_accesses: { print: '%u', doc: 'moving sum of samples with an access' },
      age: { print: '%u', doc: 'age in aggregations' },
    },
  },
  damon_monitor_intervals_tune: {
    system: 'damon',
    origin: 'kernel',
    doc: 'Auto-tuning has set the intervals.',
    fields: { sample_us: { print: '%u', doc: 'new sampling interval' } },
  },
  damos_esz: {
    system: 'damon',
    origin: 'kernel',
    doc: 'A charge window begins with another effective quota.',
    fields: {
      ctx_idx: { print: '%u', doc: 'number of the context' },
      scheme_idx: { print: '%u', doc: 'number of the scheme' },
      esz: { print: '%u', doc: 'effective quota, bytes' },
    },
  },
} as const;

/** The events' type. */
export type DamonEvents = typeof DAMON_EVENTS;

/** The catalogue of these events alone. */
export const DAMON_CATALOGUE: Catalogue<DamonEvents> = defineEvents(DAMON_EVENTS);
