/**
 * First touches of analytic streams. What is not mapped cannot be left to chance at the next look: a program that touches
 * it takes a fault, and memory. So now and then the blocks with holes are gone through, and the pages that an access
 * would have come to since are touched, through real faults.
 */
import { asBrand, getBit, type Random, type Tables } from '@thplab/arena';
import {
  findPmd,
  findTable,
  type Machine,
  type MmId,
  NO_PMD,
  PMD,
  pmdType,
  pteBit,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { now, type Procedure, preempt, sleep } from '@thplab/sync';
import type { Process } from '../run/process-table.js';
import { touchPage } from '../run/touch.js';
import type { AnalyticAccesses } from './analytic.js';
import type { AccessBlocks } from './blocks.js';
import { activeBefore, type Stream, within } from './stream.js';
import type { AccessTables } from './tables.js';

/** How often holes are looked for, ns. */
const EVERY_NS = 10e6;
/** Blocks gone through each time. */
const BLOCKS_AT_ONCE = 256;

/** What this works on. */
export interface HolesContext {
  readonly m: Machine;
  readonly t: Tables<AccessTables>;
  readonly blocks: AccessBlocks;
  readonly analytic: AnalyticAccesses;
  readonly random: Random;
}

/** The thread that makes the first touches, for all processes. */
export function* fillHoles(context: HolesContext): Procedure<number> {
  const { blocks, analytic } = context;
  for (;;) {
    const nowNs = yield now();
    for (let row = blocks.takeStale(); row !== 0; row = blocks.takeStale()) analytic.pressure.lookAgain(row);
    const again: number[] = [];
    for (let i = 0; i < BLOCKS_AT_ONCE; i++) {
      const row = blocks.takeHole();
      if (row === 0) break;
      yield* fillBlock(context, row, nowNs);
      again.push(row);
      if (i % 16 === 15) yield preempt();
    }
    for (const row of again) analytic.pressure.lookAgain(row);
    yield sleep(EVERY_NS);
  }
}

function* fillBlock(context: HolesContext, row: number, nowNs: number): Procedure<void> {
  const { m, t, analytic } = context;
  const since = t.accessBlock.filledNs[row];
  t.accessBlock.filledNs[row] = nowNs;
  const first = t.accessBlock.block[row] * m.ptes;
  for (const stream of analytic.streams.ofBlock(row)) {
    const seconds = (activeBefore(stream, nowNs) - activeBefore(stream, since)) / 1e9;
    if (seconds <= 0 || stream.process.exitNs !== null) continue;
    const [from, to] = within(stream, first, first + m.ptes);
    for (let page = from; page < to; page++) {
      if (!stream.pattern.isUsed(page) || isMapped(m, stream.process, stream.start + page)) continue;
      const touches = stream.perSecond * stream.pattern.share(page, page + 1) * seconds;
      if (context.random.fraction() >= -Math.expm1(-touches)) continue;
      yield* touchPage(m, stream.process, stream.start + page, isWrite(stream, context.random));
      if (stream.process.exitNs !== null) return;
    }
  }
}

function isWrite(stream: Stream, random: Random): boolean {
  return stream.write >= 1 || (stream.write > 0 && random.fraction() < stream.write);
}

/** True also where nothing can be mapped: an access there would be the end of the program. */
function isMapped(m: Machine, process: Process, page: number): boolean {
  const at = asBrand<Vpn>(page);
  const mm: MmId = process.mm;
  if (vmaAt(m, mm, at) === 0) return true;
  const table = findTable(m, mm, at);
  if (table !== 0) return getBit(m.pte.present, pteBit(m, table, page % m.ptes));
  return isHuge(m, mm, at);
}

function isHuge(m: Machine, mm: MmId, page: Vpn): boolean {
  const pmd = findPmd(m, mm, page);
  return pmd !== NO_PMD && pmdType(m.directory.entry[pmd]) === PMD.huge;
}
