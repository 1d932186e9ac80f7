// Files below /proc/PID, opened and read with errors that a user understands. Everything is opened read-only;
// /proc/PID/mem is never opened.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { CaptureError, errnoOf } from './errors.js';

/** The files of one process below a /proc (or a directory of the same shape, in tests). */
export class ProcessFiles {
  readonly pid: number;
  readonly procRoot: string;

  constructor(procRoot: string, pid: number) {
    this.procRoot = procRoot;
    this.pid = pid;
  }

  path(name: string): string {
    return `${this.procRoot}/${this.pid}/${name}`;
  }

  /** The whole text of /proc/PID/NAME. @throws CaptureError */
  text(name: string): string {
    try {
      return readFileSync(this.path(name), 'utf8');
    } catch (error) {
      throw this.explain(error, name);
    }
  }

  /** The text of /proc/PID/NAME, or null when it cannot be read for whatever reason. */
  optionalText(name: string): string | null {
    return readTextOrNull(this.path(name));
  }

  /** Opens /proc/PID/NAME for reading. @throws CaptureError */
  open(name: string): ReadOnlyFile {
    try {
      return new ReadOnlyFile(this.path(name));
    } catch (error) {
      throw this.explain(error, name);
    }
  }

  /** The CaptureError for an error of the file system while reading /proc/PID/NAME. */
  explain(error: unknown, name: string): CaptureError {
    if (error instanceof CaptureError) return error;
    const errno = errnoOf(error);
    const cause = { cause: error };
    if (errno === 'EACCES' || errno === 'EPERM') {
      const message = `Not permitted to read ${this.path(name)}: process ${this.pid} belongs to another user or is protected. Run as that user, or as root.`;
      return new CaptureError('not-permitted', message, errno, cause);
    }
    if (errno === 'ENOENT') return noSuchProcess(this.pid, errno, cause);
    if (errno === 'ESRCH') return processEnded(this.pid, errno, cause);
    return new CaptureError('unreadable', `Cannot read ${this.path(name)}: ${String(error)}`, errno, cause);
  }
}

/** A file opened for reading at byte positions. */
export class ReadOnlyFile {
  readonly path: string;
  #fd: number;

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'r');
  }

  /**
   * Reads `bytes` bytes at byte `position` into the start of `buffer`; fewer only at the end of the file.
   * @returns the number of bytes read.
   */
  readAt(buffer: Uint8Array, bytes: number, position: number): number {
    let done = 0;
    while (done < bytes) {
      const got = readSync(this.#fd, buffer, done, bytes - done, position + done);
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** The text of a file, or null when it cannot be read for whatever reason. */
export function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** @internal */
export function noSuchProcess(pid: number, errno: string | null = null, options?: ErrorOptions): CaptureError {
  return new CaptureError(
    'no-such-process',
    `There is no process ${pid} (or it is not visible from here).`,
    errno,
    options,
  );
}

/** @internal */
export function processEnded(pid: number, errno: string | null = null, options?: ErrorOptions): CaptureError {
  const message = `Process ${pid} ended, or started another program, while it was being captured.`;
  return new CaptureError('process-ended', message, errno, options);
}
