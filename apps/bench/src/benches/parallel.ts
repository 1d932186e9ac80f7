/**
 * How much of a further core arrives? The same work by one scanner and by several, on processes that share nothing; measured
 * in turn, in many short rounds, so that a machine whose speed changes does so for all.
 *
 * Beside it, in each round, the same work on as many machines of one scanner each, with an even part of the processes: they
 * share neither arena nor lock. What several scanners of one machine lose against that is what sharing costs; what those
 * themselves lose against one is the computer's (memory, caches, others that run), and no lock is to blame for it.
 */
import { availableParallelism } from 'node:os';
import { type Khugepaged, MAX_SCANNERS } from '@thplab/khugepaged-scheduler';
import { createScanPool, type ScanPool } from '@thplab/khugepaged-scheduler/pool';
import { hrtimeNow } from 'tinybench';
import { median } from '../measure.js';
import type { BenchDefinition, BenchReport, BenchRow, Demand } from '../report.js';
import { contendedRate, uncontendedRate } from './lock-rates.js';
import { COLLAPSE, machineFor, SCAN, type Work } from './parallel-machine.js';

/** As many as a small server has: at the end of a round a worker without a process waits for the others' last ones. */
const PROCESSES = 128;

/** See the head of the file. */
export const parallelBench: BenchDefinition = {
  name: 'parallel',
  question: 'how much faster are several workers than one?',
  async run({ quick }): Promise<BenchReport> {
    const scan = { ...SCAN, processes: PROCESSES, ranges: PROCESSES * 24 };
    const collapse = { ...COLLAPSE, ranges: PROCESSES * 8, goal: { fullScans: 1 } };
    const works: Work[] = [
      { name: 'scan', ...scan, goal: { fullScans: 3 }, demand: 0.9 },
      { name: 'collapse', ...collapse, processes: PROCESSES, demand: 0.85 },
      { name: 'collapse in one process', ...collapse, processes: 1 },
    ];
    const rows: BenchRow[] = [];
    const demands: Demand[] = [];
    for (const work of works) {
      for (const workers of workerCounts()) {
        const measured = await measure(work, workers, quick);
        rows.push(...rowsOf(work, workers, measured));
        if (workers === 2) demands.push(...demandOf(work, measured));
      }
    }
    rows.push(lockRow('uncontended', uncontendedRate(quick)));
    rows.push(lockRow('2 workers on one lock', await contendedRate(quick)));
    return { name: this.name, question: this.question, rows, demands };
  },
};

/** 2, 4, ... and as many as there are cores. */
function workerCounts(): number[] {
  const most = Math.max(2, Math.min(availableParallelism(), MAX_SCANNERS));
  const counts: number[] = [];
  for (let workers = 2; workers < most; workers *= 2) counts.push(workers);
  return [...counts, most];
}

/** Medians over the rounds, in each of which everything was measured once. */
interface Measured {
  /** Ranges per second of one worker, and of several. */
  readonly rates: readonly [one: number, several: number];
  /** Work done together in the time of one, by worker: one machine, and machines that share nothing. */
  readonly efficiency: number;
  readonly apart: number | undefined;
  /** The first over the second: what sharing leaves. */
  readonly shared: number | undefined;
  /** The same in processor time: waiting does not count. */
  readonly processorTime: number | undefined;
}

function rowsOf(work: Work, workers: number, measured: Measured): BenchRow[] {
  const rows = measured.rates.map((rate, at) => ({
    what: `${work.name}, ${at === 0 ? '1 worker' : `${workers} workers`}`,
    figures: { ranges: { value: rate, unit: 'range/s' } },
  }));
  const ratios = {
    'of one': measured.efficiency,
    'apart, of one': measured.apart,
    'of apart': measured.shared,
    'processor time': measured.processorTime,
  };
  const figures = Object.entries(ratios).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { value, unit: 'x' }] as const],
  );
  const first = workers === 2 ? 0 : 1;
  return [
    ...rows.slice(first),
    { what: `${work.name}, efficiency of ${workers}`, figures: Object.fromEntries(figures) },
  ];
}

function lockRow(how: string, rate: number): BenchRow {
  return { what: `lock operations, ${how}`, figures: { locks: { value: rate, unit: 'op/s' } } };
}

function demandOf({ name, demand }: Work, { shared }: Measured): Demand[] {
  if (demand === undefined || shared === undefined) return [];
  const text = `${name} on 2 workers at least ${demand} of what 2 give that share nothing: ${shared.toFixed(3)}`;
  return [{ text, met: shared >= demand }];
}

/** One way to do the work: pools that work at the same time, each on its machine. */
class Contender {
  readonly walls: number[] = [];
  readonly cpus: number[] = [];
  readonly #machines: readonly Khugepaged[];
  readonly #snapshots: readonly ArrayBuffer[];
  readonly #pools: readonly ScanPool[];
  readonly #work: Work;

  constructor(work: Work, machines: number, threads: number) {
    this.#work = work;
    const part = { ...work, processes: work.processes / machines, ranges: work.ranges / machines };
    this.#machines = Array.from({ length: machines }, () => machineFor(part, threads));
    this.#snapshots = this.#machines.map(({ m }) => m.arena.snapshot());
    this.#pools = this.#machines.map((k) => createScanPool(k, { threads }));
  }

  /** Does the work once. */
  async turn(): Promise<void> {
    if (this.#work.changes) this.#restore();
    const used = process.cpuUsage();
    const start = hrtimeNow();
    await Promise.all(this.#pools.map((pool) => pool.scan(this.#work.goal)));
    this.walls.push((hrtimeNow() - start) / 1e3);
    this.cpus.push(process.cpuUsage(used).user / 1e6);
  }

  /** Forgets the first rounds: the engine compiles in the background, on the core that the second worker needs. */
  warmed(): void {
    this.walls.length = 0;
    this.cpus.length = 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()));
  }

  #restore(): void {
    for (const [at, { m }] of this.#machines.entries()) m.arena.restore(this.#snapshots[at] as ArrayBuffer);
  }
}

async function measure(work: Work, workers: number, quick: boolean): Promise<Measured> {
  const one = new Contender(work, 1, 1);
  const several = new Contender(work, 1, workers);
  const apart = work.processes % workers === 0 ? new Contender(work, workers, 1) : undefined;
  const all = apart === undefined ? [one, several] : [one, several, apart];
  const warm = quick ? 20 : 40;
  for (let round = 0; round < warm + (quick ? 30 : 120); round++) {
    if (round === warm) for (const contender of all) contender.warmed();
    for (const contender of all) await contender.turn();
  }
  for (const contender of all) await contender.close();
  const done = work.ranges * (work.goal.fullScans ?? 1);
  return {
    rates: [done / median(one.walls), done / median(several.walls)],
    efficiency: medianRatio(one.walls, several.walls) / workers,
    apart: apart && medianRatio(one.walls, apart.walls) / workers,
    shared: apart && medianRatio(apart.walls, several.walls),
    processorTime: apart && medianRatio(apart.cpus, several.cpus),
  };
}

/** Per round, so that a computer that slows down does so for both. */
function medianRatio(above: readonly number[], below: readonly number[]): number {
  return median(above.map((value, round) => value / (below[round] as number)));
}
