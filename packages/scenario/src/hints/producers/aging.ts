/**
 * An aging scan in the manner of MGLRU: a thread walks the page tables of address spaces from time to time, tests and clears
 * accessed bits, and promotes what it finds young in several scans one after the other.
 */
import { clearBits } from '@thplab/arena';
import {
  findPmd,
  type Machine,
  type MmId,
  mmapReadLock,
  mmapReadUnlock,
  mmget,
  mmput,
  NO_PMD,
  PMD,
  PMD_YOUNG,
  pmdTable,
  pmdType,
  pteBit,
  type Vpn,
  vmasOf,
} from '@thplab/mm-model';
import { type Procedure, preempt, sleep, spend } from '@thplab/sync';
import type { ProducerSpec } from '../../format/index.js';
import type { Process } from '../../run/process-table.js';
import type { World } from '../../run/world.js';
import { hintRange } from '../hint-range.js';
import type { HintProducer } from './producer.js';

type AgingSpec = Extract<ProducerSpec, { kind: 'aging' }>;

/** A producer on aging. */
export function agingProducer(world: World, spec: AgingSpec): HintProducer {
  /** Scans in a row that found a range young, by process and range. */
  const young = new Map<Process, Map<number, number>>();
  return {
    name: 'hints: aging',
    task: function* (): Procedure<number> {
      for (;;) {
        yield sleep(spec.every);
        for (const process of world.processes.named(spec.process)) {
          const ages = young.get(process) ?? new Map<number, number>();
          young.set(process, ages);
          yield* scanProcess(world, spec, process, ages);
        }
      }
    },
  };
}

function* scanProcess(world: World, spec: AgingSpec, process: Process, ages: Map<number, number>): Procedure<void> {
  const { m } = world;
  if (process.exitNs !== null) return;
  mmget(m, process.mm);
  yield* mmapReadLock(m, process.mm);
  const promoted: number[] = [];
  let looked = 0;
  for (const vma of vmasOf(m, process.mm)) {
    const end = m.vma.end[vma];
    for (let page = Math.ceil(m.vma.start[vma] / m.ptes) * m.ptes; page + m.ptes <= end; page += m.ptes) {
      const state = testAndClearYoung(m, process.mm, page as Vpn);
      looked += state === 'absent' ? 1 : m.ptes;
      const age = state === 'young' ? (ages.get(page) ?? 0) + 1 : 0;
      if (age === 0) ages.delete(page);
      else ages.set(page, age);
      if (age >= spec.generations) promoted.push(page);
    }
  }
  yield spend(looked * m.costs.scanPte);
  yield* mmapReadUnlock(m, process.mm);
  for (const page of promoted) {
    yield* hintRange(world, { mm: process.mm, page, priority: spec.priority, maxOrder: null });
    ages.delete(page);
    yield preempt();
  }
  yield* mmput(m, process.mm);
}

/** The accessed bits of a PMD range, tested and cleared. */
function testAndClearYoung(m: Machine, mm: MmId, page: Vpn): 'young' | 'old' | 'absent' {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return 'absent';
  m.hooks.settleAccessRange(mm, page, (page + m.ptes) as Vpn);
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) {
    m.directory.entry[pmd] = (entry & ~PMD_YOUNG) >>> 0;
    return (entry & PMD_YOUNG) !== 0 ? 'young' : 'old';
  }
  if (pmdType(entry) !== PMD.table) return 'absent';
  const first = pteBit(m, pmdTable(entry), 0);
  const words = m.pte.young.subarray(first >>> 5, (first + m.ptes) >>> 5);
  const found = words.some((word) => word !== 0);
  if (found) clearBits(m.pte.young, first, first + m.ptes);
  return found ? 'young' : 'old';
}
