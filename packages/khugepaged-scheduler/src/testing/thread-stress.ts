/**
 * Processes and scanners on threads of their own, all at once, by name for worker threads. Each process has one mutator
 * that knows what every page must read; its relatives belong to other mutators, and the scanners come to all of them.
 */
import { asBrand, Random } from '@thplab/arena';
import {
  detachedTableDefects,
  dupMm,
  FAULT,
  handleMmFault,
  MADV,
  type Machine,
  type MmId,
  madvise,
  mmap,
  mmput,
  munmap,
  useMm,
  type Vpn,
} from '@thplab/mm-model';
import { type HeldLocks, type Procedure, type ThreadProgram, underLockdep, wake } from '@thplab/sync';
import { attachKhugepaged, type KhugepagedHandle } from '../pool/attach.js';
import { scanWork } from '../scan-work.js';
import { makeScanner } from '../scanner.js';
import { FIRST } from './pool-world.js';
import { readPage } from './stress/page-reader.js';

const N = 512;
const MOST_PROCESSES = 3;
const TRIES = 10_000;

/** What a page must read, by page; pages that are not here read as zeroes. */
export type Contents = Map<number, number>;

/** A process and what it must read. */
export interface StressProcess {
  readonly mm: MmId;
  readonly contents: Contents;
}

/** What a thread of the stress is given. */
export interface StressData {
  readonly handle: KhugepagedHandle;
  readonly thread: number;
  readonly seed: number;
  /** Number among the scanners, or of operations to do. */
  readonly count: number;
  readonly scanners: number;
  /** Word 0: mutators that still work. */
  readonly working: SharedArrayBuffer;
  readonly process?: StressProcess;
  readonly ranges: number;
}

/** A scanner: passes until the mutators are done. */
export function stressScanner(data: StressData): ThreadProgram {
  const on = attachKhugepaged(data.handle, data.thread);
  return on.program(() =>
    watched(on.m, `scanner ${data.count}`, scanWork(on.k, makeScanner(on.k.collapse, data.count), data.scanners, {})),
  );
}

/** A mutator: so many operations on its process and the children it makes. Gives what is left of them. */
export function stressMutator(data: StressData): ThreadProgram {
  const on = attachKhugepaged(data.handle, data.thread);
  const process = data.process as StressProcess;
  return on.program(function* () {
    const mutator = new Mutator(on.m, process, data.ranges, new Random(data.seed));
    for (let i = 0; i < data.count; i++) yield* watched(on.m, `mutator ${data.thread}`, mutator.act());
    if (Atomics.sub(new Int32Array(data.working), 0, 1) === 1) {
      on.k.t.khugepaged.shouldStop[0] = 1;
      yield wake(on.k.passQueue);
    }
    return mutator.processes;
  }, process.mm);
}

/** Steps between two looks at the page tables. */
const STEPS_PER_LOOK = 16;

/**
 * A procedure under lockdep (I7, I8), whose task looks after some of its steps whether tables of the address spaces that
 * it has locked are out of their PMDs without what keeps others away (I3). The step gate keeps steps of their relatives out.
 */
function watched<T>(m: Machine, name: string, procedure: Procedure<T>): Procedure<T> {
  let steps = 0;
  const look = (held: HeldLocks): void => {
    if (++steps % STEPS_PER_LOOK !== 0) return;
    const found = detachedTableDefects(m, held);
    if (found.length > 0) throw new Error(found.join('\n'));
  };
  return underLockdep(m.domain, procedure, { name, betweenSteps: look });
}

class Mutator {
  readonly processes: StressProcess[];
  private readonly m: Machine;
  private readonly ranges: number;
  private readonly random: Random;

  constructor(m: Machine, process: StressProcess, ranges: number, random: Random) {
    this.m = m;
    this.processes = [process];
    this.ranges = ranges;
    this.random = random;
  }

  *act(): Procedure<void> {
    const { random, m } = this;
    const process = this.processes[random.below(this.processes.length)] as StressProcess;
    useMm(m, process.mm);
    const kind = random.below(100);
    if (kind < 45) yield* this.write(process);
    else if (kind < 80) yield* this.read(process);
    else if (kind < 85) yield* this.replace(process);
    else if (kind < 95) yield* this.advise(process);
    else if (kind < 98) yield* this.fork(process);
    else yield* this.exit(process);
  }

  private *write({ mm, contents }: StressProcess): Procedure<void> {
    const first = this.page();
    const count = 1 + this.random.below(24);
    for (let page = first; page < Math.min(first + count, this.end); page++) {
      const entry = yield* this.touch(mm, page, true);
      if (entry !== undefined) contents.set(page, entry);
    }
  }

  private *read({ mm, contents }: StressProcess): Procedure<void> {
    const page = this.page();
    const found = yield* this.touch(mm, page, false);
    const expected = contents.get(page) ?? 0;
    if (found !== undefined && found !== expected) {
      throw new Error(`page ${page} of mm ${mm} reads ${found}, must read ${expected}`);
    }
  }

  /** Touches a page; gives what it reads in the same step, or undefined without memory. */
  private *touch(mm: MmId, page: number, write: boolean): Procedure<number | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      const result = yield* handleMmFault(this.m, mm, asBrand<Vpn>(page), { write });
      if (result === FAULT.oom) return undefined;
      if (result !== FAULT.ok) throw new Error(`touching page ${page} of mm ${mm} gave ${result}`);
      const seen = readPage(this.m, mm, page);
      // Taken out again meanwhile: by a collapse that is under way, or to swap.
      if (seen?.kind === 'zero') return 0;
      if (seen?.kind === 'page') return seen.content;
    }
    throw new Error(`page ${page} of mm ${mm} could not be touched in ${TRIES} tries`);
  }

  private *replace({ mm, contents }: StressProcess): Procedure<void> {
    const { first, pages } = this.range();
    yield* munmap(this.m, mm, asBrand<Vpn>(first), pages);
    yield* mmap(this.m, mm, { at: asBrand<Vpn>(first), pages, fixed: 'replace' });
    for (let page = first; page < first + pages; page++) contents.delete(page);
  }

  private *advise({ mm, contents }: StressProcess): Procedure<void> {
    const { first, pages } = this.range();
    const advices = [MADV.DONTNEED, MADV.COLD, MADV.PAGEOUT, MADV.HUGEPAGE, MADV.NOHUGEPAGE, MADV.COLLAPSE];
    const advice = advices[this.random.below(advices.length)] ?? MADV.COLD;
    const result = yield* madvise(this.m, mm, asBrand<Vpn>(first), pages, advice);
    if (advice !== MADV.DONTNEED) return;
    if (result !== 0) throw new Error(`MADV_DONTNEED gave ${result}`);
    for (let page = first; page < first + pages; page++) contents.delete(page);
  }

  private *fork({ mm, contents }: StressProcess): Procedure<void> {
    if (this.processes.length === MOST_PROCESSES) return;
    const child = yield* dupMm(this.m, mm);
    if (child !== 0) this.processes.push({ mm: child, contents: new Map(contents) });
  }

  private *exit(process: StressProcess): Procedure<void> {
    if (this.processes.length === 1) return;
    this.processes.splice(this.processes.indexOf(process), 1);
    yield* mmput(this.m, process.mm);
  }

  private get end(): number {
    return FIRST + this.ranges * N;
  }

  private page(): number {
    return FIRST + this.random.below(this.ranges * N);
  }

  private range(): { first: number; pages: number } {
    const first = this.page();
    return { first, pages: Math.min(1 + this.random.below(N), this.end - first) };
  }
}
