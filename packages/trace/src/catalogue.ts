/**
 * How tracepoints are declared: as data, once per event, with all fields that any kernel generation prints. What a
 * generation does not have is marked by `in`. Names, field order and print forms are the kernel's; everything that
 * depends on them (the typed `emit`, the decoders, the header of a trace file) is made from the declaration.
 */
import { asBrand, type Brand } from '@thplab/arena';
import { TraceError } from './errors.js';
import { TRACE_ARGS } from './tables.js';

/**
 * Generations of the tracepoints' fields.
 *
 * - `v6.13`: PMD order only, with `writable`.
 * - `v6.18`: PMD order only, without it.
 * - `mthp-rfc`: `writable` and `order` (mTHP series on a base that still had the writable rule).
 * - `mthp`: `order`.
 * - `merged`: `order`, and the event `mm_khugepaged_scan`.
 */
export type TraceFormat = 'v6.13' | 'v6.18' | 'mthp-rfc' | 'mthp' | 'merged';

/** C print form of a field. A `%s` field holds a number too: the reader's `texts` turns it into its text. */
export type FieldPrint = '%p' | '0x%lx' | '%lx' | '%ld' | '%d' | '%u' | '%s';

/** One field of an event. */
export interface FieldDecl {
  readonly print: FieldPrint;
  /** Generations that have the field; unset: all. */
  readonly in?: readonly TraceFormat[];
  readonly doc: string;
}

/** One event. The order of the fields is that of the printed line; at most eight. */
export interface EventDecl {
  /** Group of the event, as under the kernel's events directory. */
  readonly system: string;
  /** `kernel`: a tracepoint of Linux; `thplab`: one that only this laboratory has. */
  readonly origin: 'kernel' | 'thplab';
  /** Generations that have the event; unset: all. */
  readonly in?: readonly TraceFormat[];
  readonly doc: string;
  /**
   * The kernel's own line where it is not `name=value, name=value`: `{field}` stands for a field as it prints,
   * `{field/N}` and `{field%N}` for the two parts of one that holds two numbers.
   */
  readonly line?: string;
  readonly fields: Readonly<Record<string, FieldDecl>>;
}

/** A set of events by name. */
export type EventDecls = Readonly<Record<string, EventDecl>>;

/** Number of an event in its catalogue, from 1. */
export type EventId = Brand<'EventId'>;

type FieldsOf<D extends EventDecl> = D['fields'];
type SomeFormats<F> = { [K in keyof F]: F[K] extends { readonly in: unknown } ? K : never }[keyof F];

/** Arguments of an event by field name; those that only some generations have are optional. */
export type EventArgs<D extends EventDecl> = {
  readonly [K in Exclude<keyof FieldsOf<D>, SomeFormats<FieldsOf<D>>>]: number;
} & {
  readonly [K in SomeFormats<FieldsOf<D>>]?: number;
};

/** Events with their numbers. */
export interface Catalogue<E extends EventDecls = EventDecls> {
  readonly decls: E;
  /** Names by number; the place 0 is unused. */
  readonly names: readonly string[];
  readonly ids: { readonly [N in keyof E]: EventId };
}

/**
 * Numbers the events, in the order given. To add events to another package's: `defineEvents({ ...theirs, ...mine })`,
 * with both declared `as const`. Errors: TraceError for a name or a number of fields that cannot be.
 */
export function defineEvents<const E extends EventDecls>(decls: E): Catalogue<E> {
  const ids: Record<string, EventId> = {};
  const names = [''];
  for (const [name, decl] of Object.entries(decls)) {
    const fields = Object.keys(decl.fields);
    for (const word of [name, ...fields]) {
      if (!/^[a-z][a-z0-9_]*$/i.test(word)) {
        throw new TraceError(`event '${name}': '${word}' is no name; letters, digits and underscores are`);
      }
    }
    if (fields.length > TRACE_ARGS) {
      throw new TraceError(`event '${name}' has ${fields.length} fields; an event holds at most ${TRACE_ARGS}`);
    }
    ids[name] = asBrand<EventId>(names.length);
    names.push(name);
  }
  return { decls, names, ids: ids as Catalogue<E>['ids'] };
}

/** What one generation prints of an event. Plain data: the header of a trace file is made of it. */
export interface EventShape {
  readonly name: string;
  readonly system: string;
  readonly origin: 'kernel' | 'thplab';
  /** See EventDecl. */
  readonly line?: string;
  readonly fields: readonly { readonly name: string; readonly print: FieldPrint }[];
}

/** The event as the generation prints it, or undefined if the generation does not have it. */
export function shapeOf(name: string, decl: EventDecl, format: TraceFormat): EventShape | undefined {
  if (!isIn(decl, format)) return undefined;
  const fields = Object.entries(decl.fields)
    .filter(([, field]) => isIn(field, format))
    .map(([field, { print }]) => ({ name: field, print }));
  const line = decl.line === undefined ? {} : { line: decl.line };
  return { name, system: decl.system, origin: decl.origin, ...line, fields };
}

function isIn(decl: { readonly in?: readonly TraceFormat[] }, format: TraceFormat): boolean {
  return decl.in === undefined || decl.in.includes(format);
}
