/** The worker's side: runs what it is told to, one task after the other. */
import { type EndMessage, type NamedProcedure, type StartMessage, sendError, type ThreadProgram } from './messages.js';
import { runOnThread } from './run-on-thread.js';

/** The port to the main thread, as `parentPort` of node:worker_threads has it. */
export interface ServedPort {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  postMessage(message: unknown): void;
}

/** How the worker is set up. */
export interface ServeOptions {
  /** Finds a procedure; default: imports its module. */
  readonly load?: (what: NamedProcedure) => Promise<ThreadProgram>;
}

/** Serves tasks from a ThreadsExecutor until the thread ends. */
export function serveThread(port: ServedPort, options: ServeOptions = {}): void {
  const load = options.load ?? importProgram;
  port.on('message', (message) => {
    const start = message as StartMessage;
    if (start.kind === 'start') void serve(start, load).then((end) => port.postMessage(end));
  });
}

async function serve(start: StartMessage, load: (what: NamedProcedure) => Promise<ThreadProgram>): Promise<EndMessage> {
  const { task, name, thread, cpu, timeScale, lockLimitMs } = start;
  try {
    const program = await load(start.what);
    const { result, cpuNs, steps } = runOnThread(program.domain, program.procedure, {
      ...program,
      task,
      name,
      thread,
      cpu,
      timeScale,
      lockLimitMs,
    });
    return { kind: 'done', task, result, cpuNs, steps };
  } catch (error) {
    return { kind: 'failed', task, error: sendError(error) };
  }
}

async function importProgram(what: NamedProcedure): Promise<ThreadProgram> {
  const module = (await import(what.module)) as Record<string, unknown>;
  const make = module[what.export];
  if (typeof make !== 'function') throw new TypeError(`${what.module} exports no function '${what.export}'`);
  return (await make(what.data)) as ThreadProgram;
}
