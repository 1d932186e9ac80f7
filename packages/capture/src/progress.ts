// Long reads are synchronous (the files below /proc never block for long); between them the event loop gets its turn, the
// caller hears of the progress, and may end the work.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The parts of a capture, in order. */
export type CapturePhase = 'smaps' | 'pagemap' | 'kpageflags' | 'kpagecount' | 'assemble';

/** How far a capture is. `done` and `total` are pages (of address space in 'pagemap', page frames afterwards). */
export interface CaptureProgress {
  readonly phase: CapturePhase;
  readonly done: number;
  readonly total: number;
}

const TURN_MS = 25;

/** Says where the work is, at most every 25 ms, and gives the event loop its turn. */
export class Pacer {
  readonly #onProgress: ((progress: CaptureProgress) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #timings: Partial<Record<CapturePhase, number>> = {};
  #phase: CapturePhase = 'smaps';
  #phaseStart: number = performance.now();
  #lastTurn: number = performance.now();

  constructor(onProgress: ((progress: CaptureProgress) => void) | undefined, signal: AbortSignal | undefined) {
    this.#onProgress = onProgress;
    this.#signal = signal;
  }

  /** Begins a phase. @throws the signal's reason when the work was aborted. */
  begin(phase: CapturePhase, total: number): void {
    this.#signal?.throwIfAborted();
    this.#endPhase();
    this.#phase = phase;
    this.#onProgress?.({ phase, done: 0, total });
  }

  /** True when it is time to call `turn`. Cheap enough for every read. */
  get due(): boolean {
    return performance.now() - this.#lastTurn >= TURN_MS;
  }

  /** Reports, lets the event loop run once, and stops if the work was aborted. @throws the signal's reason */
  async turn(done: number, total: number): Promise<void> {
    this.#onProgress?.({ phase: this.#phase, done, total });
    await nextTurn();
    this.#signal?.throwIfAborted();
    this.#lastTurn = performance.now();
  }

  /** Ends the last phase and gives the milliseconds of each. */
  finish(): Partial<Record<CapturePhase, number>> {
    this.#endPhase();
    return this.#timings;
  }

  #endPhase(): void {
    const now = performance.now();
    this.#timings[this.#phase] = (this.#timings[this.#phase] ?? 0) + now - this.#phaseStart;
    this.#phaseStart = now;
  }
}
