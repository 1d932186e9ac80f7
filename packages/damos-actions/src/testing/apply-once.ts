/** Applying one scheme to given regions, a given number of times, by a kdamond; and what a machine counts of folios. */
import type { MmId } from '@thplab/mm-model';
import { mthpStatCell, vmstatIndex } from '@thplab/sysfs-schema';
import { stopDamon } from '../create.js';
import type { AddressRange } from '../monitor/regions.js';
import { type DamonProfile, damonReviewed } from '../profile.js';
import { type SchemeStats, schemeStats } from '../schemes/running.js';
import { ANY_PATTERN, type SchemeInput } from '../schemes/scheme.js';
import { type DamonWorld, PAGE_SIZE } from './damon-world.js';

/** First page of the memory of processes: the start of a block of 2 MiB. */
export const BASE = 0x80000;

/** Pages as a range of byte addresses. */
export function range(first: number, pages: number): AddressRange {
  return { start: first * PAGE_SIZE, end: (first + pages) * PAGE_SIZE };
}

/** What `applyOnce` is not asked for. */
export interface ApplyOptions {
  readonly profile?: DamonProfile;
  /** Aggregations, and so rounds of the scheme; default 1. */
  readonly rounds?: number;
  /** Default: so large that no region can be cut, and neighbours do not join. */
  readonly minRegionSize?: number;
}

/**
 * Applies a scheme to every region, as they are, and gives its counters.
 *
 * @param mm the process; undefined: regions are of physical addresses
 */
export function applyOnce(
  w: DamonWorld,
  mm: MmId | undefined,
  regions: readonly AddressRange[],
  scheme: Partial<SchemeInput> & { readonly action: SchemeInput['action'] },
  { profile = damonReviewed, rounds = 1, minRegionSize }: ApplyOptions = {},
): SchemeStats {
  const total = regions.reduce((sum, { start, end }) => sum + end - start, 0);
  const d = w.start({
    operations: mm === undefined ? 'paddr' : 'fvaddr',
    targets: [mm === undefined ? { regions } : { mm, regions }],
    profile,
    attributes: { minNrRegions: 3, minRegionSize: minRegionSize ?? 2 ** Math.ceil(Math.log2(total)) },
    schemes: [{ pattern: ANY_PATTERN, ...scheme }],
  });
  while ((d.t.damonContext.passedSamples[d.context] as number) < 20 * rounds) w.pass(0.005);
  w.run(() => stopDamon(d));
  return schemeStats(d, 0);
}

/** Anonymous folios of an order (`nr_anon`). */
export function folios(w: DamonWorld, order: number): number {
  return w.m.mthpStat.value[mthpStatCell('nr_anon', order)] as number;
}

/** A counter of /proc/vmstat. */
export function event(w: DamonWorld, name: Parameters<typeof vmstatIndex>[0]): number {
  return w.m.vmstat.value[vmstatIndex(name)] as number;
}
