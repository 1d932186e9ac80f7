/** Counters of the machine as numbers and as reads print them. */
import { readSysfs, sysfsFile, sysfsValue } from '@thplab/khugepaged-scheduler';
import type { Machine } from '@thplab/mm-model';
import {
  describeVmstat,
  filesOf,
  SYSFS_ROOT,
  sysfsTree,
  VMSTAT_NAMES,
  type VmstatName,
  vmstatIndex,
} from '@thplab/sysfs-schema';
import { isDamonPath } from '../damon/kdamonds.js';
import type { CounterExpectation } from '../format/index.js';
import type { World } from '../run/world.js';

/** Value of a line of /proc/vmstat. */
export function vmstatValue(m: Machine, name: VmstatName): number {
  return name === 'nr_free_pages' ? freePages(m) : m.vmstat.value[vmstatIndex(name)];
}

/** Free base pages of all nodes. */
export function freePages(m: Machine): number {
  let pages = 0;
  for (let node = 0; node < m.nodes; node++) pages += m.node.freePages[node];
  return pages;
}

/** True if the kernel has the counter: it may be another one than the file was written for. */
export function hasCounter(world: World, counter: Pick<CounterExpectation, 'source' | 'name'>): boolean {
  if (counter.source === 'vmstat' || world.k.files.has(counter.name)) return true;
  return isDamonPath(counter.name) && world.kdamonds.admin.read(counter.name) !== undefined;
}

/** Number behind a counter that a scenario expects something of. */
export function counterValue(world: World, counter: Pick<CounterExpectation, 'source' | 'name'>): number {
  if (counter.source === 'vmstat') return vmstatValue(world.m, counter.name as VmstatName);
  if (isDamonPath(counter.name)) return Number(counterText(world, counter));
  return sysfsValue(world.k, sysfsFile(world.k, counter.name));
}

/** What a read of the counter prints, without the newline. */
export function counterText(world: World, counter: Pick<CounterExpectation, 'source' | 'name'>): string {
  if (counter.source === 'vmstat') return String(counterValue(world, counter));
  if (isDamonPath(counter.name)) return (world.kdamonds.admin.read(counter.name) ?? '').trimEnd();
  return readSysfs(world.k, counter.name).trimEnd();
}

/** Values of several counters by name. */
export function counterValues(world: World, counters: readonly CounterExpectation[]): Map<string, number> {
  return new Map(
    counters
      .filter((counter) => hasCounter(world, counter))
      .map((counter) => [counter.name, counterValue(world, counter)]),
  );
}

/** Lines of /proc/vmstat that are not 0. */
export function vmstatTable(m: Machine): Record<string, number> {
  const table: Record<string, number> = {};
  for (const name of VMSTAT_NAMES) {
    const value = vmstatValue(m, name);
    if (value !== 0) table[describeVmstat(name).name] = value;
  }
  return table;
}

/** Counter files of sysfs that are not 0, by their path below the transparent_hugepage folder. */
export function sysfsCounters(world: World): Record<string, number> {
  const table: Record<string, number> = {};
  for (const file of filesOf(sysfsTree(world.collapse.profile, world.m.geometry))) {
    if (file.grammar.kind !== 'counter') continue;
    const value = sysfsValue(world.k, file);
    if (value !== 0) table[file.path.slice(SYSFS_ROOT.length + 1)] = value;
  }
  return table;
}
