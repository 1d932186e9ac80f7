/** The error this package throws when it is called wrongly. A bad *write* is not one: parseWrite returns it as data. */

export type SysfsSchemaErrorCode =
  | 'bad-geometry'
  | 'unknown-profile'
  | 'unknown-path'
  | 'unknown-key'
  | 'unknown-counter'
  | 'bad-value'
  | 'bad-write';

export class SysfsSchemaError extends Error {
  readonly code: SysfsSchemaErrorCode;

  constructor(code: SysfsSchemaErrorCode, message: string) {
    super(message);
    this.name = 'SysfsSchemaError';
    this.code = code;
  }
}
