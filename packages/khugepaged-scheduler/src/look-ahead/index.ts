export { type AheadRecord, type AheadWorker, aheadWork, resetAhead, stopAhead } from './ahead-work.js';
export { type AheadDriver, type AheadSums, LookAhead } from './look-ahead.js';
export type { AheadLimits, AheadPart, AheadPlan, NoPlan } from './plan.js';
export { LookAheadError, RangeRecorder } from './range-record.js';
