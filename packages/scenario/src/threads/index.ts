/** Runs on several threads: Node only. The package's main entry runs anywhere. */
export {
  MOST_THREADS,
  runScenarioOnThreads,
  type ThreadsLook,
  type ThreadsOptions,
  type ThreadsRun,
} from './run-on-threads.js';
export { type WhatIfLook, type WhatIfThreadsOptions, whatIfOnThreads } from './what-if-on-threads.js';
