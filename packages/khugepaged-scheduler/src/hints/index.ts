export { type Hint, khugepagedAddHint } from './add.js';
export { checkHints } from './check.js';
export {
  HINT_ADD,
  HINT_DROP,
  type HintAddOutcome,
  type HintDropReason,
  hintAddName,
  hintDropName,
  hintTexts,
} from './outcome.js';
export { HINT_POLICIES, hintPolicyNamed, noHints } from './policies.js';
export { asPosted, type HintPolicy, hintPolicyFields, hintPolicyWith } from './policy.js';
export type { HintQueue, HintQueueConfig } from './queue.js';
export type { HintRecorder } from './recorder.js';
export { HINT_PRIORITIES, HINT_TABLES, type HintSizes, type HintTables, hintSizes } from './tables.js';
