/** A machine with DAMON and an executor; processes whose pages can be touched as by a processor without a TLB. */
import { type Arena, asBrand, rangeMask } from '@thplab/arena';
import {
  bootMachine,
  findPmd,
  type Machine,
  type MachineConfig,
  type MmId,
  mmAlloc,
  mmap,
  NO_PMD,
  PMD,
  PMD_YOUNG,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  placeFolio,
  pmdTable,
  pmdType,
  pteBit,
  slotOf,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import {
  type CollapseContext,
  createCollapseContext,
  type Generation,
  installMadviseCollapse,
} from '@thplab/mthp-collapse';
import { type Procedure, SequentialExecutor, sleep } from '@thplab/sync';
import { defineEvents, TRACE_EVENTS, TRACE_TABLES, Tracer, type TraceTables, traceSizes } from '@thplab/trace';
import { createDamon, type DamonConfig, startDamon } from '../create.js';
import type { Damon } from '../damon.js';
import { DAMON_EVENTS } from '../events.js';
import { DAMON_TABLES, damonSizes } from '../tables.js';

export const PAGE_SIZE = 4_096;
export const HUGE_SIZE = 512 * PAGE_SIZE;
export const SECOND_NS = 1e9;

const CATALOGUE = defineEvents({ ...TRACE_EVENTS.decls, ...DAMON_EVENTS });

/** What a world is made of. */
export interface DamonWorld {
  readonly m: Machine;
  readonly executor: SequentialExecutor;
  readonly collapse: CollapseContext;
  readonly tracer: Tracer<typeof CATALOGUE.decls>;
  /** Runs a procedure as a task, and everything else until it is done. */
  run<T>(procedure: () => Procedure<T>): T;
  /** Makes a context and starts its kdamond. */
  start(config: Omit<DamonConfig, 'machine'>): Damon;
  /** Lets time pass, seconds. */
  pass(seconds: number): void;
}

/** A world of 256 MiB with `enabled` at madvise. */
export function makeDamonWorld(config: Partial<MachineConfig> & { readonly generation?: Generation } = {}): DamonWorld {
  const { machine: m } = bootMachine({
    nodePages: [65_536],
    commandLine: 'transparent_hugepage=madvise',
    extraTables: { ...DAMON_TABLES, ...TRACE_TABLES },
    extraSizes: { ...damonSizes(), ...traceSizes(65_536) },
    ...config,
  });
  const executor = new SequentialExecutor(m.domain, { seed: 1 });
  m.current = executor.current;
  const tables = (m.arena as unknown as Arena).tables as unknown as TraceTables;
  const tracer = new Tracer(tables, CATALOGUE, executor.current);
  const collapse = createCollapseContext({
    machine: m,
    ...(config.generation === undefined ? {} : { generation: config.generation }),
  });
  installMadviseCollapse(collapse);
  const check = (outcome: { failure?: { error: unknown } }): void => {
    if (outcome.failure !== undefined) throw outcome.failure.error;
  };
  return {
    m,
    executor,
    collapse,
    tracer,
    run<T>(procedure: () => Procedure<T>): T {
      let done = false;
      let value: T | undefined;
      executor.spawn('test', function* () {
        value = yield* procedure();
        done = true;
        executor.interrupt();
      });
      check(executor.run({ shouldStop: () => done }));
      if (!done) throw new Error('the procedure waits for something that never comes');
      return value as T;
    },
    start(damon) {
      const d = createDamon({ machine: m, collapse, tracer, locking: 'batch', ...damon });
      startDamon(d, (name, procedure, options) => executor.spawn(name, procedure, options));
      return d;
    },
    pass(seconds) {
      check(executor.run({ untilNs: executor.current.nowNs + seconds * SECOND_NS }));
    },
  };
}

/** A process with one anonymous VMA of so many pages at page `at`. */
export function makeProcess(w: DamonWorld, at: number, pages: number): { readonly mm: MmId; readonly vma: VmaId } {
  const mm = mmAlloc(w.m);
  return { mm, vma: addVma(w, mm, at, pages) };
}

/** Another VMA of a process. */
export function addVma(w: DamonWorld, mm: MmId, at: number, pages: number): VmaId {
  w.run(() => mmap(w.m, mm, { at: page(at), pages, fixed: 'replace' }));
  return vmaAt(w.m, mm, at) as VmaId;
}

/** Maps base pages that were touched. */
export function fillBase(w: DamonWorld, vma: VmaId, first: number, count: number): void {
  placeBasePages(w.m, vma, page(first), count, PTE_YOUNG | PTE_WRITE);
}

/** Maps huge pages, `blocks` of them, that were touched. */
export function fillHuge(w: DamonWorld, vma: VmaId, first: number, blocks: number): void {
  for (let i = 0; i < blocks; i++) {
    placeFolio(w.m, vma, page(first + i * 512), 9, PTE_YOUNG | PTE_WRITE, { pmdMapped: true });
  }
}

/** Touches pages as a processor does that has no TLB: the accessed bits of what maps them are set. */
export function touch(m: Machine, mm: MmId, first: number, count = 1): void {
  for (let at = first; at < first + count; ) {
    const end = Math.min(first + count, at - (at % m.ptes) + m.ptes);
    const pmd = findPmd(m, mm, page(at));
    const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
    if (pmdType(entry) === PMD.huge) m.directory.entry[pmd] = (entry | PMD_YOUNG) >>> 0;
    else if (pmdType(entry) === PMD.table) {
      const bit = pteBit(m, pmdTable(entry), slotOf(m, page(at)));
      const { young, present } = m.pte;
      for (let w = bit >>> 5; w * 32 < bit + (end - at); w++)
        young[w] |= present[w] & rangeMask(w, bit, bit + (end - at));
    }
    at = end;
  }
}

/** A task that touches all pages of a range every ms, for ever. */
export function keepTouching(w: DamonWorld, mm: MmId, first: number, count: number): void {
  w.executor.spawn('toucher', function* () {
    for (;;) {
      touch(w.m, mm, first, count);
      yield sleep(1_000_000);
    }
  });
}

/** A page number from a plain number. */
export function page(at: number): Vpn {
  return asBrand<Vpn>(at);
}
