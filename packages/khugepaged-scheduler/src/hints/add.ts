/** Adding a hint (khugepaged spec 17.2): best effort, the caller is told what it came to but need not care. */
import { TableFullError } from '@thplab/arena';
import { LOCKLESS, lockless, MMF, type MmId, TVA, type VmaId, type Vpn } from '@thplab/mm-model';
import { collapsePossibleOrders } from '@thplab/mthp-collapse';
import { mightSleep, now, type Op, type Procedure, release, spend, tryAcquire, wake } from '@thplab/sync';
import type { Khugepaged } from '../khugepaged.js';
import { khugepagedEnter } from '../slots.js';
import { findHint, rememberHint } from './duplicates.js';
import { HINT_ADD, HINT_DROP, type HintAddOutcome } from './outcome.js';
import { discardHint, type HintQueue, mmOf, pageOf, priorityOf, pushHint, removeHint, requestOf } from './queue.js';
import { tellAdded } from './recorder.js';
import { HINT_PRIORITIES } from './tables.js';

/** A range that somebody wants khugepaged to look at first. */
export interface Hint {
  readonly mm: MmId | 0;
  /** The VMA that the caller saw there, perhaps a while ago. */
  readonly vma: VmaId | 0;
  /** A page of the range; the hint is for the whole PMD range around it. */
  readonly page: Vpn;
  /** 0 is the higher, 1 the lower. */
  readonly priority: number;
  /** Order of the largest contiguous mapping already present: a hint that could not give a larger one is refused. */
  readonly maxOrder: number;
}

const MAY_SLEEP: Op = mightSleep();

/**
 * Adds a hint. May sleep, so no spinlock may be held (H13); mmap_lock may be held or not. Errors: TableFullError for
 * 'hint', unless the queue was made to drop what finds no room. Its operations are asked for on the spot first: producers
 * add hints by the million, and each would come up through all of their generators.
 */
export function* khugepagedAddHint(k: Khugepaged, hint: Hint): Procedure<HintAddOutcome> {
  const { m, t, hints: queue } = k;
  const { mm, vma, priority } = hint;
  const page = (Math.floor(hint.page / m.ptes) * m.ptes) as Vpn;
  const refused = whyRefused(k, hint); // 1, 2
  if (refused !== null || queue === null || mm === 0) return told(k, hint, page, refused ?? HINT_ADD.no_queue);
  if (!isRegistered(k, mm)) {
    yield* khugepagedEnter(k, mm); // 3
    if (!isRegistered(k, mm)) return told(k, hint, page, HINT_ADD.not_registered);
  }
  if (queue.policy.allocation === 'maySleep') m.current.atOnce?.(MAY_SLEEP) ?? (yield MAY_SLEEP); // 4
  const row = allocHint(k, queue);
  if (row === 0) return told(k, hint, page, HINT_ADD.no_memory);
  const work = spend(m.costs.hintAdd);
  m.current.atOnce?.(work) ?? (yield work);
  t.hint.vma[row] = vma;
  t.hint.births[row] = m.vma.births[vma];
  t.hint.block[row] = page / m.ptes;
  // Where nobody asks for the age, the clock is read only for reports.
  t.hint.addedNs[row] = queue.policy.mostAgeNs > 0 ? yield now() : m.current.nowNs;
  const lock = tryAcquire(k.mmLock);
  if ((m.current.atOnce?.(lock) ?? (yield lock)) === 0) {
    t.hint.pool.free(row);
    return told(k, hint, page, HINT_ADD.contended); // 5
  }
  const outcome = place(k, queue, mm, row, priority); // 6
  const unlock = release(k.mmLock);
  m.current.atOnce?.(unlock) ?? (yield unlock);
  if (outcome !== HINT_ADD.queued) {
    t.hint.pool.free(row);
    return told(k, hint, page, outcome);
  }
  told(k, hint, page, outcome);
  if (queue.policy.scanSleep !== 'kept') t.khugepaged.sleepExpire[0] = 0;
  const wakeUp = wake(k.waitQueue);
  m.current.atOnce?.(wakeUp) ?? (yield wakeUp);
  return outcome;
}

function told(k: Khugepaged, hint: Hint, page: Vpn, outcome: HintAddOutcome): HintAddOutcome {
  tellAdded(k, hint.mm as MmId, hint.vma, page, hint.priority, hint.maxOrder, outcome);
  return outcome;
}

/** What can be said without any lock; null: nothing speaks against it. The VMA's flags are read as they are. */
function whyRefused(k: Khugepaged, { mm, vma, priority, maxOrder }: Hint): HintAddOutcome | null {
  if (k.hints === null) return HINT_ADD.no_queue;
  if (mm === 0 || vma === 0 || priority < 0 || priority >= HINT_PRIORITIES) return HINT_ADD.bad_arguments;
  const unlocked = lockless(k.m, LOCKLESS.hintFlags);
  const collapse = unlocked === k.m ? k.collapse : { ...k.collapse, m: unlocked };
  const highest = highestOrder(collapsePossibleOrders(collapse, vma, TVA.khugepaged));
  return highest <= maxOrder ? HINT_ADD.mapped_large_enough : null;
}

/** khugepaged_mm_lock is held. */
function place(k: Khugepaged, queue: HintQueue, mm: MmId, row: number, priority: number): HintAddOutcome {
  const { t } = k;
  const slot = t.mmSlotIndex.slot[mm];
  if (slot === 0) return HINT_ADD.exited;
  const { deduplicates, mostPerRequest } = queue.policy;
  if (deduplicates) {
    const waiting = findHint(k, slot, t.hint.block[row]);
    if (waiting !== 0) {
      refresh(k, queue, waiting, row, requestOf(slot, priority));
      return HINT_ADD.duplicate;
    }
  }
  const request = requestOf(slot, priority);
  if (mostPerRequest > 0 && t.hintRequest.count[request] >= mostPerRequest) {
    discardHint(k, queue, queue.fifos.first(request), HINT_DROP.displaced);
  }
  pushHint(k, queue, request, row);
  if (deduplicates) rememberHint(k, row);
  Atomics.add(t.hintLevel.queued, priority, 1);
  return HINT_ADD.queued;
}

/** The hint that waits already learns what the new one knows, and moves to the new one's request if that comes first. */
function refresh(k: Khugepaged, queue: HintQueue, waiting: number, row: number, request: number): void {
  const { hint } = k.t;
  const before = hint.request[waiting];
  if (request < before) {
    removeHint(k, queue, waiting);
    pushHint(k, queue, request, waiting);
    rememberHint(k, waiting);
    queue.recorder?.moved?.(mmOf(k, request), pageOf(k, waiting), priorityOf(before), priorityOf(request));
  }
  hint.vma[waiting] = hint.vma[row];
  hint.births[waiting] = hint.births[row];
  hint.addedNs[waiting] = hint.addedNs[row];
}

function allocHint(k: Khugepaged, queue: HintQueue): number {
  try {
    return k.t.hint.pool.alloc();
  } catch (error) {
    if (error instanceof TableFullError && queue.whenFull === 'drop') return 0;
    throw error;
  }
}

/** The highest order of a set; -1 for none. */
function highestOrder(orders: number): number {
  return 31 - Math.clz32(orders);
}

function isRegistered(k: Khugepaged, mm: MmId): boolean {
  return (Atomics.load(k.m.mm.flags, mm) & MMF.VM_HUGEPAGE) !== 0;
}
