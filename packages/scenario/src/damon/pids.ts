/** Process ids, which scenarios have no use for but DAMON's files want. */
import type { MmId } from '@thplab/mm-model';
import type { World } from '../run/world.js';

/** Pids count from here, in the order of birth. */
export const FIRST_PID = 1000;

/** The pid of a live process. */
export function pidOf(world: World, mm: MmId): number {
  return FIRST_PID + world.processes.all.findIndex((process) => process.mm === mm && process.exitNs === null);
}

/** The address space of a live process. */
export function mmOfPid(world: World, pid: number): MmId | undefined {
  const process = world.processes.all[pid - FIRST_PID];
  return process === undefined || process.exitNs !== null ? undefined : process.mm;
}
