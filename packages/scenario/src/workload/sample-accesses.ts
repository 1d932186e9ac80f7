/**
 * What a processor's statistical sampling (SPE, PEBS, IBS) would have recorded of a run (DAMON spec 5.3): every so many accesses
 * of a program one is taken, with its virtual address and, from the page tables of that moment, its physical one. It
 * only looks: the run is the same without it. Programs must be workloads; their faults and events are not sampled.
 */
import type { Random } from '@thplab/arena';
import {
  findPmd,
  type Machine,
  type MmId,
  NO_FRAME,
  NO_PMD,
  PMD,
  pmdPfn,
  pmdTable,
  pmdType,
  ptePfn,
  slotOf,
  type Vpn,
} from '@thplab/mm-model';
import { now, type Procedure, sleep } from '@thplab/sync';
import { activeBefore, nextChange, type Stream } from './stream.js';

/** How to sample. */
export interface AccessSampling {
  /** Accesses from one sample to the next, of each workload. */
  readonly period: number;
  /** Each distance is longer or shorter by up to this share of it: 0 to 1. */
  readonly jitter: number;
  /** Share of samples that are lost because the one before is still under way: 0 to 1. */
  readonly loss: number;
  readonly take: (sample: AccessSample) => void;
}

/** One sampled access. */
export interface AccessSample {
  readonly timeNs: number;
  readonly stream: Stream;
  readonly page: number;
  /** Frame that the page was mapped to; null: none, the access would have faulted. */
  readonly frame: number | null;
  /** Byte in the page. */
  readonly offset: number;
}

/** Addresses of data are told by the cache line. */
const LINE_BYTES = 64;
/** The sampler does not wake up more often than this, ns. */
const LEAST_PAUSE_NS = 10_000;

interface Sampled {
  readonly stream: Stream;
  /** Number of the access that is sampled next. */
  next: number;
}

/** The thread that samples, as long as there is something to come. */
export function* sampleAccesses(
  m: Machine,
  streams: readonly Stream[],
  sampling: AccessSampling,
  random: Random,
  pageSize: number,
): Procedure<number> {
  const all = streams.map((stream): Sampled => ({ stream, next: distance(sampling, random) }));
  for (;;) {
    const nowNs = yield now();
    let wakeNs = Number.POSITIVE_INFINITY;
    for (const one of all) {
      takeDue(m, one, nowNs, sampling, random, pageSize);
      wakeNs = Math.min(wakeNs, nextDue(one, nowNs));
    }
    if (wakeNs === Number.POSITIVE_INFINITY) return 0;
    yield sleep(Math.max(LEAST_PAUSE_NS, wakeNs - nowNs));
  }
}

function accessesBefore({ stream }: Sampled, nowNs: number): number {
  return (activeBefore(stream, nowNs) / 1e9) * stream.perSecond;
}

function takeDue(
  m: Machine,
  one: Sampled,
  timeNs: number,
  sampling: AccessSampling,
  random: Random,
  pageSize: number,
): void {
  const { stream } = one;
  if (stream.process.exitNs !== null) return;
  for (const due = accessesBefore(one, timeNs); one.next < due; one.next += distance(sampling, random)) {
    if (sampling.loss > 0 && random.fraction() < sampling.loss) continue;
    const page = stream.start + stream.pattern.pageOf(Math.floor(one.next), random);
    const offset = random.below(pageSize / LINE_BYTES) * LINE_BYTES;
    sampling.take({ timeNs, stream, page, frame: frameAt(m, stream.process.mm, page as Vpn), offset });
  }
}

/** When the next sample is due; Infinity if none will be. */
function nextDue(one: Sampled, nowNs: number): number {
  const { stream } = one;
  if (stream.process.exitNs !== null) return Number.POSITIVE_INFINITY;
  const wait = ((one.next - accessesBefore(one, nowNs)) / stream.perSecond) * 1e9;
  const change = nextChange(stream, nowNs);
  const inactive = accessesBefore(one, nowNs + 1) === accessesBefore(one, nowNs);
  return inactive ? change : Math.min(nowNs + wait, Math.max(change, nowNs + LEAST_PAUSE_NS));
}

function distance({ period, jitter }: AccessSampling, random: Random): number {
  return Math.max(1, Math.round(period * (1 + jitter * (2 * random.fraction() - 1))));
}

/** The frame that a page is mapped to now, by a PMD or a PTE; null: it is not present. */
export function frameAt(m: Machine, mm: MmId, page: Vpn): number | null {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return null;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) return pmdPfn(m, entry) + slotOf(m, page);
  if (pmdType(entry) !== PMD.table) return null;
  const pfn = ptePfn(m, pmdTable(entry), slotOf(m, page));
  return pfn < 0 || pfn === NO_FRAME ? null : pfn;
}
