export { DamonFiles } from '@thplab/damos-actions';
export { HINT_POLICIES, hintPolicyNamed, hintTexts } from '@thplab/khugepaged-scheduler';
export * from './check/index.js';
export * from './costs/index.js';
export { withDamoDocument } from './damo/damo-scenario.js';
export * from './damo/index.js';
export { damoDocument, type SplitSchemes } from './damo/write-kdamonds.js';
export { damonSetUp } from './damon/damon-set-up.js';
export { PING_PONG_DESIGNS, type PingPongDesign, withPingPong } from './damon/ping-pong/designs.js';
export type { PingPongSums } from './damon/ping-pong/ping-pong.js';
export { NOTHING_EXPECTED } from './expect/nothing-expected.js';
export * from './format/index.js';
export type { HintStep } from './hints/hint-log.js';
export { coldShare, type HintsResult } from './hints/result.js';
export type { CacheCounts } from './report/cache-counts.js';
export type { EntryCounts } from './report/entry-counts.js';
export {
  type ExplainLook,
  type ExplainRow,
  type ExplainStep,
  type ExplainTable,
  explainRanges,
  explainTable,
} from './report/explain.js';
export type * from './report/result.js';
export { type RuleFacts, ruleFacts } from './report/rule-facts.js';
export { type FoundTable, type FoundTables, tablesOfScenario } from './report/study-tables.js';
export type { TableSlot, TableView } from './report/table-slots.js';
export { type AssembleOptions, assembleMachine, startKhugepaged } from './run/assemble.js';
export type { Locate } from './run/run-error.js';
export {
  type RunOptions,
  type RunProgress,
  runScenario,
  runScenarioInPieces,
  type ScenarioRun,
} from './run/run-scenario.js';
export { defaultVariants } from './what-if/default-variants.js';
export { type LoadOptions, loadSnapshot } from './what-if/load-snapshot.js';
export { CAPTURED, isModelled, profileOfRelease, snapshotScenario } from './what-if/snapshot-machine.js';
export { type WhatIfOptions, type WhatIfProgress, whatIf, whatIfInPieces } from './what-if/what-if.js';
export type * from './what-if/what-if-result.js';
export { MasimError, parseMasim } from './workload/masim.js';
export { type AccessSample, type AccessSampling, frameAt } from './workload/sample-accesses.js';
