export type { ScanGoal } from '../scan-work.js';
export {
  type AttachedThread,
  attachKhugepaged,
  type KhugepagedHandle,
  khugepagedHandle,
  POOL_TABLES,
  poolSizes,
  type ThreadRunOptions,
  threadTables,
} from './attach.js';
export type { ControlCounters, ControlLoop, ControlState } from './control-loop.js';
export { type Controller, type ControllerOptions, startController } from './controller.js';
export type { ScannerReport } from './protocol.js';
export { createScanPool, type ScanPool, ScanPoolError, type ScanPoolOptions, type ScanReport } from './scan-pool.js';
