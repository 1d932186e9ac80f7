/** The queues of hints that can be compared: each is the patch as posted with one answer to its quirks, the last with all. */
import type { VariantFields } from '@thplab/mthp-collapse';
import { asPosted, type HintPolicy, hintPolicyFields, hintPolicyWith } from './policy.js';

function answer(name: string, summary: string, fields: VariantFields): HintPolicy {
  return { ...hintPolicyWith(asPosted, fields, name), summary };
}

const NS_PER_S = 1e9;

/** No queue at all: hints are refused, khugepaged goes its round. */
export const noHints: HintPolicy = { ...asPosted, name: 'none', summary: 'no queue: the round alone', queue: false };

/** Every policy that has a name. */
export const HINT_POLICIES: readonly HintPolicy[] = [
  noHints,
  asPosted,
  answer('dedup', 'a range waits once, at the higher of its priorities', { deduplicates: true }),
  answer('bounded', 'at most 512 hints wait per address space and priority, and none longer than 60 s', {
    mostPerRequest: 512,
    mostAgeNs: 60 * NS_PER_S,
  }),
  answer('fair', 'eight hints of an address space, then the next one; half of the budget is left to the round', {
    rotateAfter: 8,
    budgetShare: 0.5,
  }),
  answer('split-budget', 'a failure budget for each address space at each priority, filled once per pass', {
    budgetFor: 'mm',
    budgetPer: 'pass',
  }),
  answer('requeue', 'an address space whose mmap_lock is contended waits, at the end of the list', {
    contended: 'requeues',
  }),
  answer('lenient', 'a range that is huge already is no failure', { alreadyHuge: 'ignored' }),
  answer('checked', 'a VMA is known by its address and by how often that was used', { identity: 'births' }),
  answer('prompt', 'an added hint ends the scan sleep', { scanSleep: 'ended' }),
  answer(
    'tidy',
    'hints have their own result, progress and thread for exits; empty requests and freeing are off the lock',
    {
      disabledMm: 'allAtOnce',
      lastPut: 'async',
      tracesAsRound: false,
      resultSurvives: false,
      allocation: 'atomic',
      freesUnderLock: false,
      linked: 'whileWaiting',
    },
  ),
  answer('best', 'all answers together', {
    budgetFor: 'mm',
    budgetPer: 'call',
    alreadyHuge: 'ignored',
    contended: 'requeues',
    rotateAfter: 8,
    budgetShare: 0.9,
    deduplicates: true,
    mostPerRequest: 4096,
    mostAgeNs: 600 * NS_PER_S,
    identity: 'births',
    scanSleep: 'skipped',
    disabledMm: 'allAtOnce',
    lastPut: 'async',
    tracesAsRound: false,
    resultSurvives: false,
    allocation: 'atomic',
    freesUnderLock: false,
    linked: 'whileWaiting',
  }),
];

/**
 * The policy of a name, perhaps with fields of its own behind it: `as-posted`, `fair:rotateAfter=2`,
 * `as-posted:failureBudget=40:alreadyHuge=ignored`. Errors: RangeError, which says what would be right.
 */
export function hintPolicyNamed(text: string): HintPolicy {
  const [name, ...changes] = text.split(':');
  const found = HINT_POLICIES.find((policy) => policy.name === name);
  if (found === undefined) {
    const names = HINT_POLICIES.map((policy) => policy.name).join(', ');
    throw new RangeError(`there is no hint policy ${JSON.stringify(name)}; expected one of ${names}`);
  }
  if (changes.length === 0) return found;
  return hintPolicyWith(found, Object.fromEntries(changes.map(changeOf)), text);
}

function changeOf(change: string): readonly [string, boolean | number | string] {
  const at = change.indexOf('=');
  if (at < 0) {
    const fields = hintPolicyFields().join(', ');
    throw new RangeError(`${JSON.stringify(change)} changes nothing; expected FIELD=VALUE with a field of ${fields}`);
  }
  return [change.slice(0, at), parsedValue(change.slice(at + 1))];
}

function parsedValue(text: string): boolean | number | string {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
