/**
 * Chrome's trace event format in JSON, which Perfetto and chrome://tracing open: a track per task with its tracepoints as
 * instants and its lock holds and lock waits as slices, and counters (huge coverage, free memory, whatever is sampled).
 */
import type { TraceEvent } from '../reader.js';
import { placeSlices } from './lanes.js';
import { type DecodeNames, printField, taskOf, textOf } from './print.js';

/** A lock held by a task, from taken to given back. */
export interface LockHold {
  /** The lock, as `mmap_lock[3]`. */
  readonly lock: string;
  readonly mode: 'read' | 'write';
  readonly task: number;
  readonly cpu: number;
  readonly startNs: number;
  readonly endNs: number;
  /** How long the task waited before `startNs`. */
  readonly waitNs: number;
}

/** Values at one time. Each name is one counter track with one line per value. */
export interface CounterSample {
  readonly timeNs: number;
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
}

/** What a Chrome trace shows beside the events. */
export interface ChromeOptions extends DecodeNames {
  readonly holds?: Iterable<LockHold>;
  readonly counters?: Iterable<CounterSample>;
  /** Name of the process that the tracks stand under (default `thplab`). */
  readonly machine?: string;
  /** Facts about the run, shown by the viewer; texts. */
  readonly about?: Readonly<Record<string, string>>;
}

const PID = 1;
/** Track numbers of further lanes start here; a task's own track has the task's number. */
const FIRST_LANE = 2_000_000_000;

/** The trace as one JSON document, in chunks. */
export function* chromeTrace(events: Iterable<TraceEvent>, options: ChromeOptions = {}): Generator<string> {
  const tracks = new Tracks(options);
  yield '{"displayTimeUnit":"ns","traceEvents":[\n';
  yield JSON.stringify(meta('process_name', 0, { name: options.machine ?? 'thplab' }));
  for (const entry of entries(events, options, tracks)) yield `,\n${JSON.stringify(entry)}`;
  for (const { tid, name, place } of tracks.all) {
    yield `,\n${JSON.stringify(meta('thread_name', tid, { name }))}`;
    yield `,\n${JSON.stringify(meta('thread_sort_index', tid, { sort_index: place }))}`;
  }
  yield `\n],"otherData":${JSON.stringify({ format: 'thplab/chrome@1', ...options.about })}}\n`;
}

type Entry = Readonly<Record<string, unknown>>;

function* entries(
  events: Iterable<TraceEvent>,
  options: ChromeOptions,
  tracks: Tracks,
): Generator<Entry, void, undefined> {
  for (const { slice, lane } of placeSlices(lockSlices(options.holds ?? []))) {
    const { task, name, startNs, endNs, args } = slice;
    const tid = tracks.of(task, lane);
    yield { ph: 'X', cat: 'lock', name, pid: PID, tid, ts: us(startNs), dur: us(endNs - startNs), args };
  }
  for (const event of events) {
    const { name, shape, timeNs } = event;
    const tid = tracks.of(event.task, 0);
    yield { ph: 'i', s: 't', cat: shape.system, name, pid: PID, tid, ts: us(timeNs), args: argsOf(event, options) };
  }
  for (const { timeNs, name, values } of options.counters ?? []) {
    yield { ph: 'C', name, pid: PID, tid: 0, ts: us(timeNs), args: values };
  }
}

interface LockSlice {
  readonly task: number;
  readonly name: string;
  readonly startNs: number;
  readonly endNs: number;
  readonly args: Entry;
}

function* lockSlices(holds: Iterable<LockHold>): Generator<LockSlice, void, undefined> {
  for (const { lock, mode, task, cpu, startNs, endNs, waitNs } of holds) {
    const args = { lock, mode, cpu, waitNs };
    if (waitNs > 0) yield { task, name: `wait for ${lock}`, startNs: startNs - waitNs, endNs: startNs, args };
    yield { task, name: `${lock} ${mode}`, startNs, endNs, args };
  }
}

/** The tracks in use: one per task, and further ones for slices that do not nest. */
class Tracks {
  readonly #names: DecodeNames;
  readonly #byKey = new Map<string, { tid: number; name: string; task: number; lane: number }>();

  constructor(names: DecodeNames) {
    this.#names = names;
  }

  of(task: number, lane: number): number {
    const key = `${task}/${lane}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known.tid;
    const { comm, pid } = taskOf(this.#names, task);
    const tid = lane === 0 ? task : FIRST_LANE + this.#byKey.size;
    const name = lane === 0 ? `${comm}-${pid}` : `${comm}-${pid} locks ${lane}`;
    this.#byKey.set(key, { tid, name, task, lane });
    return tid;
  }

  /** Every track and its place in the viewer: by task, further lanes below their task. */
  get all(): { tid: number; name: string; place: number }[] {
    const sorted = [...this.#byKey.values()].sort((a, b) => a.task - b.task || a.lane - b.lane);
    return sorted.map(({ tid, name }, place) => ({ tid, name, place }));
  }
}

/** Arguments as a viewer should show them: numbers as numbers, addresses and texts as the kernel prints them. */
function argsOf(event: TraceEvent, names: DecodeNames): Entry {
  const args: Record<string, unknown> = { cpu: event.cpu };
  for (const { name, print } of event.shape.fields) {
    const value = event.args[name] ?? 0;
    const plain = print === '%d' || print === '%u' || print === '%ld';
    args[name] = plain ? value : printField(print, value, () => textOf(names, event, name));
  }
  return args;
}

function meta(name: string, tid: number, args: Entry): Entry {
  return { ph: 'M', name, pid: PID, tid, args };
}

/** Microseconds, the unit of the format; fractions are allowed. */
function us(ns: number): number {
  return ns / 1000;
}
