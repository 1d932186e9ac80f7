/**
 * A lock in one word, for a few instructions that no procedure can yield in: a free list, a queue's links. It is no lock of
 * the model: no owner, no class, nothing that a report would show. Free it is 0, so that a zeroed arena is open.
 */
import { SyncError } from './errors.js';

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;
const SPINS = 500;
const WAIT_MS = 2;
const MOST_WAITS = 5000;
const SPINS_WITHOUT_WAIT = 10_000_000;

/** Takes the word. `whileWaiting` is called every few ms of a wait and may throw. SyncError if it is never given back. */
export function takeWord(words: Int32Array, at: number, whileWaiting?: () => void): void {
  if (Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;
  for (let spin = 0; spin < SPINS; spin++) {
    if (Atomics.load(words, at) === FREE && Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;
  }
  for (let waits = 0; waits < MOST_WAITS; waits++) {
    if (Atomics.exchange(words, at, CONTENDED) === FREE) return;
    if (!pause(words, at)) break;
    whileWaiting?.();
  }
  for (let spin = 0; spin < SPINS_WITHOUT_WAIT; spin++) {
    if (Atomics.compareExchange(words, at, FREE, CONTENDED) === FREE) return;
  }
  throw new SyncError(`word ${at} of a lock for a few instructions was not given back; did a thread die?`);
}

/** Gives the word back. */
export function giveWord(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, FREE) === CONTENDED) Atomics.notify(words, at, 1);
}

/** False: this thread may not wait (the main thread of a browser), or the words are not shared. */
function pause(words: Int32Array, at: number): boolean {
  try {
    Atomics.wait(words, at, CONTENDED, WAIT_MS);
    return true;
  } catch {
    return false;
  }
}
