/**
 * The hardware under a scenario: TLBs, and the programs that use them. Made when the processes exist; its threads begin
 * with the run. TLBs are the machine's, in its arena; what programs are about to do is theirs, in an arena of its own.
 */
import { Arena, asBrand } from '@thplab/arena';
import {
  addTlbCounts,
  createTlb,
  forgetTlbCounts,
  type Machine,
  NO_TLB_COUNTS,
  type Tlb,
  type TlbCounts,
  type TlbSpec,
  tlbCounts,
  type Vpn,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { Process } from '../run/process-table.js';
import { randomFor } from '../run/seeds.js';
import type { World } from '../run/world.js';
import { AnalyticAccesses } from './analytic.js';
import { AccessBlocks, blockRanges, MISS_INTERVAL_NS, type PageRange } from './blocks.js';
import { blocksOf, buildStreams, type WorkloadFiles } from './build-streams.js';
import { runExactly } from './exact.js';
import { fillHoles } from './holes.js';
import { type AccessSampling, sampleAccesses } from './sample-accesses.js';
import type { Stream } from './stream.js';
import { ACCESS_TABLES, accessSizes } from './tables.js';

/** Misses of one block (PMD range) in the last whole interval of `MISS_INTERVAL_NS`. */
export interface BlockMisses {
  /** First page of the block. */
  readonly page: Vpn;
  readonly misses: number;
}

/** See the head of the file. */
export class Hardware {
  readonly tlb: Tlb;
  readonly streams: readonly Stream[];
  readonly #world: World;
  readonly #blocks: AccessBlocks;
  readonly #analytic: AnalyticAccesses;
  readonly #context: {
    readonly t: Arena<typeof ACCESS_TABLES>['tables'];
    readonly blocks: AccessBlocks;
    readonly tlb: Tlb;
  };
  readonly #gone = new Map<Process, TlbCounts>();

  /** Errors: ScenarioError for workloads that cannot be. */
  constructor(world: World, spec: TlbSpec, files: WorkloadFiles) {
    const { m, scenario } = world;
    this.#world = world;
    this.tlb = createTlb(m, spec, scenario.seed % 2 ** 32);
    this.streams = buildStreams(world, files);
    const ranges = rangesByMm(this.streams);
    let blocks = 0;
    for (const own of ranges.values()) {
      for (const { first, end } of blockRanges(own, m.ptes)) blocks += end - first;
    }
    const parts = this.streams.reduce((sum, one) => sum + (one.exact ? 0 : blocksOf(one, m.ptes)), 0);
    const { tables: t } = Arena.create(
      ACCESS_TABLES,
      accessSizes(this.streams.length, blocks, parts, parts === 0 ? 0 : m.ptes),
    );
    this.#blocks = new AccessBlocks(this.tlb, t, ranges);
    this.#context = { t, blocks: this.#blocks, tlb: this.tlb };
    const analytic = this.streams.filter(({ exact }) => !exact);
    const random = randomFor(scenario.seed, 'accesses');
    this.#analytic = new AnalyticAccesses(this.tlb, t, this.#blocks, analytic, random);
    if (analytic.length > 0) attach(m, this.#analytic);
  }

  /** Starts the programs. */
  start(): void {
    const { executor, scenario } = this.#world;
    const nowNs = executor.current.nowNs;
    for (const stream of this.streams) {
      if (!stream.exact) continue;
      const { name } = stream.process;
      const startNs = Math.max(nowNs, stream.active.start);
      this.#world.spawn(`accesses ${name}`, stream.process, () => runExactly(this.#context, stream), startNs);
    }
    if (this.streams.every(({ exact }) => exact)) return;
    const random = randomFor(scenario.seed, 'first touches');
    const context = { ...this.#context, m: this.tlb.m, analytic: this.#analytic, random };
    this.#world.spawn('first touches', null, () => fillHoles(context), nowNs, 0);
  }

  /** Samples accesses of all programs from now on, as a processor's sampling unit would. */
  sample(sampling: AccessSampling): void {
    const { executor, scenario } = this.#world;
    const random = randomFor(scenario.seed, 'samples');
    const { pageSize } = scenario.machine;
    const body = (): Procedure<number> => sampleAccesses(this.tlb.m, this.streams, sampling, random, pageSize);
    this.#world.spawn('access samples', null, body, executor.current.nowNs, 0);
  }

  /** A process has come to its end: its counts stay, its number may be another one's. */
  exited(process: Process): void {
    this.#gone.set(process, this.counts(process));
    this.#analytic.pressure.forget(process.mm);
    this.#blocks.forget(process.mm);
    forgetTlbCounts(this.tlb, process.mm);
  }

  /** What the TLBs did for a process until now, of both forms together. */
  counts(process: Process): TlbCounts {
    const gone = this.#gone.get(process);
    if (gone !== undefined) return gone;
    this.#analytic.pressure.advance(this.tlb.m.current.nowNs);
    return addTlbCounts(tlbCounts(this.tlb, process.mm), this.#analytic.pressure.counts(process));
  }

  /** The same for all that ever lived. */
  totals(): TlbCounts {
    return this.#world.processes.all.reduce((sum, one) => addTlbCounts(sum, this.counts(one)), NO_TLB_COUNTS);
  }

  /** TLB entries that the pages in use by a process need as they are mapped now, and the bytes that these cover. */
  footprint(process: Process): { readonly entries: number; readonly bytes: number } {
    const { accessBlock: b } = this.#context.t;
    const { pageSize } = this.#world.scenario.machine;
    let entries = 0;
    let pages = 0;
    if (process.exitNs !== null) return { entries, bytes: 0 };
    for (const row of this.#blocks.rows(process.mm)) {
      this.#blocks.look(row);
      entries += b.entries[row];
      pages += b.present[row];
    }
    return { entries, bytes: pages * pageSize };
  }

  /**
   * Where walks happen: blocks of an address space with walks in the last whole second, and how many; expected values for
   * analytic streams. A producer of collapse hints can take it for what a processor's sampling of TLB misses tells.
   */
  *misses(mm: number): Generator<BlockMisses, void, undefined> {
    const { nowNs } = this.tlb.m.current;
    const { accessBlock: b } = this.#context.t;
    for (const row of this.#blocks.rows(mm)) {
      const misses =
        this.#blocks.missesBefore(row, nowNs) + (this.#analytic.pressure.missRate(row) * MISS_INTERVAL_NS) / 1e9;
      if (misses > 0) yield { page: asBrand<Vpn>(b.block[row] * this.tlb.m.ptes), misses };
    }
  }
}

function attach(m: Machine, analytic: AnalyticAccesses): void {
  const { flushTlb } = m.hooks;
  m.hooks.flushTlb = (mm, start, end) => {
    flushTlb(mm, start, end);
    analytic.flushed(mm, start, end);
  };
  m.hooks.settleAccess = (mm, page) => analytic.settle(mm, page);
  m.hooks.settleAccessRange = (mm, start, end) => analytic.settleRange(mm, start, end);
}

function rangesByMm(streams: readonly Stream[]): Map<number, PageRange[]> {
  const ranges = new Map<number, PageRange[]>();
  for (const { process, start, pages } of streams) {
    const own = ranges.get(process.mm) ?? [];
    own.push({ first: start, end: start + pages });
    ranges.set(process.mm, own);
  }
  return ranges;
}
