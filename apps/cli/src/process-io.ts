/** The real surroundings: this process, its streams and its signals. */
import { Buffer } from 'node:buffer';
import { availableParallelism } from 'node:os';
import type { WriteStream } from 'node:tty';
import { EXIT } from './exit.js';
import type { Io, TextSink } from './io.js';

/** Bytes at the beginning that tell one kind of file from another. */
const HEAD_BYTES = 64;
/** What ends the work, with what was done so far. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The process's own streams. */
export function processIo(): Io {
  process.stderr.on('error', () => process.exit(process.exitCode ?? EXIT.done));
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const message = stdoutFailure(error);
    if (message === null) process.exit(process.exitCode ?? EXIT.done);
    process.stderr.write(`thplab: ${message}\n`);
    process.exit(EXIT.usage);
  });
  return {
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    procRoot: '/proc',
    sysRoot: '/sys',
    readStdin,
    onInterrupt(listener) {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener);
      };
    },
    exitNow: (code) => process.exit(code),
    cores: availableParallelism(),
    nowMs: () => performance.now(),
  };
}

/** What to say of a write to stdout that failed: nothing (null) if the reader has gone (`thplab ... | head`). */
export function stdoutFailure({ code, message }: Pick<NodeJS.ErrnoException, 'code' | 'message'>): string | null {
  if (code === 'EPIPE') return null;
  const why = code === 'ENOSPC' ? 'there is no space left' : message;
  return `standard output cannot be written (${code ?? 'unknown'}); ${why}`;
}

function sink(stream: NodeJS.WriteStream & Partial<WriteStream>): TextSink {
  const isTerminal = stream.isTTY === true;
  return {
    write: (data) => void stream.write(data),
    isTerminal,
    get columns() {
      return isTerminal ? (stream.columns ?? null) : null;
    },
  };
}

async function readStdin(isEnough: (head: Uint8Array, length: number) => boolean): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    // The first chunk grows until it can tell what this is.
    if (chunks.length === 1 && chunks[0].length < HEAD_BYTES) chunks[0] = Buffer.concat([chunks[0], bytes]);
    else chunks.push(bytes);
    if (isEnough(chunks[0], length)) break;
  }
  return Buffer.concat(chunks);
}
