/** Runs cases on the running kernel, one after the other in this process. */
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { type Libc, MAP, PROT } from '@thplab/live-kernel';
import { MADV } from '@thplab/mm-model';
import { BASE_PAGE, type Case, RANGE, rangesOf, WINDOW_PAGES } from '../case.js';
import type { WakeView, WatchOutcome, WatchRequest } from '../khugepaged/watch.js';
import { nextWake, settledWake } from '../khugepaged/watch-real.js';
import type { Outcome } from '../outcome.js';
import { Counters, growth } from './counters.js';
import { khugepagedPid, PAGE_BYTES } from './proc-files.js';
import { RealProcess, WordSource } from './real-process.js';
import { RealView } from './real-view.js';

/** Where the holder lies: behind the window. */
const HOLDER = (BASE_PAGE + WINDOW_PAGES + RANGE) * PAGE_BYTES;

/** What one run of a case gave. */
export interface RealRun {
  readonly outcome: Outcome;
  /** khugepaged ran meanwhile and may have had a hand in it. */
  readonly disturbed: boolean;
}

/** See the head of the file. */
export class RealRunner {
  private readonly libc: Libc;
  private readonly source: WordSource;
  private readonly view: RealView;
  private readonly counters: Counters;

  private constructor(libc: Libc, counters: Counters) {
    this.libc = libc;
    this.counters = counters;
    this.source = new WordSource(libc);
    this.view = new RealView(libc);
  }

  /**
   * Makes this process fit for cases: on one processor, and registered with khugepaged. The first registration wakes
   * khugepaged at once; with one that stays, those of the cases do not, so it does not race with them.
   */
  static async start(libc: Libc): Promise<RealRunner> {
    // The last one: interrupts and the test runner favour the first. It may be forbidden to us, and then any one will do.
    libc.runOn(cpus().length - 1);
    const counters = new Counters(khugepagedPid());
    const runner = new RealRunner(libc, counters);
    runner.hold();
    for (let runs = -1; runs !== counters.khugepagedRuns(); ) {
      runs = counters.khugepagedRuns();
      await wait(20);
    }
    return runner;
  }

  run(given: Case): RealRun {
    const before = this.counters.read();
    const runs = this.counters.khugepagedRuns();
    const process = new RealProcess(this.source);
    try {
      const results = given.steps.map((step) => process.step(step));
      this.drainLru();
      const counters = growth(before, this.counters.read());
      const ranges = rangesOf(given.steps);
      const processes = this.view.of([globalThis.process.pid, ...process.living()], ranges);
      const disturbed = this.counters.khugepagedRuns() !== runs;
      return { outcome: { results, counters, processes }, disturbed };
    } finally {
      process.undo();
    }
  }

  /** Takes the steps while khugepaged sleeps, and looks after each of its wake-ups. */
  async watch({ steps, ranges, wakes }: WatchRequest): Promise<WatchOutcome> {
    let last = await settledWake(this.counters);
    const before = this.counters.readWithKhugepaged();
    const process = new RealProcess(this.source);
    try {
      const results = steps.map((step) => process.step(step));
      const seen: WakeView[] = [];
      for (let i = 0; i < wakes; i++) {
        const woke = await nextWake(this.counters);
        const pids = [globalThis.process.pid, ...process.living()];
        seen.push({
          afterSeconds: (woke - last) / 1000,
          counters: growth(before, this.counters.readWithKhugepaged()),
          processes: this.view.of(pids, ranges, i === wakes - 1),
        });
        last = woke;
      }
      return { results, wakes: seen };
    } finally {
      process.undo();
    }
  }

  /** One PMD range that stays registered with khugepaged. */
  private hold(): void {
    const bytes = 2 * RANGE * PAGE_BYTES;
    const at = this.libc.mmap(HOLDER, bytes, PROT.READ | PROT.WRITE, HOLDER_FLAGS);
    if (at !== HOLDER) throw new Error(`mmap of the holder gave ${at}`);
    this.libc.preadv(this.source.numbers, [{ address: HOLDER, bytes: 8 }], 0);
    this.libc.madvise(HOLDER, bytes, MADV.HUGEPAGE);
  }

  /** Collapsing nothing: the rounded range is empty, but the call first drains the LRU batches of all processors. */
  private drainLru(): void {
    this.libc.madvise(HOLDER + PAGE_BYTES, (RANGE - 1) * PAGE_BYTES, MADV.COLLAPSE);
  }
}

const HOLDER_FLAGS = MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE;
