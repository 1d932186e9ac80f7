/** How many schedules per second does the search try? */
import {
  acquire,
  DepthFirst,
  type ExploreCase,
  explore,
  LOCK_WORDS,
  type Procedure,
  preempt,
  RandomWalk,
  READ,
  release,
  SyncDomain,
} from '@thplab/sync';
import { measureRates, timeOnce } from '../measure.js';
import type { BenchDefinition, BenchReport, BenchRow } from '../report.js';
import { collapseSkeleton, type SkeletonTasks } from '../skeleton.js';
import { SPIN_MISSING, skeletonName, spinRow } from '../spin.js';

const DEMAND = 50_000;
const RANDOM_SCHEDULES = 20_000;
const SMALL: SkeletonTasks = { faults: 1, walks: 1 };
/** Enough tasks that Spin needs a while; ours samples. */
const LARGE: SkeletonTasks = { faults: 3, walks: 3 };
const LARGE_SCHEDULES = 50_000;

/** See the head of the file. */
export const searchBench: BenchDefinition = {
  name: 'search',
  question: 'how many schedules per second does the search of schedules try? (two tasks, six operations each)',
  run({ quick }): BenchReport {
    const options = quick ? { rounds: 3, spanMs: 60 } : {};
    const steps = { schedules: 0, steps: 0 };
    const counted =
      (work: () => { readonly schedules: number; readonly dropped: number; readonly steps: number }) => () => {
        const report = work();
        steps.schedules += report.schedules + report.dropped;
        steps.steps += report.steps;
        return report.schedules + report.dropped;
      };
    const rates = measureRates(
      [
        { name: 'all', run: counted(() => explore(nestedLocks(), new DepthFirst({ reduction: false }))) },
        { name: 'reduced', run: counted(() => explore(nestedLocks(), new DepthFirst())) },
        { name: 'random', run: counted(() => explore(nestedLocks(), new RandomWalk(1, RANDOM_SCHEDULES))) },
      ],
      options,
    );
    const perSchedule = steps.steps / steps.schedules;
    const row = (what: string, rate: number): BenchRow => ({
      what,
      figures: {
        schedules: { value: rate, unit: 'schedules/s' },
        steps: { value: rate * perSchedule, unit: 'steps/s' },
      },
    });
    const rows = [
      row('depth first, every schedule', rates.all),
      row('depth first, partial-order reduction', rates.reduced),
      row('random', rates.random),
    ];
    const least = Math.min(rates.all, rates.reduced, rates.random);
    const text = `at least ${DEMAND} schedules per second (least: ${Math.round(least)})`;
    rows.push(ownRow(SMALL, quick), ownRow(LARGE, quick));
    const spin = spinRow(LARGE);
    return {
      name: this.name,
      question: this.question,
      rows: spin === undefined ? rows : [...rows, spin],
      demands: [{ text, met: least >= DEMAND }],
      ...(spin === undefined ? { notes: [SPIN_MISSING] } : {}),
    };
  },
};

/** Our search of the skeleton: every schedule of the small one, random ones of the large one. A step leads to a state. */
function ownRow(tasks: SkeletonTasks, quick: boolean): BenchRow {
  const all = tasks === SMALL;
  const count = quick ? LARGE_SCHEDULES / 10 : LARGE_SCHEDULES;
  const search = (): ReturnType<typeof explore> =>
    explore(collapseSkeleton(tasks), all ? new DepthFirst() : new RandomWalk(1, count), { schedules: 1e9 });
  search();
  let report = search();
  // The small one is over in less than a millisecond.
  const times = all ? 200 : 1;
  const seconds =
    timeOnce(() => {
      for (let i = 0; i < times; i++) report = search();
    }) / times;
  if (report.verdict !== 'pass') throw new Error(`the skeleton of a collapse: ${report.failure?.message}`);
  return {
    what: skeletonName(all ? 'every schedule' : 'random', tasks),
    figures: {
      schedules: { value: (report.schedules + report.dropped) / seconds, unit: 'schedules/s' },
      steps: { value: report.steps / seconds, unit: 'steps/s' },
      ...(all ? { time: { value: seconds, unit: 's' } } : {}),
    },
  };
}

/** Two readers of an rw-semaphore that each take a spinlock inside: the smallest case with something to find. */
function nestedLocks(): ExploreCase {
  const bytes = new SharedArrayBuffer(256);
  const words = new Int32Array(bytes);
  const domain = new SyncDomain();
  const outer = domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: 0, words }).ref(0);
  const inner = domain.lockClass({ name: 'pte_lock', kind: 'spin', rank: 1, words, offset: LOCK_WORDS }).ref(0);
  const cell = new Int32Array(bytes, 128);
  function* reader(): Procedure<void> {
    yield acquire(outer, READ);
    yield preempt();
    yield acquire(inner);
    cell[0]++;
    yield release(inner);
    yield preempt();
    yield release(outer, READ);
  }
  const state = new Uint8Array(bytes);
  const start = state.slice();
  return {
    name: 'nested locks',
    domain,
    actors: ['a', 'b'].map((name) => ({ name, procedure: reader })),
    reset: () => state.set(start),
    check: () => (cell[0] === 2 ? [] : [`the cell holds ${cell[0]}, not 2`]),
  };
}
