/** Base of the errors of this package. */
export class TraceError extends Error {
  override readonly name: string = 'TraceError';
}

/** A trace file is not one, is of another version, or is damaged; `line` counts from 1. */
export class TraceFormatError extends TraceError {
  override readonly name: string = 'TraceFormatError';
  readonly line: number;

  constructor(line: number, what: string) {
    super(`trace line ${line}: ${what}`);
    this.line = line;
  }
}
