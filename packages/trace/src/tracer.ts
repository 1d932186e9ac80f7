/**
 * Recording. The model calls `event` (numbers only, nothing allocated) or `emit` (by name, checked by the compiler); both
 * cost one test of a boolean while tracing is off. The time comes from the executor's `current`, never from a real clock.
 */
import type { Catalogue, EventArgs, EventDecls, EventId, TraceFormat } from './catalogue.js';
import { shapeOf } from './catalogue.js';
import { TraceError } from './errors.js';
import { TraceReader } from './reader.js';
import { TraceRing, type TraceTables } from './ring.js';

/** What the tracer asks for the time and place of an event: the executor's `current`. */
export interface TraceClock {
  /** Time since the machine started, ns. */
  readonly nowNs: number;
  readonly cpu: number;
  readonly task: number;
}

/** How to trace. */
export interface TracerOptions<E extends EventDecls = EventDecls> {
  /** Generation of the fields (default `merged`). Events it does not have are not recorded. */
  readonly format?: TraceFormat;
  /** Record from the start (default true). */
  readonly enabled?: boolean;
  /** Events to record (default all that the generation has). */
  readonly only?: Iterable<keyof E & string>;
  /**
   * Called before an event would overwrite one recorded since the last call: the place to read the ring in a run that
   * must lose nothing. It must not record events.
   */
  readonly onFull?: () => void;
}

/**
 * What the model sees of a tracer. A package that records asks for an emitter of its own events; a tracer whose catalogue
 * has more of them serves it too.
 */
export interface TraceEmitter<E extends EventDecls = EventDecls> {
  readonly ids: Catalogue<E>['ids'];
  readonly enabled: boolean;
  emit<N extends keyof E & string>(name: N, args: EventArgs<E[N]>): void;
  event(
    id: EventId,
    a?: number,
    b?: number,
    c?: number,
    d?: number,
    e?: number,
    f?: number,
    g?: number,
    h?: number,
  ): void;
  wants(name: keyof E & string): boolean;
}

/** Records events into the ring of an arena. One per thread; all of an arena share the ring. */
export class Tracer<E extends EventDecls = EventDecls> implements TraceEmitter<E> {
  readonly catalogue: Catalogue<E>;
  readonly format: TraceFormat;
  /** Numbers of the events, for `event`. */
  readonly ids: Catalogue<E>['ids'];
  /** The switch. Off costs one test per call. */
  enabled: boolean;
  readonly #ring: TraceRing;
  readonly #tables: TraceTables;
  readonly #clock: TraceClock;
  readonly #wanted: Uint8Array;
  readonly #onFull: (() => void) | undefined;
  #sinceFull = 0;

  constructor(tables: TraceTables, catalogue: Catalogue<E>, clock: TraceClock, options: TracerOptions<E> = {}) {
    this.catalogue = catalogue;
    this.ids = catalogue.ids;
    this.format = options.format ?? 'merged';
    this.enabled = options.enabled ?? true;
    this.#tables = tables;
    this.#ring = new TraceRing(tables);
    this.#clock = clock;
    this.#onFull = options.onFull;
    this.#wanted = wantedEvents(catalogue, this.format, options.only);
  }

  /** Records an event; arguments by field name. Those that the generation does not print may be left out. */
  emit<N extends keyof E & string>(name: N, args: EventArgs<E[N]>): void {
    if (!this.enabled) return;
    const values = args as Readonly<Record<string, number>>;
    const fields = Object.keys((this.catalogue.decls[name] as E[N]).fields);
    const at = (i: number): number => values[fields[i] as string] ?? 0;
    this.event(this.ids[name], at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7));
  }

  /**
   * Records an event; arguments by place. The places are those of all declared fields, also of those that the generation
   * does not print (give 0).
   */
  event(id: EventId, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0): void {
    if (!this.enabled || this.#wanted[id] !== 1) return;
    if (this.#onFull !== undefined && ++this.#sinceFull > this.#ring.capacity) {
      this.#onFull();
      this.#sinceFull = 1;
    }
    const ring = this.#ring;
    const at = ring.reserve();
    const row = at % ring.capacity;
    const { stamp, type, cpu, task, timeNs, args } = ring.rows;
    Atomics.store(stamp, row, 0);
    type[row] = id;
    cpu[row] = this.#clock.cpu;
    task[row] = this.#clock.task;
    timeNs[row] = this.#clock.nowNs;
    const first = row * 8;
    args[first] = a;
    args[first + 1] = b;
    args[first + 2] = c;
    args[first + 3] = d;
    args[first + 4] = e;
    args[first + 5] = f;
    args[first + 6] = g;
    args[first + 7] = h;
    Atomics.store(stamp, row, at + 1);
  }

  /** True if an event of that name would be recorded now: for arguments that cost something to work out. */
  wants(name: keyof E & string): boolean {
    return this.enabled && this.#wanted[this.ids[name]] === 1;
  }

  /** A reader of the same ring. */
  reader(): TraceReader<E> {
    return new TraceReader(this.#tables, this.catalogue, this.format);
  }

  /** Forgets all recorded events. Not while other threads record. */
  clear(): void {
    this.#ring.clear();
    this.#sinceFull = 0;
  }
}

function wantedEvents(catalogue: Catalogue, format: TraceFormat, only: Iterable<string> | undefined): Uint8Array {
  const wanted = new Uint8Array(catalogue.names.length);
  for (const name of only ?? catalogue.names.slice(1)) {
    const decl = catalogue.decls[name];
    const id = catalogue.ids[name];
    if (decl === undefined || id === undefined) {
      throw new TraceError(`no event '${name}'; there are: ${catalogue.names.slice(1).join(', ')}`);
    }
    if (shapeOf(name, decl, format) !== undefined) wanted[id] = 1;
  }
  return wanted;
}
