/** What is told of address translation at the end. */
import { type TlbCounts, tlbCycles, tlbHitRate, tlbLostNs, tlbReach, tlbWalks } from '@thplab/mm-model';
import type { Process } from '../run/process-table.js';
import type { World } from '../run/world.js';
import type { TlbProcessResult, TlbResult } from './result.js';

/** The TLB of the machine; null if none is modelled. */
export function tlbResult(world: World): TlbResult | null {
  const { hardware, scenario } = world;
  if (hardware === undefined) return null;
  const { spec } = hardware.tlb;
  const { pageSize, blockSize } = scenario.machine;
  return { name: spec.name, reachBase: tlbReach(spec, pageSize), reachHuge: tlbReach(spec, blockSize) };
}

/** What the TLBs did for a process; null if none is modelled, or it made no access. */
export function tlbProcessResult(world: World, process: Process): TlbProcessResult | null {
  const { hardware } = world;
  if (hardware === undefined) return null;
  const counts = hardware.counts(process);
  if (counts.accesses === 0) return null;
  const { spec } = hardware.tlb;
  const { entries, bytes } = hardware.footprint(process);
  return {
    ...rounded(counts),
    hitRate: tlbHitRate(counts),
    firstHitRate: counts.firstHits / counts.accesses,
    walks: Math.round(tlbWalks(counts)),
    cycles: Math.round(tlbCycles(spec, counts)),
    lostNs: Math.round(tlbLostNs(spec, counts)),
    entries,
    reach: entries === 0 ? 0 : Math.round((capacityOf(world) * bytes) / entries),
    form: formOf(world, process),
  };
}

/** Expected values of analytic streams are fractions; nobody needs them so exactly. */
function rounded({
  accesses,
  walksHuge,
  walksBase,
}: TlbCounts): Pick<TlbProcessResult, 'accesses' | 'walksHuge' | 'walksBase'> {
  return {
    accesses: Math.round(accesses),
    walksHuge: Math.round(walksHuge),
    walksBase: Math.round(walksBase),
  };
}

function capacityOf({ hardware }: World): number {
  const last = hardware?.tlb.spec.levels.at(-1) ?? [];
  return last.reduce((most, { entries, sizes }) => (sizes.length === 0 ? most : Math.max(most, entries)), 0);
}

function formOf({ hardware }: World, process: Process): TlbProcessResult['form'] {
  const own = hardware?.streams.filter((stream) => stream.process === process) ?? [];
  if (own.every(({ exact }) => exact)) return 'exact';
  return own.some(({ exact }) => exact) ? 'both' : 'analytic';
}
