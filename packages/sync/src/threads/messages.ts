/**
 * What a main thread and its workers say to each other. A procedure cannot be sent: a worker imports a module and calls one
 * of its exports with the data that came along.
 */
import type { BlockedTask } from '../errors.js';
import type { Current, ExecutorObserver } from '../executor.js';
import type { SyncDomain } from '../locks.js';
import type { Procedure } from '../operations.js';
import { LockTimeoutError, StoppedError } from './errors.js';
import type { ThreadsView } from './tables.js';
import type { ThreadGate } from './thread-gate.js';

/** A procedure by name. The export is a function of the data that gives a ThreadProgram. */
export interface NamedProcedure {
  /** URL of the module. */
  readonly module: string;
  readonly export: string;
  /** Anything that can be cloned; shared buffers stay shared. */
  readonly data?: unknown;
}

/** What a worker needs to run a procedure. */
export interface ThreadProgram<T = unknown> {
  /** Declared as on every other thread. */
  readonly domain: SyncDomain;
  readonly tables: ThreadsView;
  readonly procedure: Procedure<T>;
  readonly current?: Current;
  readonly observer?: ExecutorObserver;
  /** Keeps steps whole; default: nothing does. */
  readonly gate?: ThreadGate;
}

/** The start of a task on a worker. */
export interface StartMessage {
  readonly kind: 'start';
  readonly what: NamedProcedure;
  readonly thread: number;
  readonly task: number;
  readonly name: string;
  readonly cpu: number;
  readonly timeScale: number;
  readonly lockLimitMs: number;
}

/** The end of one. */
export type EndMessage =
  | {
      readonly kind: 'done';
      readonly task: number;
      readonly result: unknown;
      readonly cpuNs: number;
      readonly steps: number;
    }
  | { readonly kind: 'failed'; readonly task: number; readonly error: SentError };

/** An error on its way to another thread: its class is told by name, because a clone loses it. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly limitMs?: number;
  readonly chain?: readonly BlockedTask[];
  readonly deadlock?: boolean;
}

/** Makes an error ready to be sent. */
export function sendError(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  const { name, message, stack } = error;
  if (!(error instanceof LockTimeoutError)) return { name, message, stack };
  const { limitMs, chain, deadlock } = error;
  return { name, message, stack, limitMs, chain, deadlock };
}

/** The error again, as far as its class is known here. */
export function receiveError(sent: SentError): Error {
  if (sent.name === 'StoppedError') return new StoppedError(sent.message);
  if (sent.name === 'LockTimeoutError') {
    return new LockTimeoutError(sent.limitMs ?? 0, sent.chain ?? [], sent.deadlock ?? false);
  }
  const error = new Error(sent.message);
  error.name = sent.name;
  if (sent.stack !== undefined) error.stack = sent.stack;
  return error;
}
