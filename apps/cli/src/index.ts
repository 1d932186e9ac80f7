/** The command line as a function, for programs that want its output without a process of their own. */
export { main } from './cli.js';
export { EXIT, EXIT_MEANINGS, type ExitCode } from './exit.js';
export type { Io, TextSink } from './io.js';
export { processIo } from './process-io.js';
