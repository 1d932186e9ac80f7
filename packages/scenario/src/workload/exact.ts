/**
 * Accesses one by one, each through the TLB of its processor. They come at the stream's rate, in batches of some
 * microseconds; a thread that faults or walks for too long falls behind, and makes up for it.
 */
import { asBrand, type Tables } from '@thplab/arena';
import { cyclesToNs, FAULT, TLB_ACCESS, type Tlb, type TlbAccess, tlbAccess, type Vpn } from '@thplab/mm-model';
import { now, type Procedure, sleep, spend } from '@thplab/sync';
import { touchPage } from '../run/touch.js';
import type { AccessBlocks } from './blocks.js';
import { type Stream, windowAt } from './stream.js';
import type { AccessTables } from './tables.js';

/** A stream does not wake up more often than this, ns. */
const LEAST_PAUSE_NS = 50_000;
/** Accesses between two moments at which others may run. */
const MOST_AT_ONCE = 4096;

/** What exact streams run on. */
export interface ExactContext {
  readonly tlb: Tlb;
  readonly t: Tables<AccessTables>;
  readonly blocks: AccessBlocks;
}

/** The thread of an exact stream, to the end of the process or of its time. */
export function* runExactly(context: ExactContext, stream: Stream): Procedure<number> {
  const pauseNs = Math.max(LEAST_PAUSE_NS, 1e9 / stream.perSecond);
  for (;;) {
    const nowNs = yield now();
    if (stream.process.exitNs !== null) return 0;
    const window = windowAt(stream, nowNs);
    const over = window !== undefined && nowNs >= window.end;
    if (window === undefined || over) {
      const next = window === undefined ? stream.active.start : nextStart(stream, window.start);
      if (next === null) return 0;
      yield sleep(next - nowNs);
      continue;
    }
    yield* catchUp(context, stream, window.start, nowNs, window.turn);
    yield sleep(pauseNs);
  }
}

function nextStart({ active }: Stream, startNs: number): number | null {
  return active.every === null ? null : startNs + active.every;
}

/** Makes the accesses that are due by now. */
function* catchUp(
  context: ExactContext,
  stream: Stream,
  startNs: number,
  nowNs: number,
  turn: number,
): Procedure<void> {
  const { turn: turns } = context.t.accessStream;
  const { process, row } = stream;
  const perWindow = stream.active.length === null ? 0 : (stream.active.length / 1e9) * stream.perSecond;
  const due = Math.floor(turn * perWindow + ((nowNs - startNs) / 1e9) * stream.perSecond) + 1;
  const batch = { page: -1, write: false, costNs: 0 };
  while (turns[row] < due && process.exitNs === null) {
    accessMany(context, stream, Math.min(due, turns[row] + MOST_AT_ONCE), nowNs, batch);
    yield spend(Math.max(1, Math.round(batch.costNs)));
    if (batch.page < 0) continue;
    const result = yield* touchPage(context.tlb.m, process, batch.page, batch.write);
    // A process that gets no memory, or a signal, does not come to the rest of these.
    if (result !== FAULT.ok) turns[row] = due;
    // It tries again what it faulted on.
    else tlbAccess(context.tlb, process.cpu, process.mm, asBrand<Vpn>(batch.page), batch.write);
  }
}

/** What came of some accesses: the page that one of them has to fault on first, or -1. */
interface Batch {
  page: number;
  write: boolean;
  costNs: number;
}

/** Makes accesses until number `end`, or up to the first that faults. The inner loop: it yields nothing. */
function accessMany(context: ExactContext, stream: Stream, end: number, nowNs: number, batch: Batch): void {
  const { tlb, blocks } = context;
  const { turn: turns } = context.t.accessStream;
  const { pattern, process, random, row, start, write: share } = stream;
  const { cpu, mm } = process;
  batch.page = -1;
  batch.costNs = 0;
  for (let turn = turns[row]; turn < end; turn++) {
    const page = start + pattern.pageOf(turn, random);
    const write = share >= 1 || (share > 0 && random.fraction() < share);
    const access = tlbAccess(tlb, cpu, mm, asBrand<Vpn>(page), write);
    if (access === TLB_ACCESS.first) continue;
    if (access === TLB_ACCESS.fault) {
      turns[row] = turn + 1;
      batch.page = page;
      batch.write = write;
      return;
    }
    if (access >= TLB_ACCESS.walkHuge) blocks.countMiss(mm, page, nowNs);
    batch.costNs += costOf(tlb, access);
  }
  turns[row] = end;
}

function costOf({ spec }: Tlb, access: TlbAccess): number {
  const { secondLevelHit, walkHuge, walkBase } = spec.cycles;
  if (access === TLB_ACCESS.first) return 0;
  if (access === TLB_ACCESS.second) return cyclesToNs(spec, secondLevelHit);
  return cyclesToNs(spec, secondLevelHit + (access === TLB_ACCESS.walkHuge ? walkHuge : walkBase));
}
