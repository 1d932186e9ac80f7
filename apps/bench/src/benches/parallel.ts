/**
 * How much of a second core arrives? The same work by one scanner and by two, on processes that share nothing; measured in
 * turn on one machine that is put back to the same state before each measurement.
 */
import { asBrand } from '@thplab/arena';
import { createKhugepaged, type Khugepaged, khugepagedEnter } from '@thplab/khugepaged-scheduler';
import {
  createScanPool,
  POOL_TABLES,
  poolSizes,
  type ScanGoal,
  type ScanPool,
} from '@thplab/khugepaged-scheduler/pool';
import {
  bootMachine,
  type Machine,
  mmAlloc,
  mmap,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { createCollapseContext } from '@thplab/mthp-collapse';
import { runToEnd } from '@thplab/sync';
import { settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';
import { hrtimeNow } from 'tinybench';
import { median } from '../measure.js';
import type { BenchDefinition, BenchReport, BenchRow } from '../report.js';
import { contendedRate, uncontendedRate } from './lock-rates.js';

const START = asBrand<Vpn>(0x100000);
const PROCESSES = 32;
const WORKERS = 2;

/** A kind of work. */
interface Work {
  readonly name: string;
  /** Pages present in each table. */
  readonly present: number;
  readonly maxPtesNone: number;
  readonly goal: ScanGoal;
  /** Least efficiency at two workers. */
  readonly demand: number;
}

/** See the head of the file. */
export const parallelBench: BenchDefinition = {
  name: 'parallel',
  question: 'how much faster are two workers than one?',
  async run({ quick }): Promise<BenchReport> {
    const works: Work[] = [
      { name: 'scan', present: 511, maxPtesNone: 0, goal: { fullScans: quick ? 20 : 100 }, demand: 0.9 },
      { name: 'collapse', present: 512, maxPtesNone: 511, goal: { fullScans: 1 }, demand: 0.85 },
    ];
    const rows: BenchRow[] = [];
    const demands: { text: string; met: boolean }[] = [];
    for (const work of works) {
      const { rates, efficiency, cpuEfficiency } = await measure(work, quick);
      rates.forEach((rate, at) => {
        rows.push({
          what: `${work.name}, ${at + 1} worker${at === 0 ? '' : 's'}`,
          figures: { ranges: { value: rate, unit: 'range/s' } },
        });
      });
      rows.push({
        what: `${work.name}, efficiency of ${WORKERS}`,
        figures: { ratio: { value: efficiency, unit: 'x' }, 'processor time': { value: cpuEfficiency, unit: 'x' } },
      });
      demands.push({
        text: `${work.name} on ${WORKERS} workers at least ${work.demand} of twice one: ${efficiency.toFixed(3)}`,
        met: efficiency >= work.demand,
      });
    }
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

/** Rates by number of workers; efficiency of all by the clock, and of their processor time alone. */
interface Measured {
  readonly rates: readonly number[];
  readonly efficiency: number;
  readonly cpuEfficiency: number;
}

async function measure(work: Work, quick: boolean): Promise<Measured> {
  const ranges = quick ? 32 : 96;
  const k = machineFor(work, ranges);
  const { arena } = k.m;
  const before = arena.snapshot();
  const pools = Array.from({ length: WORKERS }, (_, at) => createScanPool(k, { threads: at + 1 }));
  const times: Times[][] = pools.map(() => []);
  for (let round = 0; round < (quick ? 5 : 11); round++) {
    for (const [at, pool] of pools.entries()) {
      arena.restore(before);
      const time = await timed(pool, work.goal);
      // The first rounds only make the workers warm.
      if (round > 1) times[at]?.push(time);
    }
  }
  await Promise.all(pools.map((pool) => pool.close()));
  const total = PROCESSES * ranges * (work.goal.fullScans ?? 1);
  const rates = times.map((own) => total / median(own.map(({ wall }) => wall)));
  // Per round, so that a machine that slows down does so for both.
  const ratio = (of: keyof Times): number =>
    median((times[0] ?? []).map((one, round) => one[of] / (times[WORKERS - 1]?.[round]?.[of] ?? one[of])));
  return { rates, efficiency: ratio('wall') / WORKERS, cpuEfficiency: ratio('cpu') };
}

/** Seconds by the clock, and of processor time by all threads. */
interface Times {
  readonly wall: number;
  readonly cpu: number;
}

async function timed(pool: ScanPool, goal: ScanGoal): Promise<Times> {
  const used = process.cpuUsage();
  const start = hrtimeNow();
  await pool.scan(goal);
  const wall = (hrtimeNow() - start) / 1e3;
  return { wall, cpu: process.cpuUsage(used).user / 1e6 };
}

function machineFor(work: Work, ranges: number): Khugepaged {
  const { machine: m } = bootMachine({
    nodePages: [PROCESSES * ranges * 512 + (work.maxPtesNone > 0 ? PROCESSES * ranges * 512 : 65_536)],
    cpus: WORKERS,
    limits: { mms: 64, vmas: 1024 },
    extraTables: POOL_TABLES,
    extraSizes: poolSizes(64),
  });
  m.setting.value[settingIndex('enabled')] = THP_ENABLED.always;
  m.setting.value[settingIndex('khugepaged.max_ptes_none')] = work.maxPtesNone;
  m.setting.value[settingIndex('khugepaged.pages_to_scan')] = 2 ** 28;
  const k = createKhugepaged({
    machine: m,
    profile: 'merged',
    collapse: createCollapseContext({ machine: m }),
    startThread: () => {},
  });
  for (let process = 0; process < PROCESSES; process++) addProcess(m, k, ranges, work.present);
  return k;
}

function addProcess(m: Machine, k: Khugepaged, ranges: number, present: number): void {
  const mm = mmAlloc(m);
  runToEnd(m.domain, mmap(m, mm, { at: START, pages: ranges * m.ptes, fixed: 'replace' }));
  const vma = vmaAt(m, mm, START) as VmaId;
  for (let range = 0; range < ranges; range++) {
    placeBasePages(m, vma, asBrand<Vpn>(START + range * m.ptes), present, PTE_YOUNG | PTE_WRITE);
  }
  runToEnd(m.domain, khugepagedEnter(k, mm));
}
