/** What one run of the command line carries around: surroundings, version, colours, the exit code so far, Ctrl-C. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT, type ExitCode } from './exit.js';
import type { Io } from './io.js';
import { type Palette, paletteFor } from './output/palette.js';

export interface Context {
  readonly io: Io;
  /** Version of the package. */
  readonly version: string;
  /** The command as typed, quoted for a shell: what repeats this run. */
  readonly commandLine: string;
  /** Colours of stdout and of stderr. */
  readonly colors: Palette;
  readonly errorColors: Palette;
  /** What the process ends with if nothing is thrown. */
  exitCode: ExitCode;
  /** The whole command line, every verb's options included. */
  wholeProgram(): Promise<Command>;
  /** Writes a line to stderr. */
  say(line: string): void;
  /**
   * From now on the first Ctrl-C aborts the returned signal, and the work ends at its next step; a second one ends the
   * process. Before that, Ctrl-C ends the process at once.
   */
  interruptible(): AbortSignal;
  /** Gives the signal handler back. */
  dispose(): void;
}

export function createContext(
  argv: readonly string[],
  io: Io,
  wholeProgram: (context: Context) => Promise<Command>,
): Context {
  const interrupt = new AbortController();
  let stopsAtStep = false;
  const stopListening = io.onInterrupt(() => {
    if (!stopsAtStep || interrupt.signal.aborted) io.exitNow(EXIT.interrupted);
    else {
      interrupt.abort();
      io.stderr.write('thplab: stopping at the next step; Ctrl-C again ends at once\n');
    }
  });
  const context: Context = {
    io,
    version: packageVersion(),
    commandLine: commandLineOf(argv),
    colors: paletteFor(io.stdout, io.env),
    errorColors: paletteFor(io.stderr, io.env),
    exitCode: EXIT.done,
    wholeProgram: () => wholeProgram(context),
    say: (line) => io.stderr.write(`${line}\n`),
    interruptible: () => {
      stopsAtStep = true;
      return interrupt.signal;
    },
    dispose: stopListening,
  };
  return context;
}

/** The command as typed; where standard input is read, with a place for what was in it. */
function commandLineOf(argv: readonly string[]): string {
  const readsStdin = argv.some((word, i) => word === '-' && !/^(-o|--output|--trace)$/.test(argv[i - 1] ?? ''));
  return `${['thplab', ...argv].map(quote).join(' ')}${readsStdin ? ' < INPUT' : ''}`;
}

/** A word as a POSIX shell reads it back. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return (manifest as { readonly version: string }).version;
}
