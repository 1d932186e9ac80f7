/**
 * khugepaged on a thread of its own: what a worker needs to take part in a machine that another thread made. Used by the
 * pool's scanners, and by whoever runs processes on workers beside them.
 */
import type { Sizes, TableDecls, Tables } from '@thplab/arena';
import {
  attachMachine,
  familyKeys,
  type Machine,
  type MachineHandle,
  type MmId,
  machineHandle,
  useMm,
} from '@thplab/mm-model';
import {
  type CollapseOptions,
  createCollapseContext,
  generationByName,
  installMadviseCollapse,
} from '@thplab/mthp-collapse';
import {
  type Procedure,
  runOnThread,
  THREADS_TABLES,
  type ThreadProgram,
  type ThreadRun,
  type ThreadsTables,
  type ThreadsView,
  threadGate,
  threadsSizes,
} from '@thplab/sync';
import type { KernelProfile } from '@thplab/sysfs-schema';
import { createKhugepaged, KHUGEPAGED_TABLES, type Khugepaged, khugepagedSizes } from '../index.js';

/** Tables of a machine that threads can share, for `bootMachine`. */
export const POOL_TABLES: TableDecls = { ...KHUGEPAGED_TABLES, ...THREADS_TABLES };

/** Their sizes: address spaces (the machine's limit 'mms'), and threads of all kinds at once. */
export function poolSizes(mms = 256, threads = 16): Sizes {
  return { ...khugepagedSizes(mms), ...threadsSizes({ threads, gateKeys: familyKeys(mms) }) };
}

/** What another thread needs; can be cloned, and the memory stays shared. */
export interface KhugepagedHandle extends MachineHandle {
  readonly profile: KernelProfile;
  /** Name of the generation. */
  readonly generation: string;
}

/** How procedures are run on a thread. */
export interface ThreadRunOptions {
  /** Number of the task, from 1; default the thread's number plus 1. */
  readonly task?: number;
  readonly name?: string;
  /** The address space that the procedure begins to work on; default none. */
  readonly mm?: MmId;
  readonly timeScale?: number;
  readonly lockLimitMs?: number;
}

/** A machine with khugepaged, on this thread. */
export interface AttachedThread {
  readonly m: Machine;
  readonly k: Khugepaged;
  /** Adds this thread's counters to the machine's. */
  addCounters(): void;
  /** A procedure made ready for `runOnThread` or a ThreadsExecutor; `mm`: the address space it begins to work on. */
  program<T>(procedure: () => Procedure<T>, mm?: MmId | 0): ThreadProgram<T>;
  /** Runs a procedure to its end, blocking where it waits. Errors as `runOnThread`. */
  run<T>(procedure: () => Procedure<T>, options?: ThreadRunOptions): ThreadRun<T>;
}

/** For sending khugepaged and its machine to another thread. */
export function khugepagedHandle(k: Khugepaged): KhugepagedHandle {
  return { ...machineHandle(k.m), profile: k.profile, generation: k.generation.name };
}

/** Views of the tables of threads. Errors: RangeError if the machine was made without POOL_TABLES. */
export function threadTables(m: Machine): ThreadsView {
  const tables = m.arena.tables as unknown as Partial<Tables<ThreadsTables>>;
  if (tables.threadRun === undefined) {
    throw new RangeError('the machine has no tables for threads: give POOL_TABLES and poolSizes() to bootMachine');
  }
  return tables as ThreadsView;
}

/** khugepaged of a machine that another thread made, for looking and for starting work, not for running procedures. */
export function attachForControl(handle: KhugepagedHandle): Khugepaged {
  return khugepagedOf(handle, attachMachine(handle).machine);
}

/** Whom the collapse code of a thread tells what it does; default nobody. */
export type ThreadListeners = Pick<CollapseOptions, 'tracer' | 'recorder'>;

/** Attaches this thread, with a number from 0 that no other thread of the machine has; it is its processor's number too. */
export function attachKhugepaged(
  handle: KhugepagedHandle,
  thread: number,
  listeners: ThreadListeners = {},
): AttachedThread {
  const { machine: m, addCounters } = attachMachine(handle);
  if (thread >= m.cpus) throw new RangeError(`thread ${thread} of a machine with ${m.cpus} processors: raise 'cpus'`);
  const k = khugepagedOf(handle, m, listeners);
  const place = { tables: threadTables(m), thread };
  const gate = threadGate(m.domain, place, (mm) => m.mm.family[mm] as number);
  m.gate = gate;
  const current = { nowNs: 0, cpu: thread, task: thread + 1 };
  m.current = current;
  const program = <T>(procedure: () => Procedure<T>, mm: MmId | 0 = 0): ThreadProgram<T> => ({
    domain: m.domain,
    ...place,
    gate,
    current,
    procedure: inFamily(m, mm, procedure, addCounters),
  });
  return {
    m,
    k,
    addCounters,
    program,
    run(procedure, options = {}) {
      const { task = thread + 1, name = `thread ${thread}`, mm = 0, timeScale = 0, lockLimitMs = 10_000 } = options;
      const { procedure: whole, ...rest } = program(procedure, mm);
      return runOnThread(m.domain, whole, { ...rest, thread, task, name, timeScale, lockLimitMs });
    },
  };
}

/** A procedure that begins inside its family, leaves this thread's batch empty and its counters added. */
function* inFamily<T>(m: Machine, mm: MmId | 0, procedure: () => Procedure<T>, addCounters: () => void): Procedure<T> {
  try {
    useMm(m, mm);
    const result = yield* procedure();
    useMm(m, 0);
    return result;
  } finally {
    addCounters();
  }
}

function khugepagedOf(handle: KhugepagedHandle, machine: Machine, listeners: ThreadListeners = {}): Khugepaged {
  const { profile } = handle;
  const generation = generationByName(handle.generation);
  const collapse = createCollapseContext({ machine, profile, generation, ...listeners });
  installMadviseCollapse(collapse);
  return createKhugepaged({ machine, profile, collapse, startThread: noThread });
}

function noThread(name: string): never {
  throw new RangeError(`'${name}' cannot be started from a worker: the pool's scanners are its threads`);
}
