/** In which form a trace is written: what the option says, else what the name of the file says. */
import { UsageError } from '../../errors.js';

export const TRACE_FORMATS = ['ftrace', 'ndjson', 'chrome'] as const;
export type TraceFileFormat = (typeof TRACE_FORMATS)[number];

const SUFFIXES: Readonly<Record<string, TraceFileFormat>> = { txt: 'ftrace', ndjson: 'ndjson', json: 'chrome' };

/** null: no trace is wanted. Errors: UsageError for a name that says nothing. */
export function traceFormatOf(options: {
  readonly trace?: string;
  readonly traceFormat?: TraceFileFormat;
}): TraceFileFormat | null {
  const { trace, traceFormat } = options;
  if (trace === undefined) {
    if (traceFormat === undefined) return null;
    throw new UsageError('--trace-format without --trace; name the file with --trace FILE');
  }
  const format = traceFormat ?? SUFFIXES[/\.([a-z]+)$/.exec(trace)?.[1] ?? ''];
  if (format !== undefined) return format;
  throw new UsageError(
    `${trace} does not say its format; end it with .txt (ftrace), .ndjson or .json (Perfetto), or give --trace-format`,
  );
}
