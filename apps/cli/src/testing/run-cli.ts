/** Runs the command line inside the test: streams, files and Ctrl-C are the test's own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { main } from '../cli.js';
import type { ExitCode } from '../exit.js';
import type { Io } from '../io.js';

export interface RunOptions {
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Both streams are terminals of this width. */
  readonly terminal?: number;
  readonly procRoot?: string;
  readonly sysRoot?: string;
  /** Thrown by writes to stdout: stands for a defect. */
  readonly defect?: Error;
  /** Ctrl-C is pressed when the condition first holds, checked at every write and every look at the clock. */
  readonly interruptWhen?: (so: { readonly stdout: string; readonly stderr: string }) => boolean;
  /** Ctrl-C is pressed at each of those times, not only at the first. */
  readonly interruptAgain?: boolean;
  /** Processors of the machine; default: not known. */
  readonly cores?: number;
  /** Modules of worker threads; default: those of the packages, from their sources. */
  readonly workers?: Partial<Io['workers']>;
}

export interface RunResult {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
  /** What was written to stdout as bytes. */
  readonly bytes: Uint8Array;
  /** Codes that exitNow was called with. */
  readonly exits: readonly number[];
}

const packages = new URL('../../../../packages/', import.meta.url);
const WORKERS: NonNullable<Io['workers']> = {
  scan: new URL('khugepaged-scheduler/src/testing/pool-worker.mjs', packages),
  whatIf: new URL('scenario/src/testing/what-if-worker.mjs', packages),
};

/** Runs `thplab` with the arguments. */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const text = { stdout: '', stderr: '' };
  const bytes: Uint8Array[] = [];
  const listeners = new Set<() => void>();
  const exits: number[] = [];
  let pressed = false;
  const look = (): void => {
    if ((pressed && !options.interruptAgain) || options.interruptWhen?.(text) !== true) return;
    pressed = true;
    for (const listener of listeners) listener();
  };
  const columns = options.terminal ?? null;
  const sink = (name: 'stdout' | 'stderr'): Io['stdout'] => ({
    isTerminal: columns !== null,
    columns,
    write: (chunk) => {
      if (name === 'stdout' && options.defect !== undefined) throw options.defect;
      if (typeof chunk === 'string') text[name] += chunk;
      else bytes.push(chunk);
      look();
    },
  });
  let clock = 0;
  const io: Io = {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: options.env ?? {},
    cwd: options.cwd ?? repository,
    procRoot: options.procRoot ?? '/proc',
    sysRoot: options.sysRoot ?? '/sys',
    readStdin: async () => Buffer.from(options.stdin ?? ''),
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exitNow: (code) => exits.push(code),
    ...(options.cores === undefined ? {} : { cores: options.cores }),
    workers: { ...WORKERS, ...options.workers },
    nowMs: () => {
      look();
      clock += 100;
      return clock;
    },
  };
  const code = await main(args, io);
  return { code, ...text, bytes: Buffer.concat(bytes), exits };
}

/** The root of the repository: examples are named from there. */
export const repository: string = join(import.meta.dirname, '../../../..');

/** A folder with these files, which is gone after the test. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'thplab-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** The text of a file below the repository. */
export function repositoryFile(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}
