/** One thread's view of the tables: its own row, everybody's, and the word that stops all. */
import { SyncError } from '../errors.js';
import type { HeldLock } from '../held-locks.js';
import { instanceOf, LOCK_OWNER, LOCK_STATE, type LockClass, type SyncDomain } from '../locks.js';
import type { LockMode, LockRef } from '../operations.js';
import { StoppedError } from './errors.js';
import {
  GUARDS,
  HELD_WORDS,
  LINE,
  MAX_HELD,
  NAME_CHARS,
  RUN,
  THREAD,
  THREAD_STATE,
  THREAD_STRIDE,
  type ThreadsView,
} from './tables.js';

/** Longest single wait, ms: how late a stop is noticed at most. */
export const SLICE_MS = 20;

export class ThreadState {
  readonly domain: SyncDomain;
  readonly run: Int32Array;
  readonly words: Int32Array;
  readonly names: Uint16Array;
  readonly queues: Int32Array;
  readonly guards: Int32Array;
  readonly gate: Int32Array;
  readonly threads: number;
  /** Number of this thread, from 0. */
  readonly thread: number;
  /** Index of this thread's first word. */
  readonly base: number;
  /** Given to word locks: throws if the run stops. */
  readonly checkStop: () => void = () => {
    if (Atomics.load(this.run, RUN.stop) !== 0) throw new StoppedError('the run was told to stop');
  };

  constructor(domain: SyncDomain, tables: ThreadsView, thread: number) {
    this.domain = domain;
    this.run = tables.threadRun.word;
    this.words = tables.thread.word;
    this.names = tables.thread.name;
    this.queues = tables.threadQueue.word;
    this.guards = tables.threadGuard.word;
    this.gate = tables.threadGate.word;
    this.threads = tables.thread.capacity;
    this.thread = thread;
    this.base = thread * THREAD_STRIDE;
    if (thread < 0 || thread >= this.threads) {
      throw new SyncError(`thread ${thread} is not one of ${this.threads}: raise the limit 'threads'`);
    }
    if (domain.queues.length > tables.threadQueue.capacity) {
      throw new SyncError(
        `${domain.queues.length} wait queues, room for ${tables.threadQueue.capacity}: raise 'queues'`,
      );
    }
  }

  /** Writes down who runs here. */
  begin(task: number, name: string): void {
    this.words.fill(0, this.base, this.base + THREAD_STRIDE);
    const at = this.thread * NAME_CHARS;
    for (let i = 0; i < NAME_CHARS; i++) this.names[at + i] = i < name.length ? name.charCodeAt(i) : 0;
    Atomics.store(this.words, this.base + THREAD.task, task);
    this.setState(THREAD_STATE.runs);
  }

  /** The task has ended in order. */
  end(): void {
    this.setState(THREAD_STATE.free);
  }

  setState(state: number): void {
    Atomics.store(this.words, this.base + THREAD.state, state);
  }

  get stopped(): boolean {
    return Atomics.load(this.run, RUN.stop) !== 0;
  }

  /** Word index of the guard of a lock's queue. */
  guardOf(lockClass: LockClass, instance: number): number {
    return ((lockClass.id * 31 + instance) % GUARDS) * LINE;
  }

  /**
   * Notes that a lock operation has begun, so that a death in the middle of it can be told. Plain writes here and below: the
   * atomic operation on the lock's word comes between them, and nobody reads them before the thread waits or is gone.
   */
  busy(lockClass: LockClass, instance: number, mode: LockMode): void {
    const { words, base } = this;
    words[base + THREAD.busyInstance] = instance;
    words[base + THREAD.busyMode] = mode;
    words[base + THREAD.busyClass] = lockClass.id + 1;
  }

  idle(): void {
    this.words[this.base + THREAD.busyClass] = 0;
  }

  /** Enters a lock in the table of held ones. */
  hold(lockClass: LockClass, instance: number, mode: LockMode): void {
    const { words, base } = this;
    const count = words[base + THREAD.heldCount] as number;
    if (count === MAX_HELD) throw new SyncError(`more than ${MAX_HELD} locks held by one task`);
    const at = base + THREAD.held + count * HELD_WORDS;
    words[at] = lockClass.id;
    words[at + 1] = instance;
    words[at + 2] = mode;
    words[base + THREAD.heldCount] = count + 1;
  }

  /** Position of the latest hold of the lock in a mode, -1 if there is none. */
  findHeld(lockClass: LockClass, instance: number, mode: LockMode): number {
    const { words, base } = this;
    for (let at = (words[base + THREAD.heldCount] as number) - 1; at >= 0; at--) {
      const word = base + THREAD.held + at * HELD_WORDS;
      if (words[word + 1] === (instance | 0) && words[word] === lockClass.id && words[word + 2] === mode) return at;
    }
    return -1;
  }

  setHeldMode(at: number, mode: LockMode): void {
    this.words[this.base + THREAD.held + at * HELD_WORDS + 2] = mode;
  }

  /** Takes the lock at a position out of the table. */
  unhold(at: number): void {
    const { words, base } = this;
    const count = words[base + THREAD.heldCount] as number;
    const from = base + THREAD.held + (at + 1) * HELD_WORDS;
    if (at < count - 1) words.copyWithin(from - HELD_WORDS, from, base + THREAD.held + count * HELD_WORDS);
    words[base + THREAD.heldCount] = count - 1;
  }

  /** What any thread's table of held locks says, oldest first; with a lock got in an operation that never finished. */
  heldBy(thread: number): HeldLock[] {
    const { words, domain } = this;
    const base = thread * THREAD_STRIDE;
    const held: HeldLock[] = [];
    const add = (id: number, instance: number, mode: LockMode): void => {
      const lockClass = domain.classes[id];
      if (lockClass === undefined) return;
      const lock: LockRef = lockClass.ref(instance >>> 0);
      held.push({ lock, name: domain.describe(lock), mode, sinceNs: 0 });
    };
    const count = Atomics.load(words, base + THREAD.heldCount);
    for (let at = base + THREAD.held; at < base + THREAD.held + count * HELD_WORDS; at += HELD_WORDS) {
      add(words[at] as number, words[at + 1] as number, words[at + 2] as LockMode);
    }
    const busy = Atomics.load(words, base + THREAD.busyClass) - 1;
    const lockClass = domain.classes[busy];
    if (lockClass !== undefined) {
      const instance = (words[base + THREAD.busyInstance] as number) >>> 0;
      const lock = lockClass.ref(instance);
      const got = this.ownerOf(lock) === this.taskOf(thread) && !held.some((other) => other.lock === lock);
      if (got) add(busy, instance, words[base + THREAD.busyMode] as LockMode);
    }
    return held;
  }

  /** Task that the lock's words name as its owner, 0 if it is free or unknown. */
  ownerOf(lock: LockRef): number {
    const lockClass = this.domain.classOf(lock);
    const base = lockClass.base(instanceOf(lock));
    if (Atomics.load(lockClass.words, base + LOCK_STATE) === 0) return 0;
    return Atomics.load(lockClass.words, base + LOCK_OWNER);
  }

  taskOf(thread: number): number {
    return Atomics.load(this.words, thread * THREAD_STRIDE + THREAD.task);
  }

  nameOf(thread: number): string {
    const at = thread * NAME_CHARS;
    let name = '';
    for (let i = at; i < at + NAME_CHARS && this.names[i] !== 0; i++)
      name += String.fromCharCode(this.names[i] as number);
    return name;
  }
}

/** Tells every thread of a run to stop: whoever waits or runs notices within some ms. */
export function stopRun(tables: ThreadsView): void {
  Atomics.store(tables.threadRun.word, RUN.stop, 1);
}

/** What a thread's row says. */
export interface ThreadReport {
  /** Of its task; empty: it has not had any. */
  readonly name: string;
  /** What it does, in words. */
  readonly state: string;
  /** Lock that it waits for; empty: none. */
  readonly waitsFor: string;
  readonly held: readonly HeldLock[];
}

const STATE_TEXTS: Readonly<Record<number, string>> = {
  [THREAD_STATE.free]: 'idle',
  [THREAD_STATE.runs]: 'works',
  [THREAD_STATE.waitsForLock]: 'waits for a lock',
  [THREAD_STATE.waitsOnQueue]: 'waits to be woken',
  [THREAD_STATE.sleeps]: 'sleeps',
  [THREAD_STATE.atGate]: 'waits for its turn',
  [THREAD_STATE.waitsForWake]: 'waits to be woken',
};

/** Reads a thread's row, also of a thread that is gone. */
export function threadReport(domain: SyncDomain, tables: ThreadsView, thread: number): ThreadReport {
  const state = new ThreadState(domain, tables, thread);
  const base = thread * THREAD_STRIDE;
  const lockClass = domain.classes[Atomics.load(state.words, base + THREAD.lockClass) - 1];
  const instance = Atomics.load(state.words, base + THREAD.lockInstance) >>> 0;
  return {
    name: state.nameOf(thread),
    state: STATE_TEXTS[Atomics.load(state.words, base + THREAD.state)] ?? 'unknown',
    waitsFor: lockClass === undefined ? '' : domain.describe(lockClass.ref(instance)),
    held: state.heldBy(thread),
  };
}
