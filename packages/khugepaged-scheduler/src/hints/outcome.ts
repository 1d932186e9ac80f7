/** What can become of a hint, by number: for traces, reports and return values. */

/** What adding a hint came to (khugepaged spec 17.2). */
export const HINT_ADD = {
  /** It waits. */
  queued: 0,
  /** The kernel has no queue. */
  no_queue: 1,
  /** No mm, no VMA, or no such priority. */
  bad_arguments: 2,
  /** No order above the one that is mapped already is allowed in the VMA. */
  mapped_large_enough: 3,
  /** The address space is not registered, and could not be. */
  not_registered: 4,
  /** No memory for it. */
  no_memory: 5,
  /** khugepaged_mm_lock was held by another. */
  contended: 6,
  /** The address space exited meanwhile. */
  exited: 7,
  /** The range waits already (policies that look). */
  duplicate: 8,
} as const;
export type HintAddOutcome = (typeof HINT_ADD)[keyof typeof HINT_ADD];

/** Why a hint left the queue without its range being looked at (khugepaged spec 17.3). */
export const HINT_DROP = {
  /** Nothing is mapped at the address. */
  vma_gone: 0,
  /** Another VMA is mapped there. */
  vma_changed: 1,
  /** The VMA allows no order. */
  not_allowed: 2,
  /** The range is not wholly inside the VMA. */
  out_of_range: 3,
  /** The address space exits, or has THP disabled. */
  exit_or_disable: 4,
  /** Its slot was freed. */
  slot_freed: 5,
  /** It was too old (policies that look). */
  aged: 6,
  /** Newer ones pushed it out (policies with a bound). */
  displaced: 7,
} as const;
export type HintDropReason = (typeof HINT_DROP)[keyof typeof HINT_DROP];

const ADD_NAMES = Object.keys(HINT_ADD);
const DROP_NAMES = Object.keys(HINT_DROP);

/** Name of an outcome. */
export function hintAddName(outcome: HintAddOutcome): string {
  return ADD_NAMES[outcome];
}

/** Name of a reason. */
export function hintDropName(reason: HintDropReason): string {
  return DROP_NAMES[reason];
}

/** For decoders of traces: the text of the field `reason` of the events of hints. */
export function hintTexts(event: string, field: string, value: number): string | undefined {
  if (field !== 'reason') return undefined;
  if (event === 'khugepaged_hint_add') return ADD_NAMES[value];
  return event === 'khugepaged_hint_drop' ? DROP_NAMES[value] : undefined;
}
