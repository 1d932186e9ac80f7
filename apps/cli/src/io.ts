/** Everything that the command line touches outside of itself, so that tests can run it in their own process. */

/** One of the two streams that are written to. */
export interface TextSink {
  /** Texts are UTF-8; bytes go out as they are. */
  write(data: string | Uint8Array): void;
  /** Colours and progress are for terminals only. */
  readonly isTerminal: boolean;
  /** Width of the terminal in characters; null: not a terminal. */
  readonly columns: number | null;
}

/** The surroundings of one run of the command line. */
export interface Io {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder against which relative paths count. */
  readonly cwd: string;
  /** `/proc` and `/sys` of the machine. They are only read. */
  readonly procRoot: string;
  readonly sysRoot: string;
  /** Standard input to its end, or until its beginning and its length so far are enough (it may never end). */
  readStdin(isEnough: (head: Uint8Array, length: number) => boolean): Promise<Uint8Array>;
  /** Calls the listener at each Ctrl-C (SIGINT) or SIGTERM until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
  /** Ends the process at once. */
  exitNow(code: number): void;
  /** Processors that this process may use; undefined: not known. */
  readonly cores?: number;
  /** Modules of worker threads, where they are not those that the packages ship: for tests on sources. */
  readonly workers?: { readonly scan: string | URL; readonly whatIf: string | URL };
  /** Milliseconds of a clock that only goes forward, to say how long something took. */
  nowMs(): number;
}
