/**
 * One run of the stress test: a machine, an executor, what the processes must see, and what has happened since the last
 * look. Steps go through `execute`, which runs jobs together and lets the expectation explain their results.
 */
import type { MmId, Pfn } from '@thplab/mm-model';
import { mmAlloc, mmget, mmput } from '@thplab/mm-model';
import { SCAN, type ScanResult } from '@thplab/mthp-collapse';
import { type Procedure, SequentialExecutor, type Task, wait, wake } from '@thplab/sync';
import { Contradiction, type Expectation, Expectation as Expected, eitherOf } from './expectation.js';
import { readPage } from './page-reader.js';
import { freshRig, type Rig, type Setup } from './setup.js';

/** One thing that a job did, and what follows from it. */
export interface Deed {
  /** Stamp of the write, by which writes are put into the order in which they happened; 0: it was none. */
  readonly stamp: number;
  /** Page that was touched, 0: none. */
  readonly page: number;
  /** The first of two writes to the page that belong together: the fault's own, before that of the process. */
  readonly preliminary?: boolean;
  /** Contradiction: it cannot have happened then. */
  readonly settle: (expected: Expectation) => void;
}

/** One procedure with what it promises. */
export interface Job<T = unknown> {
  readonly name: string;
  /** Process that it works for; 0: none. */
  readonly process: number;
  /** structural: changes what is mapped or what it may be used for, as one deed; one at a time in a process. */
  readonly structural: boolean;
  /** Jobs of one lane do not run at the same time: there is only one khugepaged. */
  readonly lane?: string;
  /** The job ends the process. */
  readonly exits?: boolean;
  readonly run: () => Procedure<T>;
  /** What follows from the result. */
  deeds(result: T): readonly Deed[];
}

/** What a job with one deed that writes nothing gives. */
export function deed(settle: (expected: Expectation) => void): readonly Deed[] {
  return [{ stamp: 0, page: 0, settle }];
}

/** One attempt to collapse a window. */
export interface Attempt {
  readonly mm: MmId;
  readonly page: number;
  readonly order: number;
  readonly result: ScanResult;
}

/** A page of a process that somebody holds. */
export interface Glimpse {
  readonly mm: MmId;
  readonly page: number;
  readonly pfn: number;
}

/** Names of jobs that replace no page but by collapse. */
const PEACEFUL: ReadonlySet<string> = new Set(['khugepaged', 'MADV_COLLAPSE', 'gup fast']);

/** See the head of the file. */
export class World {
  readonly setup: Setup;
  readonly rig: Rig;
  readonly executor: SequentialExecutor;
  readonly expected: Expectation = new Expected();
  /** Attempts to collapse since the last step. */
  attempts: Attempt[] = [];
  /** Called at the end of each attempt. */
  onAttempt: ((attempt: Attempt) => void) | undefined = undefined;
  /** References that somebody took without a lock and holds now. */
  readonly glances: Set<Glimpse> = new Set();
  /** Nothing runs but collapses and those who hold such references. */
  onlyGlances = false;
  /** Allocations may have been made to fail. */
  injected = false;
  /** Free pages at the start of the last step. */
  private freeBefore = 0;
  /** Frames taken away from the allocator. */
  hogged: Pfn[] = [];
  /** Steps done. */
  steps = 0;

  constructor(setup: Setup) {
    this.setup = setup;
    this.rig = freshRig(setup);
    const { m, k } = this.rig;
    const { seed, lockOperationNs } = setup;
    this.executor = new SequentialExecutor(m.domain, {
      cpus: m.cpus,
      seed,
      lockOperationNs,
      statistics: false,
      rethrow: true,
      livelockSteps: 2 ** 18,
    });
    m.current = this.executor.current;
    this.rig.startThread = () => {
      // Passes are steps of the test, so the thread only waits to be stopped.
      this.executor.spawn('khugepaged', function* idle(): Procedure<void> {
        while (k.t.khugepaged.shouldStop[0] === 0) yield wait(k.waitQueue);
        k.t.khugepaged.running[0] = 0;
        yield wake(k.stopQueue);
      });
    };
    this.rig.recorder = {
      attempted: (mm, page, order, result) => {
        const attempt = { mm, page, order, result };
        this.attempts.push(attempt);
        this.onAttempt?.(attempt);
        if (this.onlyGlances) checkGlances(this, attempt);
      },
    };
    this.expected.addProcess(mmAlloc(m));
  }

  /** Runs jobs at the same time, `delays` ns apart from the start, and settles what they did. */
  execute(jobs: readonly Job[], delays: readonly number[] = []): void {
    const { m } = this.rig;
    const start = this.executor.current.nowNs;
    this.freeBefore = this.freePages();
    this.onlyGlances = jobs.every((job) => PEACEFUL.has(job.name));
    // Threads are users of their memory, so that it lasts until each has done its part.
    for (const job of jobs)
      if (job.process !== 0 && job.exits !== true) mmget(m, this.expected.process(job.process).mm);
    const tasks = jobs.map((job, i) => {
      return this.executor.spawn(job.name, () => this.asThread(job), { startNs: start + (delays[i] ?? 0) });
    });
    this.executor.run({ maxSteps: 2_000_000 });
    for (const task of tasks) {
      if (task.state !== 'done') throw new Error(`${task.name} does not come to an end (${task.state})`);
    }
    const changes: Deed[] = [];
    const deeds: Deed[] = [];
    jobs.forEach((job, i) => {
      (job.structural ? changes : deeds).push(...job.deeds((tasks[i] as Task).result));
    });
    settle(this.expected, changes, deeds);
  }

  /** Running out of memory in the last step has a reason. */
  memoryMayBeShort(): boolean {
    const free = Math.min(this.freeBefore, this.freePages());
    return this.injected || free < 64 + 4 * this.rig.m.ptes;
  }

  private freePages(): number {
    return this.rig.m.node.freePages.reduce((sum, pages) => sum + pages, 0);
  }

  private *asThread(job: Job): Procedure<unknown> {
    const user = job.process !== 0 && job.exits !== true;
    const mm = user ? this.expected.process(job.process).mm : (0 as MmId);
    const result = yield* job.run();
    if (user) yield* mmput(this.rig.m, mm);
    return result;
  }
}

/** A page is not copied while somebody holds it: what he writes would be lost (case B14 of khugepaged spec 19). */
function checkGlances(w: World, { mm, page, order, result }: Attempt): void {
  if (result !== SCAN.SUCCEED) return;
  for (const held of w.glances) {
    if (held.mm !== mm || held.page < page || held.page >= page + (1 << order)) continue;
    const now = readPage(w.rig.m, mm, held.page)?.where;
    if (now !== held.pfn)
      throw new Error(`page ${held.page} of mm ${mm} was collapsed while frame ${held.pfn} was held`);
  }
}

/**
 * Finds out what must hold after deeds that happened around some changes of mappings. Each deed came before or after the
 * changes, whichever is possible; where both are, both outcomes are right. Pages do not influence each other, so it is
 * enough to look at two histories: as many deeds as possible before the changes, and as many as possible after them. Only
 * of several writes to one page some may have come before, and the later ones after.
 */
function settle(expected: Expectation, changes: readonly Deed[], deeds: readonly Deed[]): void {
  const sorted = [...deeds].sort((a, b) => a.stamp - b.stamp);
  if (changes.length === 0 || deeds.length === 0) {
    apply(expected, [...changes, ...sorted]);
    return;
  }
  const before = expected.clone();
  const tooEarly = new Set(sorted.filter((one) => !possible(before, one)));
  const after = expected.clone();
  apply(after, changes);
  const tooLate = new Set(sorted.filter((one) => !possible(after, one)));
  const history = (isEarly: (one: Deed, i: number) => boolean): Expectation => {
    const early = sorted.filter((one, i) => tooLate.has(one) || (isEarly(one, i) && !tooEarly.has(one)));
    const late = sorted.filter((one) => !early.includes(one));
    const told = expected.clone();
    apply(told, [...early, ...changes, ...late]);
    return told;
  };
  const histories = boundaries(sorted).map((boundary) => history((_one, i) => i < boundary));
  if (sorted.some((one) => one.preliminary === true)) histories.push(history((one) => one.preliminary === true));
  expected.become(histories.reduce(eitherOf));
}

/** How many of the deeds may have come before the changes: none, all, or those up to one of several writes to a page. */
function boundaries(deeds: readonly Deed[]): number[] {
  const later = new Set<number>();
  const found = [deeds.length, 0];
  for (let i = deeds.length - 1; i >= 0; i--) {
    const { page, preliminary } = deeds[i] as Deed;
    if (preliminary === true) continue;
    if (page !== 0 && later.has(page)) found.push(i + 1);
    later.add(page);
  }
  return found;
}

function apply(expected: Expectation, deeds: readonly Deed[]): void {
  for (const one of deeds) one.settle(expected);
}

function possible(expected: Expectation, one: Deed): boolean {
  try {
    one.settle(expected);
    return true;
  } catch (error) {
    if (error instanceof Contradiction) return false;
    throw error;
  }
}
