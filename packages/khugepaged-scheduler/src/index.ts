export { KHUGEPAGED_GUARDS, type KhugepagedGuardName } from './guards.js';
export * from './hints/index.js';
export { createKhugepaged, type Khugepaged, type KhugepagedConfig, type StartThread } from './khugepaged.js';
export * from './look-ahead/index.js';
export { exitOrDisabled } from './mm-state.js';
export { khugepagedScanMmSlot, NO_SLOT } from './scan-mm-slot.js';
export { resetScanWork, type ScanGoal, type ScanWorkDone, scanWork } from './scan-work.js';
export { makeScanner, type Scanner } from './scanner.js';
export { collectMmSlot, khugepagedEnter, khugepagedEnterVma, khugepagedExit, khugepagedFork } from './slots.js';
export { startStopKhugepaged } from './start-stop.js';
export { readSysfs, type SysfsWriteOutcome, sysfsFile, sysfsValue, writeSysfs } from './sysfs.js';
export {
  KHUGEPAGED_TABLES,
  type KhugepagedSizes,
  type KhugepagedTables,
  khugepagedSizes,
  khugepagedTables,
  MAX_SCANNERS,
} from './tables.js';
export { khugepagedBeginPass, khugepagedDoScan, khugepagedScanPass, khugepagedThread } from './thread.js';
export { exactTimer, type Timer, timerWheel } from './timer.js';
