export * from './format/index.js';
export type * from './report/result.js';
export { type AssembleOptions, assembleMachine, startKhugepaged } from './run/assemble.js';
export {
  type RunOptions,
  type RunProgress,
  runScenario,
  runScenarioInPieces,
  type ScenarioRun,
} from './run/run-scenario.js';
export { defaultVariants } from './what-if/default-variants.js';
export { type LoadOptions, loadSnapshot } from './what-if/load-snapshot.js';
export { isModelled, profileOfRelease } from './what-if/snapshot-machine.js';
export { type WhatIfOptions, whatIf } from './what-if/what-if.js';
export type * from './what-if/what-if-result.js';
