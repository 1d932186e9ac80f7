/** A scenario's machine, assembled and running: what the parts of the runner share. Plain data and references, no logic. */
import type { Khugepaged } from '@thplab/khugepaged-scheduler';
import type { Machine } from '@thplab/mm-model';
import type { CollapseContext, Generation } from '@thplab/mthp-collapse';
import type { Procedure, SequentialExecutor } from '@thplab/sync';
import type { LockRecorder, Tracer } from '@thplab/trace';
import type { Kdamonds } from '../damon/kdamonds.js';
import type { PingPong } from '../damon/ping-pong/ping-pong.js';
import type { Scenario } from '../format/index.js';
import type { HintsRun } from '../hints/hints-run.js';
import type { Hardware } from '../workload/hardware.js';
import type { CollapseLog } from './collapse-log.js';
import type { SetUp } from './create-process.js';
import type { KhugepagedThreads } from './khugepaged-threads.js';
import type { MmapLockWatch } from './mmap-lock-watch.js';
import type { Notice } from './notice.js';
import type { Process, ProcessTable } from './process-table.js';
import type { Locate } from './run-error.js';
import type { RunEvents } from './trace-catalogue.js';

/** See the head of the file. */
export interface World {
  readonly scenario: Scenario;
  readonly generation: Generation;
  readonly m: Machine;
  readonly k: Khugepaged;
  readonly collapse: CollapseContext;
  readonly executor: SequentialExecutor;
  readonly tracer: Tracer<RunEvents>;
  readonly processes: ProcessTable;
  /** What became of each range and window. */
  readonly log: CollapseLog;
  readonly locks: MmapLockWatch;
  /** Undefined unless holds are recorded. */
  readonly lockRecorder: LockRecorder | undefined;
  readonly setUp: SetUp;
  readonly locate: Locate;
  readonly notice: Notice;
  /** Groups that forks make of which there is only one member: it has the group's name. */
  readonly singleNames: ReadonlySet<string>;
  /** Starts a task of a process (null: of the administrator), at a time not before now. */
  spawn(
    name: string,
    process: Process | null,
    body: () => Procedure<number>,
    startNs: number,
    cpu?: number | null,
  ): void;
  /** Processor of the next process that says nothing itself: they are spread in turn. */
  nextCpu(): number;
  /** The thread of khugepaged, and when it sleeps. */
  readonly threads: KhugepagedThreads;
  readonly kdamonds: Kdamonds;
  /** What DAMOS splits and khugepaged builds again. */
  readonly pingPong: PingPong;
  /** Collapse hints: their log, their producers, and what is hot. */
  readonly hints: HintsRun;
  /** TLBs and the programs that use them; undefined if no TLB is modelled. Set when the processes exist. */
  hardware: Hardware | undefined;
  /** Family by name of process or group. */
  readonly families: ReadonlyMap<string, string>;
}
