/**
 * How fast does DAMON run: a terabyte of addresses, a thousand regions, one core. Processor time is measured, not time of day: who
 * else runs on the machine is no part of the question.
 */
import { asBrand } from '@thplab/arena';
import { createDamon, DAMON_TABLES, damonRegions, damonSizes, startDamon } from '@thplab/damos-actions';
import {
  bootMachine,
  type Machine,
  type MmId,
  mmAlloc,
  mmap,
  PTE_WRITE,
  PTE_YOUNG,
  placeFolio,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { runToEnd, SequentialExecutor } from '@thplab/sync';
import { median } from '../measure.js';
import type { BenchDefinition, BenchReport, BenchRow } from '../report.js';

const START = 0x10000000;
const TERABYTE_PAGES = 2 ** 28;
const HUGE_PAGES = 7_000;
const REGIONS = 1_000;
const FACTOR = 100;
/** One aggregation with the default intervals, ns. */
const AGGREGATION_NS = 100e6;
const ROUNDS = 10;

/** See the head of the file. */
export const damonBench: BenchDefinition = {
  name: 'damon',
  question: `how much faster than real time does DAMON run on 1 TiB of addresses with ${REGIONS} regions?`,
  run({ quick }): BenchReport {
    const aggregations = quick ? 100 : 1_000;
    const rows = [
      row('huge pages, spread over the addresses', 'batch', aggregations),
      row('the same, each lock taken', 'kernel', aggregations / 50),
    ];
    const factor = rows[0].figures.speed.value;
    return {
      name: this.name,
      question: this.question,
      rows,
      demands: [{ text: `at least ${FACTOR} times faster (${factor.toFixed(0)})`, met: factor >= FACTOR }],
    };
  },
};

function row(what: string, locking: 'batch' | 'kernel', aggregations: number): BenchRow {
  const { m, mm } = terabyte();
  const executor = new SequentialExecutor(m.domain, { seed: 1 });
  m.current = executor.current;
  const damon = createDamon({
    machine: m,
    operations: 'fvaddr',
    locking,
    seed: 1,
    attributes: { minNrRegions: REGIONS, maxNrRegions: REGIONS },
    targets: [{ mm, regions: [{ start: START * 4096, end: (START + TERABYTE_PAGES) * 4096 }] }],
  });
  startDamon(damon, (name, procedure, options) => executor.spawn(name, procedure, options));
  const rates: number[] = [];
  let untilNs = 5 * AGGREGATION_NS;
  executor.run({ untilNs });
  for (let i = 0; i < ROUNDS; i++) {
    untilNs += (aggregations / ROUNDS) * AGGREGATION_NS;
    const before = process.cpuUsage();
    executor.run({ untilNs });
    const { user, system } = process.cpuUsage(before);
    rates.push(((aggregations / ROUNDS) * AGGREGATION_NS) / 1e3 / (user + system));
  }
  const speed = median(rates);
  const regions = damonRegions(damon).length;
  return {
    what,
    figures: {
      regions: { value: regions, unit: '' },
      speed: { value: speed, unit: 'x' },
      'region samples': { value: (speed * regions * 1e3) / 5, unit: '/s' },
    },
  };
}

/** A machine with a process of 1 TiB, in which one 2 MiB range of 75 is mapped by a huge page. */
function terabyte(): { readonly m: Machine; readonly mm: MmId } {
  const { machine: m } = bootMachine({
    nodePages: [HUGE_PAGES * 512 + 65_536],
    limits: { directories: 4_096, vmas: 16, pageTables: HUGE_PAGES + 64 },
    extraTables: DAMON_TABLES,
    extraSizes: damonSizes(),
  });
  const mm = mmAlloc(m);
  runToEnd(m.domain, mmap(m, mm, { at: asBrand<Vpn>(START), pages: TERABYTE_PAGES, fixed: 'replace' }));
  const vma = vmaAt(m, mm, START) as VmaId;
  const step = Math.floor(TERABYTE_PAGES / 512 / HUGE_PAGES) * 512;
  for (let i = 0; i < HUGE_PAGES; i++) {
    placeFolio(m, vma, asBrand<Vpn>(START + i * step), 9, PTE_YOUNG | PTE_WRITE, { pmdMapped: true });
  }
  return { m, mm };
}
