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
import { measureRates } from '../measure.js';
import type { BenchDefinition, BenchReport, BenchRow } from '../report.js';

const DEMAND = 50_000;
const RANDOM_SCHEDULES = 20_000;

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
    return { name: this.name, question: this.question, rows, demands: [{ text, met: least >= DEMAND }] };
  },
};

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
