/** A context without a kdamond, whose regions tests set up by hand in small numbers. */
import { bootMachine } from '@thplab/mm-model';
import { createDamon, type DamonConfig } from '../create.js';
import type { Damon } from '../damon.js';
import { type AddressRange, appendRegion, destroyRegions, snapshotRegions } from '../monitor/regions.js';
import { DAMON_TABLES, damonSizes } from '../tables.js';

/** A context over one target with these regions; the smallest region is 1 byte. */
export function bareContext(regions: readonly AddressRange[], config: Partial<DamonConfig> = {}): Damon {
  const { machine } = bootMachine({
    nodePages: [1_024],
    limits: { mms: 2, vmas: 2, pageTables: 2, directories: 2, files: 2, pageCache: 8 },
    extraTables: DAMON_TABLES,
    extraSizes: damonSizes({ regions: 4_096 }),
  });
  const { attributes, ...rest } = config;
  const d = createDamon({
    machine,
    operations: 'paddr',
    targets: [{ regions }],
    ...rest,
    attributes: { minRegionSize: 1, ...attributes },
  });
  return d;
}

/** The only target of such a context. */
export function onlyTarget(d: Damon): number {
  return d.targets.first(d.context);
}

/** Sets counters of the regions, in order. */
export function setCounters(
  d: Damon,
  counters: readonly { nr?: number; last?: number; bp?: number; age?: number }[],
): void {
  const r = d.t.damonRegion;
  let index = 0;
  for (const region of d.regions.rows(onlyTarget(d))) {
    const { nr = 0, last = 0, bp = nr * 10_000, age = 0 } = counters[index++] ?? {};
    r.nrAccesses[region] = nr;
    r.lastNrAccesses[region] = last;
    r.nrAccessesBp[region] = bp;
    r.age[region] = age;
  }
}

/** Start and end of the regions. */
export function layout(d: Damon): [number, number][] {
  return snapshotRegions(d, onlyTarget(d)).map(({ start, end }) => [start, end]);
}

/** Replaces the regions. */
export function replaceRegions(d: Damon, regions: readonly AddressRange[]): void {
  const target = onlyTarget(d);
  destroyRegions(d, target);
  for (const { start, end } of regions) appendRegion(d, target, start, end);
}
