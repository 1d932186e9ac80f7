/** Long texts of other tools, line by line: a file is never in memory as a whole. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import type { Context } from '../context.js';
import { InputError, InterruptedError, UsageError } from '../errors.js';
import { bar, progressOf } from '../output/progress.js';
import { openFile, shownPath } from './open-file.js';

const CHUNK_BYTES = 2 ** 18;
/** Standard input is held in memory; nobody pipes more than this by intent. */
const LARGEST_STDIN = 2 ** 30;
/** No line of these tools comes near it. */
const LONGEST_LINE = 2 ** 16;

/** How long work on a file goes on, and what it says of itself. */
export interface LineOptions {
  readonly quiet?: boolean;
  /** What stands before the progress bar. */
  readonly what: string;
}

/**
 * Calls `visit` with each line and its number, from 1. Shows progress, and ends at Ctrl-C.
 * Errors: InputError for what cannot be read, is no UTF-8 text, or has a line of more than 64 KiB.
 */
export async function forEachLine(
  context: Context,
  path: string,
  options: LineOptions,
  visit: (line: string, number: number) => void,
): Promise<void> {
  if (path === '') throw new UsageError('an empty text is no file name');
  const shown = shownPath(path);
  const lines = new LineSplitter(shown, visit);
  if (path === '-') {
    const bytes = await context.io.readStdin((_, length) => length > LARGEST_STDIN);
    if (bytes.length > LARGEST_STDIN)
      throw new InputError(`<stdin>:1:1: more than ${LARGEST_STDIN} bytes`, { hasPlace: true });
    lines.take(bytes);
    lines.finish();
    return;
  }
  const signal = context.interruptible();
  const progress = progressOf(context, options.quiet);
  const fd = openFile(context, path);
  try {
    const total = fstatSync(fd).size;
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let done = 0; ; ) {
      const count = readSync(fd, chunk);
      if (count === 0) break;
      lines.take(chunk.subarray(0, count));
      done += count;
      progress.show(`${options.what}: ${bar(done, Math.max(total, done))}`);
      await new Promise(setImmediate);
      if (signal.aborted) throw new InterruptedError(`${lines.number} lines of ${shown} were read`);
    }
    lines.finish();
  } finally {
    closeSync(fd);
    progress.clear();
  }
}

class LineSplitter {
  number = 0;
  readonly #shown: string;
  readonly #visit: (line: string, number: number) => void;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #rest = '';

  constructor(shown: string, visit: (line: string, number: number) => void) {
    this.#shown = shown;
    this.#visit = visit;
  }

  take(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decode(bytes, true)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    if (this.#rest.length > LONGEST_LINE) this.#line(this.#rest);
  }

  finish(): void {
    const last = this.#rest + this.#decode(new Uint8Array(), false);
    if (last !== '') this.#line(last);
  }

  #line(line: string): void {
    this.number++;
    if (line.length > LONGEST_LINE)
      throw this.#error(`a line of more than ${LONGEST_LINE} characters; this is no text of lines`);
    this.#visit(line.endsWith('\r') ? line.slice(0, -1) : line, this.number);
  }

  #decode(bytes: Uint8Array, more: boolean): string {
    try {
      return this.#decoder.decode(bytes, { stream: more });
    } catch {
      this.number++;
      throw this.#error(
        'not UTF-8 text; "perf script" and "cat /proc/PID/smaps" print text (perf.data itself is binary)',
      );
    }
  }

  #error(what: string): InputError {
    return new InputError(`${this.#shown}:${this.number}:1: ${what}`, { hasPlace: true });
  }
}
