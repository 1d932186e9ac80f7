/**
 * khugepaged of one machine: its state, its locks, and what it is made with. All functions of the package take it first.
 */
import { IntrusiveList, type Tables } from '@thplab/arena';
import { LOCK_RANK, type Machine, type MmId, type Vpn } from '@thplab/mm-model';
import type { CollapseContext, CollapseControl, Generation } from '@thplab/mthp-collapse';
import type { LockRef, Procedure, TaskOptions, WaitQueue } from '@thplab/sync';
import { filesOf, type KernelProfile, type SysfsFile, sysfsTree } from '@thplab/sysfs-schema';
import { noHints } from './hints/policies.js';
import { asPosted } from './hints/policy.js';
import { type HintQueue, type HintQueueConfig, makeHintQueue } from './hints/queue.js';
import type { LookAhead } from './look-ahead/look-ahead.js';
import { makeScanner, type Scanner } from './scanner.js';
import { khugepagedEnterVma, khugepagedExit, khugepagedFork } from './slots.js';
import { type KhugepagedTables, khugepagedTables } from './tables.js';
import { exactTimer, type Timer } from './timer.js';

/** Starts a kernel thread: an executor's `spawn`. */
export type StartThread = (name: string, procedure: () => Procedure<void>, options: TaskOptions) => void;

/** What khugepaged is made with. */
export interface KhugepagedConfig {
  /** The machine; its arena holds KHUGEPAGED_TABLES. */
  readonly machine: Machine;
  readonly profile: KernelProfile;
  /** The collapse code it calls. */
  readonly collapse: CollapseContext;
  readonly startThread: StartThread;
  /** Starts a thread for one piece of work; default as `startThread`. */
  readonly startWorker?: StartThread;
  /** How sleeps are rounded; default exactly. */
  readonly timer?: Timer;
  /** The queue of collapse hints; default as posted if the generation has hints, else none. */
  readonly hints?: Partial<HintQueueConfig>;
}

/** See the head of the file. */
export interface Khugepaged {
  readonly m: Machine;
  readonly t: Tables<KhugepagedTables>;
  readonly profile: KernelProfile;
  readonly generation: Generation;
  readonly collapse: CollapseContext;
  /** The one scanner that the kernel has; a pool has more. */
  readonly scanner: Scanner;
  /** Its `collapse_control`. */
  readonly control: CollapseControl;
  readonly slots: IntrusiveList;
  readonly mmLock: LockRef;
  readonly mutex: LockRef;
  /** khugepaged_wait. */
  readonly waitQueue: WaitQueue;
  /** Woken when the thread has ended. */
  readonly stopQueue: WaitQueue;
  /** Woken when several scanners begin or end a pass. */
  readonly passQueue: WaitQueue;
  readonly startThread: StartThread;
  readonly startWorker: StartThread;
  readonly timer: Timer;
  /** The queue of collapse hints (khugepaged spec 17); null: this kernel has none. */
  readonly hints: HintQueue | null;
  /** What other threads have done ahead; undefined: nobody does. */
  ahead: LookAhead | undefined;
  /** Ranges that the scan passes by for now, as some other policy wants it; undefined: none. */
  skips: ((mm: MmId, page: Vpn) => boolean) | undefined;
  /** Files of the profile's sysfs, by absolute path. */
  readonly files: ReadonlyMap<string, SysfsFile>;
}

/** Makes khugepaged and connects it to the machine's hooks. The thread starts with `startStopKhugepaged`. */
export function createKhugepaged(config: KhugepagedConfig): Khugepaged {
  const m = config.machine;
  const t = khugepagedTables(m);
  const { domain } = m;
  const mmLock = domain.lockClass({
    name: 'khugepaged_mm_lock',
    kind: 'spin',
    rank: LOCK_RANK.khugepagedMm,
    words: t.khugepaged.mmLock,
  });
  const mutex = domain.lockClass({
    name: 'khugepaged_mutex',
    kind: 'rwsem',
    rank: MUTEX_RANK,
    words: t.khugepaged.mutex,
  });
  const scanner = makeScanner(config.collapse, 0);
  const k: Khugepaged = {
    m,
    t,
    profile: config.profile,
    generation: config.collapse.generation,
    collapse: config.collapse,
    scanner,
    control: scanner.control,
    slots: new IntrusiveList({
      first: t.khugepaged.first,
      last: t.khugepaged.last,
      next: t.mmSlot.next,
      prev: t.mmSlot.prev,
    }),
    mmLock: mmLock.ref(0),
    mutex: mutex.ref(0),
    waitQueue: domain.waitQueue('khugepaged_wait'),
    stopQueue: domain.waitQueue('khugepaged_stop'),
    passQueue: domain.waitQueue('khugepaged_pass'),
    startThread: config.startThread,
    startWorker: config.startWorker ?? config.startThread,
    timer: config.timer ?? exactTimer,
    hints: hintsOf(t, config),
    ahead: undefined,
    skips: undefined,
    files: new Map(filesOf(sysfsTree(config.profile, m.geometry)).map((file) => [file.path, file])),
  };
  m.hooks.khugepagedEnterVma = (vma, flags) => khugepagedEnterVma(k, vma, flags);
  m.hooks.khugepagedFork = (child, parent) => khugepagedFork(k, child, parent);
  m.hooks.exitIsUnlocked = k.generation.exitIsUnlocked === true;
  m.hooks.khugepagedExit = (mm) => khugepagedExit(k, mm);
  return k;
}

function hintsOf(t: Tables<KhugepagedTables>, config: KhugepagedConfig): HintQueue | null {
  const policy = config.hints?.policy ?? (config.collapse.generation.hints ? asPosted : noHints);
  return policy.queue ? makeHintQueue(t, { ...config.hints, policy }) : null;
}

/** The mutex is taken first of all: a sysfs write starts or stops the thread under it. */
const MUTEX_RANK = 1;
