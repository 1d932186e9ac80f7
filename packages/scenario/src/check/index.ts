export { ACTOR_KINDS } from './actors/index.js';
export type * from './format/check-case.js';
export { STRATEGIES } from './format/check-case.js';
export { parseCheck } from './format/parse.js';
export { CHECK_FORMAT } from './format/schema.js';
export { INVARIANT_TEXT, INVARIANTS, type Invariant } from './invariants/invariant.js';
export { type CheckOptions, type CheckReport, runCheck } from './run-check.js';
export { type SubjectOptions, subjectOf } from './subject.js';
