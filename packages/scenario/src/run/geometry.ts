/** Units of a scenario's machine: bytes to pages, orders to sizes. */
import type { Geometry } from '@thplab/sysfs-schema';
import type { Machine as MachineSpec } from '../format/index.js';

/** Page size and table size as the model takes them. */
export function geometryOf(machine: Pick<MachineSpec, 'pageSize' | 'pmdOrder'>): Geometry {
  return { pageShift: Math.log2(machine.pageSize), pmdOrder: machine.pmdOrder };
}
