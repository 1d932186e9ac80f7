/** What is wrong with a line of a text that another tool wrote. */
export class ImportError extends Error {
  override readonly name: string = 'ImportError';
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;

  constructor(line: number, column: number, message: string) {
    super(message);
    this.line = line;
    this.column = column;
  }
}
