/** Outcomes of a fault. */
export const FAULT = {
  ok: 0,
  /** No memory. */
  oom: 1,
  sigsegv: 2,
  sigbus: 3,
  /** A userfaultfd handler has to act first; the thread would wait. */
  userfault: 4,
  /** Inside the fault path: something is in the way; let go of the VMA and start over. */
  retry: 5,
  /** Inside the fault path: not as a huge page, try the next smaller way. */
  fallback: 6,
} as const;
export type FaultResult = (typeof FAULT)[keyof typeof FAULT];

/** The outcome in words, for messages. */
export function faultName(result: FaultResult): string {
  const found = Object.entries(FAULT).find(([, value]) => value === result);
  return found === undefined ? String(result) : found[0];
}
