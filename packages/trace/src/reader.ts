/** Reading the ring: events as objects, oldest first, with the fields that the generation has. */
import {
  type Catalogue,
  type EventArgs,
  type EventDecls,
  type EventShape,
  shapeOf,
  type TraceFormat,
} from './catalogue.js';
import { TraceRing, type TraceTables } from './ring.js';
import { TRACE_ARGS } from './tables.js';

/** One recorded event. */
export interface TraceEvent {
  /** Number of the event since the trace began, from 0. */
  readonly seq: number;
  /** Time since the start of the machine, ns. */
  readonly timeNs: number;
  readonly cpu: number;
  readonly task: number;
  readonly name: string;
  /** Arguments as numbers, by field name. */
  readonly args: Readonly<Record<string, number>>;
  /** Texts of the numbers, by field name; only events read from a file have them. */
  readonly text?: Readonly<Record<string, string>>;
  /** What the event prints, for decoders. */
  readonly shape: EventShape;
}

/** A recorded event of a known catalogue: its name tells its arguments. */
export type TraceEventOf<E extends EventDecls> = {
  readonly [N in keyof E & string]: TraceEvent & { readonly name: N; readonly args: EventArgs<E[N]> };
}[keyof E & string];

/** Reads the ring of an arena. Reading changes nothing; several readers do not disturb each other. */
export class TraceReader<E extends EventDecls = EventDecls> {
  readonly format: TraceFormat;
  /** The events that the generation has, by name. */
  readonly shapes: ReadonlyMap<string, EventShape>;
  readonly #ring: TraceRing;
  readonly #byId: (EventShape | undefined)[];
  readonly #places: (readonly number[])[];

  constructor(tables: TraceTables, catalogue: Catalogue<E>, format: TraceFormat = 'merged') {
    this.format = format;
    this.#ring = new TraceRing(tables);
    const decls = catalogue.names.map((name) => catalogue.decls[name]);
    this.#byId = decls.map((decl, id) => decl && shapeOf(catalogue.names[id] as string, decl, format));
    this.#places = this.#byId.map((shape, id) => {
      const all = Object.keys(decls[id]?.fields ?? {});
      return (shape?.fields ?? []).map((field) => all.indexOf(field.name));
    });
    this.shapes = new Map(this.#byId.flatMap((shape) => (shape === undefined ? [] : [[shape.name, shape]])));
  }

  /** Events recorded since the trace began. */
  get written(): number {
    return this.#ring.written;
  }

  /** Events overwritten since the trace began: older than the ring reaches back. */
  get dropped(): number {
    return this.#ring.oldest;
  }

  /**
   * The events from number `from` on, oldest first, as far as they are still there. An event that another thread is
   * overwriting at this moment is left out.
   */
  *events(from = 0): Generator<TraceEventOf<E>, void, undefined> {
    const end = this.#ring.written;
    for (let seq = Math.max(from, this.#ring.oldest); seq < end; seq++) {
      const event = this.at(seq);
      if (event !== undefined) yield event;
    }
  }

  /** Event number `seq`; undefined if it is overwritten, being written, or still to come. */
  at(seq: number): TraceEventOf<E> | undefined {
    return this.#read(seq) as TraceEventOf<E> | undefined;
  }

  /** True if a place in the ring is taken for the event, but another thread has not finished writing it. */
  isPending(seq: number): boolean {
    const at = seq % this.#ring.span;
    const written = Atomics.load(this.#ring.rows.stamp, at % this.#ring.capacity) === at + 1;
    return !written && seq >= this.#ring.oldest && seq < this.#ring.written;
  }

  /** A place in the trace that moves on with reading. */
  cursor(): TraceCursor<E> {
    return new TraceCursor(this);
  }

  #read(seq: number): TraceEvent | undefined {
    const { stamp, type, cpu, task, timeNs, args } = this.#ring.rows;
    const at = seq % this.#ring.span;
    const row = at % this.#ring.capacity;
    if (Atomics.load(stamp, row) !== at + 1) return undefined;
    const id = type[row] as number;
    const shape = this.#byId[id];
    if (shape === undefined) return undefined;
    const places = this.#places[id] as readonly number[];
    const values: Record<string, number> = {};
    shape.fields.forEach((field, i) => {
      values[field.name] = args[row * TRACE_ARGS + (places[i] as number)] as number;
    });
    const event = {
      seq,
      timeNs: timeNs[row] as number,
      cpu: cpu[row] as number,
      task: task[row] as number,
      name: shape.name,
      args: values,
      shape,
    };
    return Atomics.load(stamp, row) === at + 1 ? event : undefined;
  }
}

/** Reads each event once. After `clear` of the tracer, take a new one. */
export class TraceCursor<E extends EventDecls = EventDecls> {
  /** Number of the next event. */
  next = 0;
  /** Events that were overwritten before they were read. */
  lost = 0;
  readonly #reader: TraceReader<E>;

  constructor(reader: TraceReader<E>) {
    this.#reader = reader;
  }

  /** The events since the last call, oldest first, up to one that another thread is still writing. */
  *read(): Generator<TraceEventOf<E>, void, undefined> {
    const end = this.#reader.written;
    while (this.next < end) {
      const event = this.#reader.at(this.next);
      if (event === undefined && this.#reader.isPending(this.next)) return;
      const next = event === undefined ? Math.max(this.next + 1, this.#reader.dropped) : this.next + 1;
      if (event === undefined) this.lost += next - this.next;
      this.next = next;
      if (event !== undefined) yield event;
    }
  }
}
