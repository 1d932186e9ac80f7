/**
 * The lists of hints, and what holds them together. Callers hold khugepaged_mm_lock, but for hints that are on no list.
 */
import { IntrusiveList } from '@thplab/arena';
import type { MmId, VmaId, Vpn } from '@thplab/mm-model';
import { type Procedure, spend } from '@thplab/sync';
import type { Khugepaged } from '../khugepaged.js';
import { forgetHint } from './duplicates.js';
import { HINT_DROP, type HintDropReason } from './outcome.js';
import type { HintPolicy } from './policy.js';
import { type HintRecorder, tellDiscarded } from './recorder.js';
import { HINT_PRIORITIES, type HintTables } from './tables.js';

/** The queue of a khugepaged that has one. */
export interface HintQueue {
  readonly policy: HintPolicy;
  /** Requests by priority. */
  readonly levels: IntrusiveList;
  /** Hints by request. */
  readonly fifos: IntrusiveList;
  readonly recorder: HintRecorder | undefined;
  /** When the table is full: an error that names it, or what the kernel does without memory, nothing. */
  readonly whenFull: 'error' | 'drop';
}

/** How a queue is made. */
export interface HintQueueConfig {
  readonly policy: HintPolicy;
  readonly recorder?: HintRecorder;
  /** Default `error`. */
  readonly whenFull?: 'error' | 'drop';
}

type Columns = { readonly [T in keyof HintTables]: { readonly [C in keyof HintTables[T]['columns']]: Uint32Array } };

/** Makes the lists. `tables`: of the arena. */
export function makeHintQueue(tables: unknown, config: HintQueueConfig): HintQueue {
  const t = tables as Columns;
  return {
    policy: config.policy,
    levels: new IntrusiveList({
      first: t.hintLevel.first,
      last: t.hintLevel.last,
      next: t.hintRequest.next,
      prev: t.hintRequest.prev,
    }),
    fifos: new IntrusiveList({
      first: t.hintRequest.first,
      last: t.hintRequest.last,
      next: t.hint.next,
      prev: t.hint.prev,
    }),
    recorder: config.recorder,
    whenFull: config.whenFull ?? 'error',
  };
}

/** The request of a slot at a priority. */
export function requestOf(slot: number, priority: number): number {
  return HINT_PRIORITIES * slot + priority;
}

/** The priority of a request. */
export function priorityOf(request: number): number {
  return request % HINT_PRIORITIES;
}

/** The address space of a request. */
export function mmOf(k: Khugepaged, request: number): MmId {
  return k.t.mmSlot.mm[(request - priorityOf(request)) / HINT_PRIORITIES] as MmId;
}

/** First page of a hint's range. */
export function pageOf(k: Khugepaged, hint: number): Vpn {
  return (k.t.hint.block[hint] * k.m.ptes) as Vpn;
}

/** A slot was put on khugepaged's list: its requests go to the end of theirs. */
export function linkRequests(k: Khugepaged, slot: number): void {
  if (k.hints === null) return;
  for (let priority = 0; priority < HINT_PRIORITIES; priority++) {
    const request = requestOf(slot, priority);
    k.t.hintRequest.passedOver[request] = 0;
    if (k.hints.policy.linked === 'always') link(k, k.hints, request);
  }
}

/** A slot leaves khugepaged's list: so do its requests. Their hints stay with them until `freeHints`. */
export function unlinkRequests(k: Khugepaged, slot: number): void {
  if (k.hints === null) return;
  for (let priority = 0; priority < HINT_PRIORITIES; priority++) unlink(k, k.hints, requestOf(slot, priority));
}

/** Puts a hint at the end of its request's list. */
export function pushHint(k: Khugepaged, queue: HintQueue, request: number, hint: number): void {
  const { t } = k;
  t.hint.request[hint] = request;
  queue.fifos.pushBack(request, hint);
  t.hintRequest.count[request]++;
  if (t.hintRequest.linked[request] === 0) link(k, queue, request);
}

/** Takes a hint off its list, wherever it stands on it. */
export function removeHint(k: Khugepaged, queue: HintQueue, hint: number): void {
  const { t } = k;
  const request = t.hint.request[hint];
  queue.fifos.remove(request, hint);
  t.hintRequest.count[request]--;
  if (queue.policy.deduplicates) forgetHint(k, hint);
  if (queue.policy.linked === 'whileWaiting' && queue.fifos.isEmpty(request)) unlink(k, queue, request);
}

/** The request waits behind all others of its priority. */
export function moveToEnd(k: Khugepaged, queue: HintQueue, request: number): void {
  if (k.t.hintRequest.linked[request] === 0) return;
  queue.levels.remove(priorityOf(request), request);
  queue.levels.pushBack(priorityOf(request), request);
}

/** Takes a hint off and gives its row back: it was dropped unseen. */
export function discardHint(k: Khugepaged, queue: HintQueue, hint: number, reason: HintDropReason): void {
  const request = k.t.hint.request[hint];
  removeHint(k, queue, hint);
  Atomics.add(k.t.hintLevel.discarded, priorityOf(request), 1);
  tellDiscarded(k, mmOf(k, request), pageOf(k, hint), priorityOf(request), reason, k.t.hint.addedNs[hint]);
  k.t.hint.pool.free(hint);
}

/** Hints of a slot that was unlinked, as a chain through `next`: nobody else can reach them any more. 0: there are none. */
export function detachHints(k: Khugepaged, slot: number): number {
  const { hints, t } = k;
  if (hints === null) return 0;
  let chain = 0;
  for (let priority = HINT_PRIORITIES - 1; priority >= 0; priority--) {
    const request = requestOf(slot, priority);
    for (let hint = hints.fifos.last(request); hint !== 0; hint = hints.fifos.last(request)) {
      hints.fifos.remove(request, hint);
      if (hints.policy.deduplicates) forgetHint(k, hint);
      t.hint.next[hint] = chain;
      chain = hint;
    }
    t.hintRequest.count[request] = 0;
  }
  return chain;
}

/** Frees a chain of `detachHints`, and takes the time for it. */
export function* freeHints(k: Khugepaged, mm: MmId, chain: number): Procedure<void> {
  let count = 0;
  for (let hint = chain; hint !== 0; ) {
    const next = k.t.hint.next[hint];
    const priority = priorityOf(k.t.hint.request[hint]);
    Atomics.add(k.t.hintLevel.discarded, priority, 1);
    tellDiscarded(k, mm, pageOf(k, hint), priority, HINT_DROP.slot_freed, k.t.hint.addedNs[hint]);
    k.t.hint.pool.free(hint);
    hint = next;
    count++;
  }
  if (count > 0) yield spend(count * k.m.costs.hintFree);
}

/** True if the VMA is the one that the hint was made for, as far as the policy can tell. */
export function isSameVma(k: Khugepaged, queue: HintQueue, hint: number, vma: VmaId): boolean {
  const { t, m } = k;
  if (t.hint.vma[hint] !== vma) return false;
  return queue.policy.identity === 'pointer' || t.hint.births[hint] === m.vma.births[vma];
}

function link(k: Khugepaged, queue: HintQueue, request: number): void {
  k.t.hintRequest.linked[request] = 1;
  queue.levels.pushBack(priorityOf(request), request);
}

function unlink(k: Khugepaged, queue: HintQueue, request: number): void {
  if (k.t.hintRequest.linked[request] === 0) return;
  k.t.hintRequest.linked[request] = 0;
  queue.levels.remove(priorityOf(request), request);
}
