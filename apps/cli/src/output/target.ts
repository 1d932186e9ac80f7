/**
 * Where results go: standard output, or a file. A file appears under its name only when it is complete: everything is written
 * to a neighbour first, which is then renamed. What was there before stays until then. Links stay links, and what is no file
 * (a pipe, a device) is written to as it is: a rename would take its place.
 */
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Context } from '../context.js';
import { UsageError } from '../errors.js';
import { type Palette, palette } from './palette.js';

export interface Target {
  /** Colours that fit the place: none in a file. */
  readonly colors: Palette;
  write(data: string | Uint8Array): void;
  /** All is written: the file gets its name. */
  finish(): void;
  /** Leaves no trace of an unfinished file. Does nothing after finish. */
  abandon(): void;
}

/** Opens the place for results; `-` or undefined is standard output. */
export function openTarget(context: Context, file: string | undefined): Target {
  if (file === undefined || file === '-') {
    const { stdout } = context.io;
    return { colors: context.colors, write: (data) => stdout.write(data), finish: () => {}, abandon: () => {} };
  }
  return fileTarget(resolve(context.io.cwd, file), file);
}

/** Opens, lets `work` write, and finishes; or abandons if it throws. */
export async function withTarget(
  context: Context,
  file: string | undefined,
  work: (target: Target) => void | Promise<void>,
): Promise<void> {
  const target = openTarget(context, file);
  try {
    await work(target);
    target.finish();
  } finally {
    target.abandon();
  }
}

function fileTarget(given: string, shown: string): Target {
  const before = attempt(shown, () => statSync(given, { throwIfNoEntry: false }));
  if (before?.isDirectory()) throw new UsageError(`${shown} is a folder; name a file in it`);
  if (before !== undefined && !before.isFile()) return deviceTarget(given, shown);
  const path = before === undefined ? given : attempt(shown, () => realpathSync(given));
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const mode = before === undefined ? 0o666 : before.mode & 0o777;
  let fd: number | null = attempt(shown, () => openSync(temporary, 'w', mode));
  const close = (): void => {
    if (fd !== null) closeSync(fd);
    fd = null;
  };
  return {
    colors: palette(false),
    write: (data) => writeAll(fd as number, data, shown),
    finish() {
      attempt(shown, () => {
        fsyncSync(fd as number);
        close();
        renameSync(temporary, path);
      });
    },
    abandon() {
      close();
      rmSync(temporary, { force: true });
    },
  };
}

/** A pipe, a device, a socket: nothing to replace. */
function deviceTarget(path: string, shown: string): Target {
  let fd: number | null = attempt(shown, () => openSync(path, 'w'));
  const close = (): void => {
    if (fd !== null) closeSync(fd);
    fd = null;
  };
  return {
    colors: palette(false),
    write: (data) => writeAll(fd as number, data, shown),
    finish: () => attempt(shown, close),
    abandon: close,
  };
}

function writeAll(fd: number, data: string | Uint8Array, shown: string): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  attempt(shown, () => {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  });
}

function attempt<T>(shown: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const hint =
      code === 'ENOSPC' ? 'there is no space left' : 'name a file in a folder that exists and may be written';
    throw new UsageError(`${shown} cannot be written (${code}); ${hint}`);
  }
}
