export { heldText } from '../errors.js';
export { AccessLog } from './access-log.js';
export {
  type ExploreActor,
  type ExploreCase,
  type ExploreLimits,
  type ExploreSettings,
  exploreSettings,
  MAX_ACTORS,
} from './case.js';
export { DepthFirst, type DepthFirstOptions } from './depth-first.js';
export { GuardError, ScheduleCodeError, ScheduleDivergedError } from './errors.js';
export {
  type ExploreFailure,
  type ExploreProgress,
  type ExploreReport,
  explore,
  exploring,
  replaySchedule,
} from './explore.js';
export type { FailureKind } from './failure.js';
export type { InterleavingRow } from './interleaving.js';
export { interleavingText } from './interleaving-text.js';
export { Pct } from './pct.js';
export { RandomWalk } from './random.js';
export {
  type Column,
  type ColumnRecord,
  type Guard,
  guardedBy,
  missingGuard,
  readCheckedColumn,
  recordedColumn,
} from './recorded-column.js';
export { recordedTables, type TablesRecord } from './recorded-tables.js';
export { Replay } from './replay.js';
export { resetTo } from './reset.js';
export { RoundRobin } from './round-robin.js';
export { decodeSchedule, encodeSchedule, type Schedule } from './schedule-code.js';
export {
  type Coverage,
  DROP,
  isPreemption,
  plainChoice,
  type ScheduleEnd,
  type ScheduleView,
  type Strategy,
} from './strategy.js';
export { MOVE, ScheduleTrace } from './trace.js';
