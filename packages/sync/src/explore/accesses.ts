/**
 * What a step touches, and which steps commute.
 *
 * An access is one number: an object and a kind. Objects are cells of shared state, locks and wait queues. Two steps of
 * different tasks that touch no common object, or touch it in kinds that commute, can be swapped without any difference
 * to what follows; partial-order reduction tries only one of the two orders.
 */

/** Kinds of access; 16 fit into an access. */
export const ACCESS = {
  cellRead: 0,
  cellWrite: 1,
  /** An acquire, whether it takes the lock or queues for it. */
  acquireRead: 2,
  acquireWrite: 3,
  tryRead: 4,
  tryWrite: 5,
  releaseRead: 6,
  releaseWrite: 7,
  downgrade: 8,
  /** Going on after a queued acquire was granted. */
  grantedRead: 9,
  grantedWrite: 10,
  /** Getting onto a wait queue, or off it where a timeout was possible. */
  waits: 11,
  wakes: 12,
} as const;

const KINDS = 16;

/** The object that stands for all shared state, in cases without an access log. */
export const EVERYTHING = 0;

/** The object of a cell: an even number. Locks, queues and bits are odd ones. */
export function cellObject(cell: number): number {
  return 2 * cell + 2;
}

/** The object of lock number `index`. */
export function lockObject(index: number): number {
  return 6 * index + 1;
}

/** The object of queue number `queue`. */
export function queueObject(queue: number): number {
  return 6 * queue + 3;
}

/** The object of a bit lock that was met as number `index`. */
export function bitObject(index: number): number {
  return 6 * index + 5;
}

/** Largest cell number that fits. */
export const MAX_CELL: number = 2 ** 26 - 2;

/** An access. */
export function accessOf(object: number, kind: number): number {
  return object * KINDS + kind;
}

/** The object of an access. */
export function objectOf(access: number): number {
  return access >> 4;
}

/** The kind of an access. */
export function kindOf(access: number): number {
  return access & (KINDS - 1);
}

/**
 * For each kind of an earlier access to an object: as a mask, the kinds of a later one by another task that depend on it.
 * `reversible`: the two could have come in the other order. `forced`: the later one was not possible before.
 */
export interface AccessRelations {
  readonly reversible: Int32Array;
  readonly forced: Int32Array;
}

/**
 * Readers commute with each other in everything they do to a lock, also when a writer waits: whichever of them leaves last
 * lets it in. An acquire does not queue while the lock is held for WRITE, unless `seesWaiters`; the release that it
 * then waits for cannot come later than it.
 */
export function accessRelations(seesWaiters: boolean): AccessRelations {
  const reversible = new Int32Array(KINDS);
  const forced = new Int32Array(KINDS);
  const mask = (...kinds: number[]): number => kinds.reduce((sum, kind) => sum | (1 << kind), 0);
  const k = ACCESS;
  reversible[k.cellRead] = mask(k.cellWrite);
  reversible[k.cellWrite] = mask(k.cellRead, k.cellWrite);
  const writing = mask(k.acquireWrite, k.tryWrite, k.releaseWrite, k.downgrade);
  const all = writing | mask(k.acquireRead, k.tryRead, k.releaseRead);
  for (const kind of [k.acquireRead, k.tryRead, k.releaseRead]) reversible[kind] = writing;
  for (const kind of [k.acquireWrite, k.tryWrite, k.releaseWrite, k.downgrade]) reversible[kind] = all;
  const grants = mask(k.grantedRead, k.grantedWrite);
  const acquires = mask(k.acquireRead, k.acquireWrite);
  forced[k.releaseRead] = mask(k.grantedWrite);
  for (const kind of [k.releaseWrite, k.downgrade]) {
    forced[kind] = grants | (seesWaiters ? 0 : acquires);
    if (!seesWaiters) reversible[kind] = all & ~acquires;
  }
  reversible[k.waits] = mask(k.wakes);
  reversible[k.wakes] = mask(k.waits, k.wakes);
  return { reversible, forced };
}
