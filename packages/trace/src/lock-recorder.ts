/**
 * Collects lock holds for the Chrome trace from what an executor tells its observers. It has the observer's form, without
 * knowing the executor: this package stands below it.
 */
import type { LockHold } from './decode/chrome.js';

/** How to record. */
export interface LockRecorderOptions {
  /** Name of a lock, as `mmap_lock[3]`. */
  readonly describe: (lock: number) => string;
  /** Holds that are kept; further ones are only counted (default 100 000). */
  readonly limit?: number;
}

interface OpenHold {
  readonly mode: number;
  readonly cpu: number;
  readonly startNs: number;
  readonly waitNs: number;
}

/** Mode of a lock taken for writing, as executors give it; any other is reading. */
const WRITE = 1;

/** Observes locks; `holds` gives what it saw. */
export class LockRecorder {
  /** Holds that were not kept because of the limit. */
  dropped = 0;
  readonly #describe: (lock: number) => string;
  readonly #limit: number;
  readonly #open = new Map<string, OpenHold>();
  readonly #closed: LockHold[] = [];

  constructor(options: LockRecorderOptions) {
    this.#describe = options.describe;
    this.#limit = options.limit ?? 100_000;
  }

  /** A task has the lock, after a wait. */
  lockTaken(lock: number, mode: number, task: number, cpu: number, nowNs: number, waitNs: number): void {
    this.#open.set(`${lock}/${task}`, { mode, cpu, startNs: nowNs, waitNs });
  }

  /** A task gave the lock back; in another mode than it was taken in if it was downgraded. */
  lockGiven(lock: number, _mode: number, task: number, _cpu: number, nowNs: number): void {
    const key = `${lock}/${task}`;
    const hold = this.#open.get(key);
    if (hold === undefined) return;
    this.#open.delete(key);
    if (this.#closed.length < this.#limit) this.#closed.push(this.#hold(lock, task, hold, nowNs));
    else this.dropped++;
  }

  /** All holds; those still open end at `nowNs`. */
  holds(nowNs: number): LockHold[] {
    const open = [...this.#open].map(([key, hold]) => {
      const [lock, task] = key.split('/').map(Number) as [number, number];
      return this.#hold(lock, task, hold, nowNs);
    });
    return [...this.#closed, ...open];
  }

  #hold(lock: number, task: number, { mode, cpu, startNs, waitNs }: OpenHold, endNs: number): LockHold {
    return { lock: this.#describe(lock), mode: mode === WRITE ? 'write' : 'read', task, cpu, startNs, endNs, waitNs };
  }
}
