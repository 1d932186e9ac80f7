/**
 * What differs between queues of hints, as data: one descriptor over one skeleton of add, drain and free. The first value
 * of each field is that of the patch as posted (khugepaged spec 17); the others are answers to its quirks (17.4).
 */
import type { VariantFields } from '@thplab/mthp-collapse';

/** See the head of the file. */
export interface HintPolicy {
  readonly name: string;
  /** One line for a reader. */
  readonly summary: string;
  /** False: there is no queue, only the round. */
  readonly queue: boolean;
  /** Failures after which a drain ends (H1). Above 0. */
  readonly failureBudget: number;
  /** Who shares a failure budget: everything in a drain, each priority its own, or each address space at each priority. */
  readonly budgetFor: 'drain' | 'priority' | 'mm';
  /** When it is full again: at each call of scan_mm_slot, possibly many times in a pass, or only with the next pass (H1). */
  readonly budgetPer: 'call' | 'pass';
  /** A range that is huge already counts as a failure, or as nothing (H2). */
  readonly alreadyHuge: 'fails' | 'ignored';
  /** A contended mmap_lock is tried again until the budget is burnt, or the address space has to wait (H3). */
  readonly contended: 'burns' | 'requeues';
  /** Hints of one address space after which it goes to the end of the list; 0: all of them first (H4). */
  readonly rotateAfter: number;
  /** Share of a pass's scan budget that hints may use, above 0 to 1: the rest is the round's (H4). */
  readonly budgetShare: number;
  /** A second hint for a range that waits already is refused, or moves it up if its priority is higher. */
  readonly deduplicates: boolean;
  /** Hints that may wait in one request; one more pushes the oldest out. 0: no bound. */
  readonly mostPerRequest: number;
  /** Age in ns at which a hint is dropped unseen; 0: never. */
  readonly mostAgeNs: number;
  /** What tells that a VMA is still the same one: its address, or its address and how often it was used (H6). */
  readonly identity: 'pointer' | 'births';
  /**
   * The scan sleep goes on whatever is added; or an added hint ends it; or it is left out altogether while hints wait and
   * the pass before served some (H7, H15).
   */
  readonly scanSleep: 'kept' | 'ended' | 'skipped';
  /** A hint for an address space with THP disabled takes only itself along, or all others of the request too (H8). */
  readonly disabledMm: 'oneByOne' | 'allAtOnce';
  /** Who runs the exit of an address space whose last user is the drain: khugepaged, or a thread of its own (H9). */
  readonly lastPut: 'inline' | 'async';
  /** Work on hints is told as that of the address space whose turn it is in the round (H10). */
  readonly tracesAsRound: boolean;
  /** A failed allocation of a hint makes khugepaged sleep as if the round had met it (H11). */
  readonly resultSurvives: boolean;
  /** Allocation of a hint may sleep, so that a spinlock may not be held around it, or may not (H13). */
  readonly allocation: 'maySleep' | 'atomic';
  /** Hints of a dying address space are freed under khugepaged_mm_lock in collect, or behind it (H14). */
  readonly freesUnderLock: boolean;
  /** Requests stand on their list always, or only while they have hints (H16). */
  readonly linked: 'always' | 'whileWaiting';
}

/** The patch as it was posted. */
export const asPosted: HintPolicy = {
  name: 'as-posted',
  summary: 'Luka Bai, RFC of 31 May 2026',
  queue: true,
  failureBudget: 10,
  budgetFor: 'drain',
  budgetPer: 'call',
  alreadyHuge: 'fails',
  contended: 'burns',
  rotateAfter: 0,
  budgetShare: 1,
  deduplicates: false,
  mostPerRequest: 0,
  mostAgeNs: 0,
  identity: 'pointer',
  scanSleep: 'kept',
  disabledMm: 'oneByOne',
  lastPut: 'inline',
  tracesAsRound: true,
  resultSurvives: true,
  allocation: 'maySleep',
  freesUnderLock: true,
  linked: 'always',
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  budgetFor: ['drain', 'priority', 'mm'],
  budgetPer: ['call', 'pass'],
  alreadyHuge: ['fails', 'ignored'],
  contended: ['burns', 'requeues'],
  identity: ['pointer', 'births'],
  scanSleep: ['kept', 'ended', 'skipped'],
  disabledMm: ['oneByOne', 'allAtOnce'],
  lastPut: ['inline', 'async'],
  allocation: ['maySleep', 'atomic'],
  linked: ['always', 'whileWaiting'],
};

/** Least and greatest value of the numbers. */
const RANGES: Readonly<Record<string, readonly [least: number, greatest: number, whole: boolean]>> = {
  failureBudget: [1, 0x7fff_ffff, true],
  rotateAfter: [0, 0x7fff_ffff, true],
  mostPerRequest: [0, 0x7fff_ffff, true],
  mostAgeNs: [0, Number.MAX_SAFE_INTEGER, true],
  budgetShare: [0.01, 1, false],
};

/** Fields of a policy that a user may set. */
export function hintPolicyFields(): readonly string[] {
  return Object.keys(asPosted).filter((name) => name !== 'name' && name !== 'summary' && name !== 'queue');
}

/**
 * A policy with some fields changed. Errors: RangeError for a field that there is none of, or a value that it cannot have;
 * the message says what would be right.
 */
export function hintPolicyWith(policy: HintPolicy, fields: VariantFields, name: string = policy.name): HintPolicy {
  const names = hintPolicyFields();
  for (const [field, value] of Object.entries(fields)) {
    if (!names.includes(field)) {
      throw new RangeError(`hint policies have no field ${JSON.stringify(field)}; there are ${names.join(', ')}`);
    }
    const right = problemOf(field, value);
    if (right !== null)
      throw new RangeError(`${field} of a hint policy is ${JSON.stringify(value)}; expected ${right}`);
  }
  return { ...policy, ...fields, name };
}

/** What would be right; null if the value is. */
function problemOf(field: string, value: boolean | number | string): string | null {
  const choices = CHOICES[field];
  if (choices !== undefined) return choices.includes(String(value)) ? null : `one of ${choices.join(', ')}`;
  const range = RANGES[field];
  if (range === undefined) return typeof value === 'boolean' ? null : 'true or false';
  const [least, greatest, whole] = range;
  const fits = typeof value === 'number' && value >= least && value <= greatest && (!whole || Number.isInteger(value));
  return fits ? null : `a ${whole ? 'whole number' : 'number'} from ${least} to ${greatest}`;
}
