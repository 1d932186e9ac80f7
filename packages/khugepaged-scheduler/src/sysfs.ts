/**
 * The machine's /sys/kernel/mm/transparent_hugepage: reads and writes with the kernel's grammar, errors and side effects
 * (khugepaged spec 5.4, 14.1).
 */
import { ERRNO } from '@thplab/mm-model';
import { type Procedure, wake } from '@thplab/sync';
import {
  absolutePath,
  checkWrite,
  formatRead,
  requireFile,
  type SysfsFile,
  SysfsSchemaError,
} from '@thplab/sysfs-schema';
import type { Khugepaged } from './khugepaged.js';
import { startStopKhugepaged } from './start-stop.js';

/** What a write did. */
export type SysfsWriteOutcome =
  | { readonly errno: 0 }
  | { readonly errno: number; readonly name: string; readonly message: string };

/** Writes a file. Gives the errno (negative, 0 for success) and in words what was wrong and what would be right. */
export function* writeSysfs(k: Khugepaged, path: string, text: string): Procedure<SysfsWriteOutcome> {
  const file = sysfsFile(k, path);
  const checked = checkWrite(file, text, k.m.setting.value, k.m.geometry);
  if (!checked.ok) return { errno: -ERRNO_OF[checked.errno], name: checked.errno, message: checked.message };
  const { storage } = file;
  if (storage.kind !== 'setting' && storage.kind !== 'order-setting') {
    throw new SysfsSchemaError('unknown-path', `${file.path} is writable but stores nothing`);
  }
  const changed = k.m.setting.value[storage.cell] !== checked.value;
  k.m.setting.value[storage.cell] = checked.value;
  if (storage.key === 'khugepaged.scan_sleep_millisecs' || storage.key === 'khugepaged.alloc_sleep_millisecs') {
    k.t.khugepaged.sleepExpire[0] = 0;
    yield wake(k.waitQueue);
  } else if (changed && DECIDES_ON_THREAD.has(storage.key)) {
    yield* startStopKhugepaged(k);
  }
  return { errno: 0 };
}

/** Files whose change may start or stop the thread: those of anonymous and of shared memory, at the top and per size. */
const DECIDES_ON_THREAD: ReadonlySet<string> = new Set([
  'enabled',
  'shmem_enabled',
  'hugepages.enabled',
  'hugepages.shmem_enabled',
]);

/** What a read of the file prints, newline included. */
export function readSysfs(k: Khugepaged, path: string): string {
  const file = sysfsFile(k, path);
  return formatRead(file, sysfsValue(k, file));
}

/** The number behind a file: a setting, the index of a choice, or a counter. */
export function sysfsValue(k: Khugepaged, file: SysfsFile): number {
  const { storage } = file;
  switch (storage.kind) {
    case 'setting':
    case 'order-setting':
      return k.m.setting.value[storage.cell];
    case 'mthp-stat':
      return k.m.mthpStat.value[storage.cell];
    case 'khugepaged-counter':
      return (storage.name === 'pages_collapsed' ? k.t.khugepaged.pagesCollapsed : k.t.khugepaged.fullScans)[0];
    case 'constant':
      return file.default;
  }
}

/** The file at a path, absolute or relative to the transparent_hugepage folder. Errors: an unknown path, with the nearest. */
export function sysfsFile(k: Khugepaged, path: string): SysfsFile {
  return k.files.get(absolutePath(path)) ?? requireFile([...k.files.values()], path);
}

const ERRNO_OF = { EINVAL: ERRNO.EINVAL, ERANGE: ERRNO.ERANGE, EACCES: 13 } as const;
