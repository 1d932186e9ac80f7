/** The writes that are refused for what another file holds. */
import { HUGEPAGES_SHMEM_ENABLED, SHMEM_ENABLED } from './choices.js';
import type { Geometry } from './geometry.js';
import type { SysfsFile } from './node.js';
import { type SettingCells, shmemOrderMasks } from './order-masks.js';
import { parseWrite, type WriteResult } from './parse-write.js';
import { settingIndex } from './settings.js';

/**
 * What a machine with these settings answers to a write: parseWrite, and then the one rule that ties files together. Shmem's
 * `force` is for PMD size only: it is refused (EINVAL) unless PMD size is the one size whose shmem_enabled is inherit, and
 * while it stands no other size may be set to inherit. Nothing is changed; storing the value is the caller's.
 */
export function checkWrite(file: SysfsFile, text: string, cells: SettingCells, geometry: Geometry): WriteResult {
  const result = parseWrite(file, text);
  if (!result.ok) return result;
  const { storage } = file;
  if (storage.kind === 'setting' && storage.key === 'shmem_enabled' && result.value === SHMEM_ENABLED.force) {
    if (shmemOrderMasks(cells, geometry).inherit !== 1 << geometry.pmdOrder)
      return refuse(file, 'force needs the PMD size, and no other size, to have shmem_enabled at inherit');
  }
  if (
    storage.kind === 'order-setting' &&
    storage.key === 'hugepages.shmem_enabled' &&
    result.value === HUGEPAGES_SHMEM_ENABLED.inherit &&
    storage.order !== geometry.pmdOrder &&
    cells[settingIndex('shmem_enabled')] === SHMEM_ENABLED.force
  )
    return refuse(file, 'only the PMD size may inherit while shmem_enabled is force; write another word there first');
  return result;
}

function refuse(file: SysfsFile, why: string): WriteResult {
  return { ok: false, errno: 'EINVAL', message: `${file.path}: ${why}` };
}
