/** Why a capture could not be made. The message is a sentence for the user; `code` and `errno` are for programs. */
export type CaptureErrorCode =
  | 'unsupported-platform'
  | 'no-such-process'
  | 'not-permitted'
  | 'process-ended'
  | 'no-memory'
  | 'unreadable'
  | 'too-large'
  | 'bad-argument';

/** A capture that cannot be made, or that cannot be finished. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly code: CaptureErrorCode;
  /** The errno name of the failed system call (`EACCES`, `ENOENT`, `ESRCH`, ...), if there was one. */
  readonly errno: string | null;

  constructor(code: CaptureErrorCode, message: string, errno: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.errno = errno;
  }
}

/** What is wrong with a snapshot file. */
export type SnapshotErrorCode =
  | 'not-a-snapshot'
  | 'unsupported-version'
  | 'truncated'
  | 'corrupted'
  | 'too-large'
  | 'inconsistent';

/** A snapshot file that cannot be read, or a snapshot that cannot be written. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code: SnapshotErrorCode;

  constructor(code: SnapshotErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The errno name of an error thrown by node:fs, or null. */
export function errnoOf(error: unknown): string | null {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
}
