export type { AccessChecks, AccessLocking, OperationsId } from './access/access-checks.js';
export { blocksTouched } from './actions/blocks.js';
export {
  commitDamon,
  commitQuotaGoals,
  createDamon,
  type DamonCommit,
  type DamonConfig,
  damonRegions,
  destroyDamon,
  isRunning,
  type StartThread,
  startDamon,
  stopDamon,
  type TargetConfig,
} from './create.js';
export type { Damon, DamonObserver, SplitGuard } from './damon.js';
export { type DamonErrno, DamonError } from './errors.js';
export { DAMON_CATALOGUE, DAMON_EVENTS, type DamonEvents } from './events.js';
export { feedLoopNextInput } from './feedback.js';
export { kdamond } from './kdamond.js';
export {
  DEFAULT_ATTRIBUTES,
  type Intervals,
  type IntervalsGoal,
  type MonitoringAttributes,
  maxNrAccesses,
  readAttributes,
  validateAttributes,
} from './monitor/attributes.js';
export { threeRegions } from './monitor/layout.js';
export type { AddressRange, RegionSnapshot } from './monitor/regions.js';
export { intervalsAdaptationBp, intervalsScore } from './monitor/tune-intervals.js';
export {
  DAMON_PROFILES,
  type DamonProfile,
  damon71,
  damon613,
  damon618,
  damonMm,
  damonReviewed,
  damonRfcV2,
} from './profile.js';
export { damonProfileOf } from './profile-of-kernel.js';
export { damonCall } from './requests.js';
export {
  type CoreFilter,
  coreDefaultReject,
  defaultReject,
  FILTER_TYPES,
  type FilterType,
  type OpsFilter,
} from './schemes/filter.js';
export { effectiveBytes, type SchemeStats, schemeStats } from './schemes/running.js';
export {
  type AccessPattern,
  ANY_PATTERN,
  type ClosedRange,
  completeScheme,
  DAMOS_ACTIONS,
  type DamosActionName,
  type MigrationDest,
  QUOTA_GOAL_METRICS,
  type Quota,
  type QuotaGoal,
  type QuotaGoalMetric,
  type QuotaWeights,
  type Scheme,
  type SchemeInput,
  validateScheme,
  type Watermarks,
  ZERO_PATTERN,
} from './schemes/scheme.js';
export { coldScore, type Heat, hotScore, minScoreFor } from './schemes/score.js';
export { damosWalk, type RequestOutcome, type TriedRegion, type WalkVisitor } from './schemes/walk.js';
export { freeMemRate, watermarksActivate } from './schemes/watermarks.js';
export { DamonAdmin, type DamonAdminConfig, type KdamondExtras } from './sysfs/admin.js';
export { type ContextInput, type MmOfPid, type Named, readContextFolder } from './sysfs/context-of-files.js';
export {
  type DamonEntry,
  type DamonFileErrno,
  DamonFiles,
  type DamonPlace,
  type DamonWriteOutcome,
} from './sysfs/files.js';
export { DamonFolder } from './sysfs/folder.js';
export { DAMON_TABLES, type DamonLimits, type DamonTables, damonSizes } from './tables.js';
