/** Who waits for whom, read from the threads' rows: what the watchdog tells. */
import type { BlockedTask } from '../errors.js';
import { instanceOf } from '../locks.js';
import { type LockMode, type LockRef, READ, WRITE } from '../operations.js';
import { SharedLocks } from './shared-locks.js';
import { THREAD, THREAD_STATE, THREAD_STRIDE } from './tables.js';
import type { ThreadState } from './thread-state.js';

/** The chain from a waiting thread to one that waits for no lock, or back to one that is in it already. */
export function blockedChain(s: ThreadState, from: number): { chain: BlockedTask[]; deadlock: boolean } {
  const chain: BlockedTask[] = [];
  const seen = new Set<number>();
  for (let thread = from; thread >= 0; ) {
    if (seen.has(thread)) return { chain, deadlock: true };
    seen.add(thread);
    const blocked = blockedTask(s, thread);
    chain.push(blocked.task);
    thread = blocked.next;
  }
  return { chain, deadlock: false };
}

function blockedTask(s: ThreadState, thread: number): { task: BlockedTask; next: number } {
  const base = thread * THREAD_STRIDE;
  const id = Atomics.load(s.words, base + THREAD.lockClass) - 1;
  const lockClass = s.domain.classes[id];
  const common = { task: s.taskOf(thread), name: s.nameOf(thread), sinceNs: 0, held: s.heldBy(thread) };
  if (lockClass === undefined) return { task: { ...common, lock: '', mode: WRITE, waitsFor: [] }, next: -1 };
  const instance = (s.words[base + THREAD.lockInstance] as number) >>> 0;
  const mode: LockMode = s.words[base + THREAD.lockMode] === READ ? READ : WRITE;
  const lock = lockClass.ref(instance);
  const holders = holdersOf(s, lock).filter((other) => other !== thread);
  const queue = new SharedLocks(s).waitersOf(lockClass, instance);
  const before = queue.slice(0, Math.max(0, queue.indexOf(thread)));
  const waitsFor = [
    ...holders.map((other) => ({ task: s.taskOf(other), name: s.nameOf(other), why: 'holds' as const })),
    ...before.map((other) => ({ task: s.taskOf(other), name: s.nameOf(other), why: 'queued before' as const })),
  ];
  return { task: { ...common, lock: s.domain.describe(lock), mode, waitsFor }, next: holders[0] ?? before[0] ?? -1 };
}

function holdersOf(s: ThreadState, lock: LockRef): number[] {
  const found: number[] = [];
  for (let thread = 0; thread < s.threads; thread++) {
    const state = Atomics.load(s.words, thread * THREAD_STRIDE + THREAD.state);
    if (
      state !== THREAD_STATE.free &&
      s.heldBy(thread).some((held) => instanceOf(held.lock) === instanceOf(lock) && held.lock === lock)
    ) {
      found.push(thread);
    }
  }
  return found;
}
