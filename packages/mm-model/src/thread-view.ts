/**
 * A machine as one of several threads sees it: the same arena, but counters of its own, which are added to the machine's
 * from time to time. Counters are added to in nearly every step; as words that all threads write they would be wrong, or
 * slow.
 */
import { Arena, type Sizes, type TableDecls } from '@thplab/arena';
import { giveWord, takeWord } from '@thplab/sync';
import type { Geometry } from '@thplab/sysfs-schema';
import type { CostTable } from './costs.js';
import { type Machine, viewMachine } from './machine.js';
import type { MmTables } from './tables.js';

/** What another thread needs to see a machine; can be cloned, and the memory stays shared. */
export interface MachineHandle {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: Sizes;
  /** Declarations of all tables, those of upper packages included. */
  readonly decls: TableDecls;
  readonly geometry: Geometry;
  readonly costs: CostTable;
}

/** A machine on this thread. */
export interface ThreadView {
  readonly machine: Machine;
  /** Adds this thread's counters to the machine's. */
  addCounters(): void;
}

/** For sending a machine to another thread. */
export function machineHandle(m: Machine): MachineHandle {
  const { arena, geometry, costs } = m;
  return { ...arena.handle, decls: arena.decls, geometry, costs };
}

/** Attaches this thread to a machine. Errors: LayoutMismatchError. */
export function attachMachine(handle: MachineHandle): ThreadView {
  const arena = Arena.attach(handle.decls, handle.sizes, handle.buffer);
  const shared = viewMachine(arena as unknown as Arena<MmTables>, handle.geometry, handle.costs);
  const vmstat = ownCounters(shared.vmstat.value.length);
  const mthpStat = ownCounters(shared.mthpStat.value.length);
  const machine: Machine = {
    ...shared,
    vmstat: { ...shared.vmstat, value: vmstat },
    mthpStat: { ...shared.mthpStat, value: mthpStat },
  };
  return {
    machine,
    addCounters() {
      takeWord(shared.machine.countersWord, 0);
      addTo(shared.vmstat.value, vmstat);
      addTo(shared.mthpStat.value, mthpStat);
      giveWord(shared.machine.countersWord, 0);
    },
  };
}

function ownCounters(length: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}

function addTo(sums: Float64Array, own: Float64Array): void {
  for (let i = 0; i < own.length; i++) {
    if (own[i] === 0) continue;
    sums[i] += own[i];
    own[i] = 0;
  }
}
