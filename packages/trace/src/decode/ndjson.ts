/**
 * The trace file of thplab: one JSON document per line. The first line says the version and the shape of every event, so
 * that a file explains itself; each further line is one event with its arguments as numbers, and the texts of those that
 * have one beside them.
 */
import type { EventShape, TraceFormat } from '../catalogue.js';
import type { TraceEvent } from '../reader.js';
import { type DecodeNames, type TaskName, textOf } from './print.js';

/** Value of `format` in the first line. */
export const NDJSON_FORMAT = 'thplab/trace@1';

/** First line of a trace file. */
export interface TraceFileHeader {
  readonly format: typeof NDJSON_FORMAT;
  /** Generation of the tracepoints. */
  readonly tracepoints: TraceFormat;
  /** Events that were overwritten before they could be written to the file. */
  readonly dropped: number;
  /** Tasks by number. */
  readonly tasks: Readonly<Record<string, TaskName>>;
  /** What the events print. */
  readonly events: readonly EventShape[];
}

/** What goes into the first line, and the texts. */
export interface NdjsonOptions extends DecodeNames {
  readonly tracepoints?: TraceFormat;
  readonly dropped?: number;
  /** The events that can occur. */
  readonly shapes: Iterable<EventShape>;
  /** Numbers of the tasks that the header names through `tasks`. */
  readonly taskIds?: Iterable<number>;
}

/** Events as lines of JSON, the version line first. */
export function* ndjson(events: Iterable<TraceEvent>, options: NdjsonOptions): Generator<string> {
  const tasks: Record<string, TaskName> = {};
  for (const id of options.taskIds ?? []) {
    const task = options.tasks?.(id);
    if (task !== undefined) tasks[id] = { comm: task.comm, pid: task.pid };
  }
  const header: TraceFileHeader = {
    format: NDJSON_FORMAT,
    tracepoints: options.tracepoints ?? 'merged',
    dropped: options.dropped ?? 0,
    tasks,
    events: [...options.shapes],
  };
  yield `${JSON.stringify(header)}\n`;
  for (const event of events) yield ndjsonLine(event, options);
}

/** One event as a line. */
export function ndjsonLine(event: TraceEvent, names: DecodeNames = {}): string {
  const { seq, timeNs, cpu, task, name, args } = event;
  const text: Record<string, string> = {};
  for (const field of event.shape.fields) {
    if (field.print === '%s') text[field.name] = textOf(names, event, field.name);
  }
  return `${JSON.stringify({ seq, timeNs, cpu, task, event: name, args, text })}\n`;
}
