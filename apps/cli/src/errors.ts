/**
 * Failures that a user can do something about, each with its exit code. Whatever else is thrown is a defect in thplab (70).
 * Errors of other packages are turned into these where their package is called, so that this file needs none of them.
 */
import { EXIT, type ExitCode } from './exit.js';

/** A failure with its exit code. The message is complete: one or more lines that say what is wrong and what would be right. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exitCode: ExitCode;
  /** True if the message starts with the place in a file: nothing is put before it, so that editors find the place. */
  readonly hasPlace: boolean;

  constructor(
    exitCode: ExitCode,
    message: string,
    options: { readonly hasPlace?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.hasPlace = options.hasPlace ?? false;
  }
}

/** The command line itself is wrong. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super(EXIT.usage, message);
  }
}

/** What the command line names cannot be used: a file, a snapshot, a process. */
export class InputError extends CliError {
  override readonly name = 'InputError';

  constructor(message: string, options: { readonly hasPlace?: boolean; readonly cause?: unknown } = {}) {
    super(EXIT.input, message, options);
  }
}

/** A limit ended the work. */
export class LimitError extends CliError {
  override readonly name = 'LimitError';

  constructor(message: string, cause?: unknown) {
    super(EXIT.limit, message, { cause });
  }
}

/** A thread ended, or waited too long: nothing that the user did. */
export class ThreadError extends CliError {
  override readonly name = 'ThreadError';

  constructor(message: string, repeat: string, cause: unknown) {
    super(EXIT.defect, `${message}\nrepeat: ${repeat}\nwith --threads 0 the result is the same`, { cause });
  }
}

/** The user ended the work before there was anything to show. */
export class InterruptedError extends CliError {
  override readonly name = 'InterruptedError';

  constructor(what: string) {
    super(EXIT.interrupted, `interrupted: ${what}`);
  }
}

/** Where defects are reported. */
export const REPORT_TO = 'the issue tracker that `npm bugs thplab` opens';

/** What a user sees of an unknown exception: that it is not their mistake, how to repeat it, where to report it. */
export function defectText(error: unknown, command: string, version: string): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = [
    'thplab: a defect in thplab, not in your input:',
    ...stack.split('\n').slice(0, 12),
    `repeat: ${command}`,
    `report: the lines above, the input file, and "thplab ${version} on Node ${process.version}" to ${REPORT_TO}`,
  ];
  return `${lines.join('\n')}\n`;
}
