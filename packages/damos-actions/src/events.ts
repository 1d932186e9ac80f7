/** Tracepoints of DAMON (DAMON spec 7), for the catalogue of a tracer: `defineEvents({ ...TRACE_EVENTS.decls, ...DAMON_EVENTS })`. */
import { type Catalogue, defineEvents } from '@thplab/trace';

/** Two small numbers in one field: the upper one times this, plus the lower one. */
export const PAIR = 65_536;

/**
 * The fields are the kernel's, by name, in its order. The kernel prints a region as `START-END: NR AGE`: its four numbers are
 * four fields, and the line puts them together again.
 */
export const DAMON_EVENTS = {
  damon_aggregated: {
    system: 'damon',
    origin: 'kernel',
    doc: 'An aggregation of a region is over; its counters have not been set back yet.',
    line: 'target_id={target_id} nr_regions={nr_regions} {start}-{end}: {nr_accesses} {age}',
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
    line: 'ctx_idx={ctx_idx} scheme_idx={scheme_idx} target_idx={target_idx} nr_regions={nr_regions} {start}-{end}: {nr_accesses} {age}',
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
    line: 'ctx_idx={ctx_idx} scheme_idx={scheme_idx} esz={esz}',
    fields: {
      ctx_idx: { print: '%u', doc: 'number of the context' },
      scheme_idx: { print: '%u', doc: 'number of the scheme' },
      esz: { print: '%u', doc: 'effective quota, bytes' },
    },
  },
  damos_stat_after_apply_interval: {
    system: 'damon',
    origin: 'kernel',
    doc: 'A round of a scheme is over (7.0). The line calls the bytes applied sz_tried once more, as the kernel does.',
    line: 'ctx_idx={scheme/65536} scheme_idx={scheme%65536} nr_tried={nr_tried} sz_tried={sz_tried} nr_applied={nr_applied} sz_tried={sz_applied} sz_ops_filter_passed={sz_ops_filter_passed} qt_exceeds={qt_exceeds} nr_snapshots={nr_snapshots}',
    fields: {
      scheme: { print: '%u', doc: 'number of the context times 65536, plus number of the scheme' },
      nr_tried: { print: '%u', doc: 'regions that it was tried on' },
      sz_tried: { print: '%u', doc: 'their bytes' },
      nr_applied: { print: '%u', doc: 'regions in which it did something' },
      sz_applied: { print: '%u', doc: 'bytes that it dealt with' },
      sz_ops_filter_passed: { print: '%u', doc: 'bytes that operations filters let pass' },
      qt_exceeds: { print: '%u', doc: 'windows that used up their quota' },
      nr_snapshots: { print: '%u', doc: 'walks over all regions' },
    },
  },
} as const;

/** The events' type. */
export type DamonEvents = typeof DAMON_EVENTS;

/** The catalogue of these events alone. */
export const DAMON_CATALOGUE: Catalogue<DamonEvents> = defineEvents(DAMON_EVENTS);
