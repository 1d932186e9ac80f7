/** Regions that DAMON finds hot: the hottest first, as high priority from a share of the samples on. */
import { type Damon, damonRegions, type RegionSnapshot } from '@thplab/damos-actions';
import { type MmId, mmgetNotZero, mmput } from '@thplab/mm-model';
import { type Procedure, preempt, sleep } from '@thplab/sync';
import type { ProducerSpec } from '../../format/index.js';
import { mostAccesses } from '../../report/damon-result.js';
import type { World } from '../../run/world.js';
import { hintRange } from '../hint-range.js';
import type { HintProducer } from './producer.js';

type HeatSpec = Extract<ProducerSpec, { kind: 'heat' }>;

/** A producer on access heat. Looks at what the last whole aggregation saw of each target that is an address space. */
export function heatProducer(world: World, spec: HeatSpec): HintProducer {
  return {
    name: 'hints: heat',
    task: function* (): Procedure<number> {
      for (;;) {
        yield sleep(spec.every);
        yield* hintHotRegions(world, spec);
      }
    },
  };
}

function* hintHotRegions(world: World, spec: HeatSpec): Procedure<void> {
  const kdamond = world.kdamonds.all.find(({ name }) => spec.kdamond === null || name === spec.kdamond);
  const damon = kdamond?.damon;
  if (kdamond === undefined || damon === undefined || damon.operations === 'paddr') return;
  const most = mostAccesses(kdamond);
  const targets = [...damon.targets.rows(damon.context)];
  for (const [number, target] of targets.entries()) {
    const mm = damon.t.damonTarget.mm[target] as MmId;
    const hot = hottest(damon, number, spec.above * most);
    if (hot.length === 0 || !mmgetNotZero(world.m, mm)) continue;
    for (const region of hot) yield* hintRegion(world, mm, region, region.lastNrAccesses >= spec.urgent * most ? 0 : 1);
    yield* mmput(world.m, mm);
  }
}

function hottest(damon: Damon, target: number, least: number): readonly RegionSnapshot[] {
  return damonRegions(damon, target)
    .filter(({ lastNrAccesses }) => lastNrAccesses > 0 && lastNrAccesses >= least)
    .sort((a, b) => b.lastNrAccesses - a.lastNrAccesses || a.start - b.start);
}

/** A hint for each PMD range that lies wholly in the region. */
function* hintRegion(world: World, mm: MmId, region: RegionSnapshot, priority: number): Procedure<void> {
  const { ptes } = world.m;
  const { pageSize } = world.scenario.machine;
  const end = region.end / pageSize;
  for (let page = Math.ceil(region.start / pageSize / ptes) * ptes; page + ptes <= end; page += ptes) {
    yield* hintRange(world, { mm, page, priority, maxOrder: null });
    yield preempt();
  }
}
