/** The real surroundings: this process, its streams and its signals. */
import { Buffer } from 'node:buffer';
import type { WriteStream } from 'node:tty';
import { EXIT } from './exit.js';
import type { Io, TextSink } from './io.js';

/** Bytes at the beginning that tell one kind of file from another. */
const HEAD_BYTES = 64;

/** The process's own streams. A reader that goes away (`thplab ... | head`) ends the process without a word. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(process.exitCode ?? EXIT.done);
    });
  }
  return {
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    procRoot: '/proc',
    sysRoot: '/sys',
    readStdin,
    onInterrupt(listener) {
      process.on('SIGINT', listener);
      return () => process.off('SIGINT', listener);
    },
    exitNow: (code) => process.exit(code),
    nowMs: () => performance.now(),
  };
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
