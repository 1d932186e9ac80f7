/**
 * What threads know of each other, as arena tables: who runs, waits, holds what; wait queues; guards; the step gate. Every
 * thread has a row of words of its own, so that what it writes all the time shares no cache line with another thread's.
 */
import { Arena, type Sizes, type Tables } from '@thplab/arena';

/** Locks one task can hold at once on a thread. */
export const MAX_HELD = 32;

/** Words of a thread's row. */
export const THREAD = {
  /** One of THREAD_STATE. */
  state: 0,
  /** Number of its task. */
  task: 1,
  /** Set to 1, and notified, when the lock it waits for is its own. */
  wake: 2,
  /** Class of the lock it waits for plus 1; 0: it waits for none. */
  lockClass: 3,
  lockInstance: 4,
  lockMode: 5,
  /** Its place among the waiters: a lower ticket came earlier. */
  ticket: 6,
  /** 1 while it is inside the step gate together with others. */
  inside: 7,
  /** Lock operation that it has begun and not finished: class plus 1 (0: none), instance, mode. */
  busyClass: 8,
  busyInstance: 9,
  busyMode: 10,
  /** Label of the last preemption point that it passed. */
  point: 11,
  heldCount: 12,
  /** What it waits for on a queue: this word of the queues to be another one than it was. */
  queueAt: 13,
  queueStamp: 14,
  /** From here: class, instance, mode of each held lock, in the order taken. */
  held: 16,
} as const;

/** What a thread does; `waitsForWake`: on a queue, without a timeout. */
export const THREAD_STATE = {
  free: 0,
  runs: 1,
  waitsForLock: 2,
  waitsOnQueue: 3,
  sleeps: 4,
  atGate: 5,
  waitsForWake: 6,
} as const;

/** Words of a held lock. */
export const HELD_WORDS = 3;
/** Words from one thread to the next. */
export const THREAD_STRIDE = 112;
/** Characters kept of a task's name. */
export const NAME_CHARS = 48;
/** Words from one guard, wait queue or gate key to the next: a cache line. */
export const LINE = 16;

/** Words of a run, each in a cache line of its own. */
export const RUN = {
  /** Not 0: everyone stops; the number says why. */
  stop: 0,
  /** Tickets given to waiters for locks. */
  tickets: 16,
  /** Wake-ups so far, of all queues. */
  wakes: 32,
  /** The step gate: thread plus 1 of whoever is alone inside, or 0. */
  alone: 48,
  /** Tickets for being alone: next to give, now served. */
  aloneNext: 64,
  aloneServed: 65,
  /** Never written: what a main thread waits on to let time pass. */
  tick: 66,
} as const;

/** Words of a wait queue. */
export const QUEUE = {
  /** Value of RUN.wakes at its last wake-up. */
  stamp: 0,
  /** Threads that wait. */
  waiting: 1,
  /** Wake-ups that found their task between its check and its wait; the next waker counts them. */
  early: 2,
  guard: 3,
} as const;

/** Words of a key of the step gate: tickets, next to give and now served. */
export const GATE = { next: 0, served: 1 } as const;

/** Guards of lock queues; a lock's is found by its number. */
export const GUARDS = 64;

/** The tables of threads. */
export type ThreadsTables = {
  readonly threadRun: typeof THREAD_RUN_TABLE;
  readonly thread: typeof THREAD_TABLE;
  readonly threadQueue: typeof THREAD_QUEUE_TABLE;
  readonly threadGuard: typeof THREAD_GUARD_TABLE;
  readonly threadGate: typeof THREAD_GATE_TABLE;
};

/** Words of the run as a whole. */
export const THREAD_RUN_TABLE = {
  doc: 'Threads: words of the run as a whole',
  rows: 'threadRuns',
  pooled: false,
  columns: { word: { type: 'i32', cells: 80, doc: 'words, as RUN in sync/src/threads/tables.ts names them' } },
} as const;

/** One row per thread. */
export const THREAD_TABLE = {
  doc: 'Threads: what each does, waits for and holds',
  rows: 'threads',
  pooled: false,
  columns: {
    word: { type: 'i32', cells: 112, doc: 'words, as THREAD in sync/src/threads/tables.ts names them' },
    name: { type: 'u16', cells: 48, doc: 'name of its task, UTF-16' },
  },
} as const;

/** One row per wait queue of the domain. */
export const THREAD_QUEUE_TABLE = {
  doc: 'Threads: wait queues',
  rows: 'threadQueues',
  pooled: false,
  columns: { word: { type: 'i32', cells: 16, doc: 'words, as QUEUE in sync/src/threads/tables.ts names them' } },
} as const;

/** Guards of the queues of locks. */
export const THREAD_GUARD_TABLE = {
  doc: 'Threads: guards of the queues of locks',
  rows: 'threadGuards',
  pooled: false,
  columns: { word: { type: 'i32', cells: 16, doc: 'one word lock' } },
} as const;

/** Keys of the step gate. */
export const THREAD_GATE_TABLE = {
  doc: 'Threads: keys of the step gate',
  rows: 'threadGateKeys',
  pooled: false,
  columns: { word: { type: 'i32', cells: 16, doc: 'words, as GATE in sync/src/threads/tables.ts names them' } },
} as const;

/** The tables of threads, to be laid out beside a machine's or alone. */
export const THREADS_TABLES: ThreadsTables = {
  threadRun: THREAD_RUN_TABLE,
  thread: THREAD_TABLE,
  threadQueue: THREAD_QUEUE_TABLE,
  threadGuard: THREAD_GUARD_TABLE,
  threadGate: THREAD_GATE_TABLE,
};

/** How many of each there are. */
export interface ThreadsLimits {
  /** Threads at once, default 16. */
  readonly threads?: number;
  /** Wait queues of the domain, default 16. */
  readonly queues?: number;
  /** Keys of the step gate, default 1. */
  readonly gateKeys?: number;
}

/** Sizes of the tables. */
export function threadsSizes(limits: ThreadsLimits = {}): Sizes {
  return {
    threadRuns: 1,
    threads: limits.threads ?? 16,
    threadQueues: limits.queues ?? 16,
    threadGuards: GUARDS,
    threadGateKeys: limits.gateKeys ?? 1,
  };
}

/** An arena of these tables alone: for procedures whose locks lie elsewhere. */
export function createThreadsArena(limits: ThreadsLimits = {}): Arena<ThreadsTables> {
  return Arena.create(THREADS_TABLES, threadsSizes(limits));
}

/** Views of the tables. */
export type ThreadsView = Tables<ThreadsTables>;
