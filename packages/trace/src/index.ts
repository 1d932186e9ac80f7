export {
  type Catalogue,
  defineEvents,
  type EventArgs,
  type EventDecl,
  type EventDecls,
  type EventId,
  type EventShape,
  type FieldDecl,
  type FieldPrint,
  shapeOf,
  type TraceFormat,
} from './catalogue.js';
export { type ChromeOptions, type CounterSample, chromeTrace, type LockHold } from './decode/chrome.js';
export { type FtraceOptions, ftraceLine, ftraceText } from './decode/ftrace.js';
export { NDJSON_FORMAT, type NdjsonOptions, ndjson, ndjsonLine, type TraceFileHeader } from './decode/ndjson.js';
export { type DecodeNames, printArgs, printField, type TaskName } from './decode/print.js';
export { namesOf, readNdjson, type TraceFile, type TraceFileEvent } from './decode/read-ndjson.js';
export { TraceError, TraceFormatError } from './errors.js';
export { HUGE_MEMORY_EVENTS, THPLAB_EVENTS, TRACE_EVENTS, type TraceEvents } from './events.js';
export { LockRecorder, type LockRecorderOptions } from './lock-recorder.js';
export { TraceCursor, type TraceEvent, type TraceEventOf, TraceReader } from './reader.js';
export type { TraceTables } from './ring.js';
export { TRACE_ARGS, TRACE_TABLES, traceSizes } from './tables.js';
export { type TraceClock, type TraceEmitter, Tracer, type TracerOptions } from './tracer.js';
