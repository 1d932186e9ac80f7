/** A stream: one pattern over one range of one process, and the times at which it is active. */
import type { Random } from '@thplab/arena';
import type { SourceKey, WorkTimes } from '../format/index.js';
import type { Process } from '../run/process-table.js';
import type { Pattern } from './patterns.js';

/** See the head of the file. */
export interface Stream {
  /** Row in `accessStream`. */
  readonly row: number;
  /** Row in `accessPart` of its first block, for analytic ones. */
  readonly part: number;
  readonly key: SourceKey;
  readonly process: Process;
  /** First page. */
  readonly start: number;
  readonly pages: number;
  readonly pattern: Pattern;
  readonly perSecond: number;
  /** Share of its accesses that write. */
  readonly write: number;
  readonly active: WorkTimes;
  readonly exact: boolean;
  readonly random: Random;
}

/** A time at which a stream is active, ns. */
export interface Window {
  readonly start: number;
  readonly end: number;
  /** Number of the window, from 0. */
  readonly turn: number;
}

/** The window that a time lies in, or the last one before it; undefined before the first. */
export function windowAt({ active }: Pick<Stream, 'active'>, nowNs: number): Window | undefined {
  const { start, length, every } = active;
  if (nowNs < start) return undefined;
  const turn = every === null ? 0 : Math.floor((nowNs - start) / every);
  const from = start + turn * (every ?? 0);
  return { start: from, end: length === null ? Number.POSITIVE_INFINITY : from + length, turn };
}

/** True if the stream is active at a time. */
export function isActive(stream: Pick<Stream, 'active'>, nowNs: number): boolean {
  const window = windowAt(stream, nowNs);
  return window !== undefined && nowNs < window.end;
}

/** The next time behind `nowNs` at which the stream begins or ends; Infinity if there is none. */
export function nextChange(stream: Pick<Stream, 'active'>, nowNs: number): number {
  const window = windowAt(stream, nowNs);
  if (window === undefined) return stream.active.start;
  if (nowNs < window.end) return window.end;
  return stream.active.every === null ? Number.POSITIVE_INFINITY : window.start + stream.active.every;
}

/** How long a stream is active before a time, ns. */
export function activeBefore({ active }: Pick<Stream, 'active'>, endNs: number): number {
  const { start, length, every } = active;
  const span = Math.max(0, endNs - start);
  if (length === null) return span;
  if (every === null) return Math.min(span, length);
  return Math.floor(span / every) * length + Math.min(span % every, length);
}

/** The part of pages [first, end) that a stream has, relative to its own first page; empty if none. */
export function within(stream: Stream, first: number, end: number): [number, number] {
  const from = Math.max(0, first - stream.start);
  return [from, Math.max(from, Math.min(stream.pages, end - stream.start))];
}

/** Uses of an entry in a second: accesses at random; rounds of a sweep, which stays while it is there. */
export function usesOfEntry(stream: Stream, accesses: number): number {
  const { sweep } = stream.pattern;
  return sweep === null ? accesses : stream.perSecond / sweep.positions;
}
