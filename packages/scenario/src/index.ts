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
