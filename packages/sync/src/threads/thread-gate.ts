/**
 * The step gate between threads (step-gate.ts says what it is for).
 *
 * Going in with a key: mark oneself inside, look whether somebody is or wants to be alone (then out again, and wait), take
 * a ticket of the key and wait for one's turn. Being alone: take a ticket, announce it, and wait until nobody else is
 * inside. Marks and announcement are sequentially consistent, so of the two at least one sees the other.
 *
 * A thread stays inside over many steps. At each yield it looks, for two loads, whether somebody wants to be alone or
 * waits for its key, and lets them in.
 */
import { SyncError } from '../errors.js';
import type { StepGate } from '../step-gate.js';
import { GATE, LINE, RUN, THREAD, THREAD_STATE, THREAD_STRIDE } from './tables.js';
import { SLICE_MS, type ThreadState } from './thread-state.js';

const SPINS = 2000;
/** Yields for which a thread keeps its key while another waits for it: handing over costs more than a step. */
const YIELDS_PER_TURN = 32;
/** Yields for which a thread stays alone while others stand at the gate. */
const YIELDS_ALONE = 256;
/** How long it stands aside then, ms. */
const ASIDE_MS = 0.05;

export class ThreadGate implements StepGate {
  private readonly s: ThreadState;
  /** The key of a subject, from 1; asked inside the gate, as it may change while one waits. */
  private readonly keyOf: (subject: number) => number;
  private subject = 0;
  private aloneDepth = 0;
  private isAlone = false;
  /** Word index of the key that is held, -1 if none is. */
  private key = -1;
  private yields = 0;

  constructor(state: ThreadState, keyOf: (subject: number) => number) {
    this.s = state;
    this.keyOf = keyOf;
  }

  use(subject: number): void {
    if (subject === this.subject) return;
    this.leave();
    this.subject = subject;
    this.enter();
  }

  alone(): void {
    if (this.aloneDepth++ > 0) return;
    this.leave();
    this.enter();
  }

  together(): void {
    if (this.aloneDepth === 0) throw new SyncError('together without alone');
    if (--this.aloneDepth > 0) return;
    this.leave();
    this.enter();
  }

  /** At a yield that does not wait: lets others in who want it. `retries`: the task may be waiting for one of them. */
  tick(retries: boolean): void {
    if (this.isAlone) {
      if (retries || ++this.yields >= YIELDS_ALONE) this.standAside();
      return;
    }
    if (this.key < 0) return;
    const { s } = this;
    if (Atomics.load(s.run, RUN.alone) === 0) {
      if (++this.yields < YIELDS_PER_TURN) return;
      this.yields = 0;
      if (Atomics.load(s.gate, this.key + GATE.next) - Atomics.load(s.gate, this.key + GATE.served) === 1) return;
    }
    this.leave();
    this.enter();
  }

  /**
   * Lets those in who stand at the gate, while this thread is alone. They may hold a lock that it tries again and again; and
   * as they are not alone they get in only if there is a moment in which nobody is.
   */
  private standAside(): void {
    const { s } = this;
    this.yields = 0;
    let waiting = false;
    for (let other = 0; other < s.threads && !waiting; other++) {
      waiting = Atomics.load(s.words, other * THREAD_STRIDE + THREAD.state) === THREAD_STATE.atGate;
    }
    if (!waiting) return;
    this.leave();
    Atomics.wait(s.run, RUN.tick, 0, ASIDE_MS);
    this.enter();
  }

  /** Out, before a wait and at the end of a task. */
  leave(): void {
    const { s } = this;
    if (this.isAlone) {
      this.isAlone = false;
      Atomics.store(s.run, RUN.alone, 0);
      Atomics.notify(s.run, RUN.alone);
      Atomics.add(s.run, RUN.aloneServed, 1);
      Atomics.notify(s.run, RUN.aloneServed);
    } else if (this.key >= 0) {
      const key = this.key;
      this.key = -1;
      this.setInside(0);
      this.giveKey(key);
    }
  }

  /** In again, as it was before `leave`. StoppedError if the run stops. */
  enter(): void {
    this.yields = 0;
    if (this.aloneDepth === 0 && this.subject === 0) return;
    this.s.setState(THREAD_STATE.atGate);
    if (this.aloneDepth > 0) this.enterAlone();
    else while (!this.enterKey());
    this.s.setState(THREAD_STATE.runs);
  }

  private enterAlone(): void {
    const { s } = this;
    const ticket = Atomics.add(s.run, RUN.aloneNext, 1);
    this.until(s.run, RUN.aloneServed, (served) => served === ticket);
    Atomics.store(s.run, RUN.alone, s.thread + 1);
    this.isAlone = true;
    for (let other = 0; other < s.threads; other++) {
      if (other !== s.thread) this.until(s.words, other * THREAD_STRIDE + THREAD.inside, (inside) => inside === 0);
    }
  }

  /** False: the subject has another key by now. */
  private enterKey(): boolean {
    const { s } = this;
    const number = this.keyOf(this.subject);
    // The subject is gone, by the task's own doing or another's: nothing is left that a step could reach through it.
    if (number === 0) return true;
    const key = number * LINE;
    if (number < 1 || key >= s.gate.length)
      throw new SyncError(`subject ${this.subject} has key ${number}: no such key`);
    const ticket = Atomics.add(s.gate, key + GATE.next, 1);
    this.until(s.gate, key + GATE.served, (served) => served === ticket);
    for (;;) {
      Atomics.store(s.words, s.base + THREAD.inside, 1);
      if (Atomics.load(s.run, RUN.alone) === 0) break;
      this.setInside(0);
      this.until(s.run, RUN.alone, (alone) => alone === 0);
    }
    this.key = key;
    if (this.keyOf(this.subject) === number) return true;
    this.leave();
    return false;
  }

  private giveKey(key: number): void {
    const { s } = this;
    const served = Atomics.add(s.gate, key + GATE.served, 1) + 1;
    if (Atomics.load(s.gate, key + GATE.next) !== served) Atomics.notify(s.gate, key + GATE.served);
  }

  private setInside(inside: number): void {
    const { s } = this;
    const at = s.base + THREAD.inside;
    Atomics.store(s.words, at, inside);
    if (inside === 0 && Atomics.load(s.run, RUN.alone) !== 0) Atomics.notify(s.words, at);
  }

  /** Waits until a word has a value, spinning first. */
  private until(words: Int32Array, at: number, holds: (value: number) => boolean): void {
    for (let spin = 0; spin < SPINS; spin++) if (holds(Atomics.load(words, at))) return;
    for (let value = Atomics.load(words, at); !holds(value); value = Atomics.load(words, at)) {
      this.s.checkStop();
      Atomics.wait(words, at, value, SLICE_MS);
    }
  }
}
