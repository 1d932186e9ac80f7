/** Counters, for tests. */
import { type MthpStatName, mthpStatCell, type VmstatName, vmstatIndex } from '@thplab/sysfs-schema';
import type { World } from './world.js';

/** A line of /proc/vmstat. */
export function vmstat(w: World, name: VmstatName): number {
  return w.m.vmstat.value[vmstatIndex(name)];
}

/** A counter of hugepages-<size>kB/stats. */
export function mthpStat(w: World, order: number, name: MthpStatName): number {
  return w.m.mthpStat.value[mthpStatCell(name, order)];
}
