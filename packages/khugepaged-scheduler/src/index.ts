export { createKhugepaged, type Khugepaged, type KhugepagedConfig, type StartThread } from './khugepaged.js';
export { exitOrDisabled, khugepagedScanMmSlot } from './scan-mm-slot.js';
export { collectMmSlot, khugepagedEnter, khugepagedEnterVma, khugepagedExit, khugepagedFork } from './slots.js';
export { startStopKhugepaged } from './start-stop.js';
export { readSysfs, type SysfsWriteOutcome, sysfsFile, sysfsValue, writeSysfs } from './sysfs.js';
export { KHUGEPAGED_TABLES, type KhugepagedTables, khugepagedSizes } from './tables.js';
export { khugepagedDoScan, khugepagedThread } from './thread.js';
export { exactTimer, type Timer, timerWheel } from './timer.js';
