/** Reading trace files back. What comes in is not trusted: every line is checked before it becomes an event. */
import type { EventShape, FieldPrint, TraceFormat } from '../catalogue.js';
import { TraceFormatError } from '../errors.js';
import type { TraceEvent } from '../reader.js';
import { NDJSON_FORMAT, type TraceFileHeader } from './ndjson.js';
import type { TaskName } from './print.js';

const LINE_CHARS_MAX = 1 << 20;
const PRINTS: readonly FieldPrint[] = ['%p', '0x%lx', '%lx', '%ld', '%d', '%u', '%s'];
const FORMATS: readonly TraceFormat[] = ['v6.13', 'v6.18', 'mthp-rfc', 'mthp', 'merged'];

/** An event of a file, with the texts that its writer gave the numbers. */
export interface TraceFileEvent extends TraceEvent {
  readonly text: Readonly<Record<string, string>>;
}

/** An opened trace file. The events can be read once. */
export interface TraceFile {
  readonly header: TraceFileHeader;
  readonly events: Generator<TraceFileEvent, void, undefined>;
}

/**
 * Reads a trace file from chunks of text, cut anywhere. Errors: TraceFormatError with the line, thrown here for the
 * version line and by the iteration for the others.
 */
export function readNdjson(chunks: Iterable<string>): TraceFile {
  const lines = splitLines(chunks);
  const first = lines.next();
  if (first.done === true) throw new TraceFormatError(1, 'the file is empty; expected the version line');
  const header = readHeader(first.value);
  return { header, events: readEvents(lines, header) };
}

/** The tasks of a file in the form that the decoders take; the texts come with the events. */
export function namesOf(header: TraceFileHeader): { tasks: (task: number) => TaskName | undefined } {
  return { tasks: (task) => (Object.hasOwn(header.tasks, task) ? header.tasks[task] : undefined) };
}

function* readEvents(lines: Iterator<Line>, header: TraceFileHeader): Generator<TraceFileEvent, void, undefined> {
  const shapes = new Map(header.events.map((shape) => [shape.name, shape]));
  for (let line = lines.next(); line.done !== true; line = lines.next()) {
    if (line.value.text !== '') yield readEvent(line.value, shapes);
  }
}

function readEvent(line: Line, shapes: ReadonlyMap<string, EventShape>): TraceFileEvent {
  const found = record(line, parse(line), 'an event');
  const name = string(line, found.event, 'event');
  const shape = shapes.get(name);
  if (shape === undefined) throw new TraceFormatError(line.number, `event '${name}' is not in the version line`);
  const given = record(line, found.args, 'args');
  const texts = record(line, found.text ?? {}, 'text');
  const args: Record<string, number> = {};
  const text: Record<string, string> = {};
  for (const field of shape.fields) {
    args[field.name] = number(line, given[field.name], `args.${field.name}`);
    if (field.print === '%s') text[field.name] = string(line, texts[field.name], `text.${field.name}`);
  }
  return {
    seq: count(line, found.seq, 'seq'),
    timeNs: number(line, found.timeNs, 'timeNs'),
    cpu: count(line, found.cpu, 'cpu'),
    task: count(line, found.task, 'task'),
    name,
    args,
    shape,
    text,
  };
}

function readHeader(line: Line): TraceFileHeader {
  const found = record(line, parse(line), 'the version line');
  if (found.format !== NDJSON_FORMAT) {
    throw new TraceFormatError(1, `format ${JSON.stringify(found.format)}; this code reads "${NDJSON_FORMAT}"`);
  }
  const tasks: Record<string, TaskName> = {};
  for (const [id, task] of Object.entries(record(line, found.tasks, 'tasks'))) {
    const { comm, pid } = record(line, task, `tasks.${id}`);
    tasks[id] = { comm: string(line, comm, 'comm'), pid: count(line, pid, 'pid') };
  }
  if (!Array.isArray(found.events)) throw new TraceFormatError(1, 'events is not a list');
  return {
    format: NDJSON_FORMAT,
    tracepoints: oneOf(line, found.tracepoints, FORMATS, 'tracepoints'),
    dropped: count(line, found.dropped, 'dropped'),
    tasks,
    events: found.events.map((shape: unknown) => readShape(line, shape)),
  };
}

function readShape(line: Line, value: unknown): EventShape {
  const shape = record(line, value, 'events[]');
  if (!Array.isArray(shape.fields)) throw new TraceFormatError(line.number, 'fields is not a list');
  return {
    name: string(line, shape.name, 'name'),
    system: string(line, shape.system, 'system'),
    origin: oneOf(line, shape.origin, ['kernel', 'thplab'] as const, 'origin'),
    ...(shape.line === undefined ? {} : { line: string(line, shape.line, 'line') }),
    fields: shape.fields.map((entry: unknown) => {
      const field = record(line, entry, 'fields[]');
      return { name: string(line, field.name, 'name'), print: oneOf(line, field.print, PRINTS, 'print') };
    }),
  };
}

interface Line {
  readonly number: number;
  readonly text: string;
}

function* splitLines(chunks: Iterable<string>): Generator<Line, void, undefined> {
  let rest = '';
  let count = 0;
  for (const chunk of chunks) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() as string;
    for (const text of parts) yield { number: ++count, text };
    if (rest.length > LINE_CHARS_MAX) {
      throw new TraceFormatError(count + 1, `longer than ${LINE_CHARS_MAX} characters`);
    }
  }
  if (rest !== '') yield { number: count + 1, text: rest };
}

function parse(line: Line): unknown {
  try {
    return JSON.parse(line.text);
  } catch {
    throw new TraceFormatError(line.number, 'not a JSON document');
  }
}

function record(line: Line, value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TraceFormatError(line.number, `${what} is not an object`);
}

function number(line: Line, value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new TraceFormatError(line.number, `${what} is not a number`);
}

function count(line: Line, value: unknown, what: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new TraceFormatError(line.number, `${what} is not a whole number from 0`);
}

function string(line: Line, value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new TraceFormatError(line.number, `${what} is not a text`);
}

function oneOf<T extends string>(line: Line, value: unknown, allowed: readonly T[], what: string): T {
  if (allowed.includes(value as T)) return value as T;
  throw new TraceFormatError(line.number, `${what} is ${JSON.stringify(value)}; expected one of ${allowed.join(', ')}`);
}
