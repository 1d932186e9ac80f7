/**
 * Finding the hint that waits for a range already, for policies that look: a hash table over address space and range.
 * Callers hold khugepaged_mm_lock.
 */
import type { Khugepaged } from '../khugepaged.js';
import { HINT_PRIORITIES } from './tables.js';

/** The waiting hint of a slot for a range, at whatever priority; 0: there is none. */
export function findHint(k: Khugepaged, slot: number, block: number): number {
  const { hint, hintBucket } = k.t;
  let at = hintBucket.first[bucketOf(k, slot, block)];
  while (at !== 0 && (hint.block[at] !== block || slotOfHint(k, at) !== slot)) at = hint.bucketNext[at];
  return at;
}

/** A hint was put on a list. */
export function rememberHint(k: Khugepaged, at: number): void {
  const { hint, hintBucket } = k.t;
  const bucket = bucketOf(k, slotOfHint(k, at), hint.block[at]);
  hint.bucketNext[at] = hintBucket.first[bucket];
  hintBucket.first[bucket] = at;
}

/** A hint leaves its list. */
export function forgetHint(k: Khugepaged, gone: number): void {
  const { hint, hintBucket } = k.t;
  const bucket = bucketOf(k, slotOfHint(k, gone), hint.block[gone]);
  let before = 0;
  for (let at = hintBucket.first[bucket]; at !== gone; at = hint.bucketNext[at]) {
    if (at === 0) throw new RangeError(`hint ${gone} is not in bucket ${bucket}`);
    before = at;
  }
  if (before === 0) hintBucket.first[bucket] = hint.bucketNext[gone];
  else hint.bucketNext[before] = hint.bucketNext[gone];
}

function slotOfHint(k: Khugepaged, hint: number): number {
  return Math.floor(k.t.hint.request[hint] / HINT_PRIORITIES);
}

function bucketOf(k: Khugepaged, slot: number, block: number): number {
  const mixed = Math.imul(block ^ Math.imul(slot, 0x9e37_79b1), 0x85eb_ca6b);
  return ((mixed ^ (mixed >>> 15)) >>> 0) & (k.t.hintBucket.first.length - 1);
}
