/**
 * How much of a second core arrives? The same work by one scanner and by two, on processes that share nothing; measured in
 * turn on one machine that is put back to the same state before each measurement. Beside it, in each round, what two cores
 * of this machine give to a loop that shares nothing: the efficiency demanded is a share of that.
 */
import { createScanPool, type ScanPool } from '@thplab/khugepaged-scheduler/pool';
import { hrtimeNow } from 'tinybench';
import { median } from '../measure.js';
import type { BenchDefinition, BenchReport, BenchRow, Demand } from '../report.js';
import { contendedRate, uncontendedRate } from './lock-rates.js';
import { COLLAPSE, machineFor, SCAN, type Work } from './parallel-machine.js';
import { SpareCores } from './spare-cores.js';

const WORKERS = 2;
/** Rounds whose times do not count: the engine compiles in the background, on the core that the second worker needs. */
const WARM_ROUNDS = 12;

/** See the head of the file. */
export const parallelBench: BenchDefinition = {
  name: 'parallel',
  question: 'how much faster are two workers than one?',
  async run({ quick }): Promise<BenchReport> {
    const works: Work[] = [
      { name: 'scan', ...SCAN, processes: 32, goal: { fullScans: quick ? 20 : 50 }, demand: 0.9 },
      { name: 'collapse', ...COLLAPSE, processes: 32, goal: { fullScans: 1 }, demand: 0.85 },
      { name: 'collapse in one process', ...COLLAPSE, processes: 1, goal: { fullScans: 1 } },
    ];
    const cores = new SpareCores(WORKERS);
    const rows: BenchRow[] = [];
    const demands: Demand[] = [];
    for (const work of works) {
      const measured = await measure(work, cores, quick);
      rows.push(...rowsOf(work, measured));
      const demand = demandOf(work, measured);
      if (demand !== undefined) demands.push(demand);
    }
    await cores.close();
    rows.push({
      what: 'lock operations, uncontended',
      figures: { locks: { value: uncontendedRate(quick), unit: 'op/s' } },
    });
    rows.push({
      what: 'lock operations, 2 workers on one lock',
      figures: { locks: { value: await contendedRate(quick), unit: 'op/s' } },
    });
    return { name: this.name, question: this.question, rows, demands };
  },
};

/** What one kind of work gave. */
interface Measured {
  /** Ranges per second of 1, 2, ... workers. */
  readonly rates: readonly number[];
  /** Work of all workers in the time of one. */
  readonly speedup: number;
  /** The same of the loop that shares nothing. */
  readonly cores: number;
  /** Processor time of one worker over that of all, for the same work: what sharing costs, whoever else runs. */
  readonly processorTime: number;
}

function rowsOf(work: Work, { rates, speedup, cores, processorTime }: Measured): BenchRow[] {
  const perWorkers = rates.map((rate, at) => ({
    what: `${work.name}, ${at + 1} worker${at === 0 ? '' : 's'}`,
    figures: { ranges: { value: rate, unit: 'range/s' } },
  }));
  const figures = {
    'of two': { value: speedup / WORKERS, unit: 'x' },
    'of cores': { value: speedup / cores, unit: 'x' },
    'processor time': { value: processorTime, unit: 'x' },
  };
  return [...perWorkers, { what: `${work.name}, efficiency of ${WORKERS}`, figures }];
}

function demandOf(work: Work, { speedup, cores }: Measured): Demand | undefined {
  if (work.demand === undefined) return undefined;
  // More than the number of workers is chance: the loop was disturbed alone.
  const share = speedup / Math.min(cores, WORKERS);
  const given = `what ${WORKERS} cores give here (${cores.toFixed(2)} of one)`;
  return {
    text: `${work.name} on ${WORKERS} workers at least ${work.demand} of ${given}: ${share.toFixed(3)}`,
    met: share >= work.demand,
  };
}

async function measure(work: Work, cores: SpareCores, quick: boolean): Promise<Measured> {
  const total = 32 * (quick ? 32 : 96);
  const k = machineFor(work, total, WORKERS);
  const { arena } = k.m;
  const before = arena.snapshot();
  const pools = Array.from({ length: WORKERS }, (_, at) => createScanPool(k, { threads: at + 1 }));
  const times: Times[][] = pools.map(() => []);
  const given: number[] = [];
  for (let round = 0; round < WARM_ROUNDS + (quick ? 5 : 15); round++) {
    const warm = round >= WARM_ROUNDS;
    for (const [at, pool] of pools.entries()) {
      arena.restore(before);
      const time = await timed(pool, work);
      if (warm) times[at]?.push(time);
    }
    if (warm) given.push(await cores.speedup());
  }
  await Promise.all(pools.map((pool) => pool.close()));
  const done = total * (work.goal.fullScans ?? 1);
  // Per round, so that a machine that slows down does so for both.
  const ratio = (of: keyof Times): number =>
    median((times[0] ?? []).map((one, round) => one[of] / (times[WORKERS - 1]?.[round]?.[of] ?? one[of])));
  return {
    rates: times.map((own) => done / median(own.map(({ wall }) => wall))),
    speedup: ratio('wall'),
    cores: median(given),
    processorTime: ratio('cpu'),
  };
}

/** Seconds by the clock, and of processor time by all threads. */
interface Times {
  readonly wall: number;
  readonly cpu: number;
}

async function timed(pool: ScanPool, work: Work): Promise<Times> {
  const used = process.cpuUsage();
  const start = hrtimeNow();
  await pool.scan(work.goal);
  const wall = (hrtimeNow() - start) / 1e3;
  return { wall, cpu: process.cpuUsage(used).user / 1e6 };
}
