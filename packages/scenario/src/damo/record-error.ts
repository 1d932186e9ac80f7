/** A record that cannot be read. The place counts from 1; for compressed records it is in the text inside. */
export class DamoRecordError extends Error {
  override readonly name = 'DamoRecordError';
  readonly line: number;
  readonly column: number;

  constructor(line: number, column: number, message: string) {
    super(message);
    this.line = line;
    this.column = column;
  }
}
