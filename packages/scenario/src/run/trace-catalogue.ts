/** All tracepoints that a run can record. */
import { DAMON_EVENTS, type DamonEvents } from '@thplab/damos-actions';
import { type Catalogue, defineEvents, TRACE_EVENTS, type TraceEvents } from '@thplab/trace';

/** Events of the kernel's memory management and of DAMON, and thplab's own. */
export type RunEvents = TraceEvents & DamonEvents;

/** Their catalogue. */
export const RUN_EVENTS: Catalogue<RunEvents> = defineEvents({ ...TRACE_EVENTS.decls, ...DAMON_EVENTS });
