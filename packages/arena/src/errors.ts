/** Base of all errors this package throws, so that a caller can tell them from defects of its own. */
export class ArenaError extends Error {
  override readonly name: string = 'ArenaError';
}

/** A table has no free row left. Names the table and the limit to raise. */
export class TableFullError extends ArenaError {
  override readonly name: string = 'TableFullError';
  readonly table: string;
  readonly limit: string;
  readonly capacity: number;

  constructor(table: string, limit: string, capacity: number) {
    super(`table '${table}' is full: all ${capacity} rows are in use; raise the limit '${limit}'`);
    this.table = table;
    this.limit = limit;
    this.capacity = capacity;
  }
}

/** A buffer or file is not an arena, or an arena of another layout or version. */
export class LayoutMismatchError extends ArenaError {
  override readonly name: string = 'LayoutMismatchError';
}

/** Bytes are not a file of an arena, or a damaged or unreasonable one. */
export class ArenaFileError extends ArenaError {
  override readonly name: string = 'ArenaFileError';
}
