export type { ScanGoal } from '../scan-work.js';
export { type AheadPool, type AheadThread, createAheadPool } from './ahead-pool.js';
export {
  type AttachedThread,
  attachKhugepaged,
  type KhugepagedHandle,
  khugepagedHandle,
  POOL_TABLES,
  poolSizes,
  type ThreadListeners,
  type ThreadRunOptions,
  threadTables,
} from './attach.js';
export type { ControlCounters, ControlLoop, ControlState } from './control-loop.js';
export { type Controller, type ControllerOptions, startController } from './controller.js';
export type { ResourceLimits, ScannerReport } from './protocol.js';
export { createScanPool, type ScanPool, type ScanPoolOptions, type ScanReport } from './scan-pool.js';
export { ScanPoolError, type ThreadPoolOptions } from './thread-pool.js';
