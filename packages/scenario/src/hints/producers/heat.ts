/** What DAMON finds hot: the hottest PMD ranges first, of high priority from a share of the samples on. */
import { damonRegions, type RegionSnapshot } from '@thplab/damos-actions';
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
    const hot = hotBlocks(damonRegions(damon, number), world.scenario.machine.blockSize, spec.above * most);
    if (hot.length === 0 || !mmgetNotZero(world.m, mm)) continue;
    for (const { block, accesses } of hot) {
      const priority = accesses >= spec.urgent * most ? 0 : 1;
      yield* hintRange(world, { mm, page: block * world.m.ptes, priority, maxOrder: null });
      yield preempt();
    }
    yield* mmput(world.m, mm);
  }
}

/** A PMD range, and how often it was found accessed: the mean of its regions by their share in it. */
interface HotBlock {
  readonly block: number;
  readonly accesses: number;
}

/** Ranges found accessed at least so often (and at all), the hottest first. What is not monitored is not accessed. */
export function hotBlocks(regions: readonly RegionSnapshot[], blockSize: number, least: number): readonly HotBlock[] {
  const sums = new Map<number, number>();
  for (const { start, end, lastNrAccesses } of regions) {
    if (lastNrAccesses === 0) continue;
    for (let block = Math.floor(start / blockSize); block * blockSize < end; block++) {
      const bytes = Math.min(end, (block + 1) * blockSize) - Math.max(start, block * blockSize);
      sums.set(block, (sums.get(block) ?? 0) + lastNrAccesses * bytes);
    }
  }
  return [...sums]
    .map(([block, sum]) => ({ block, accesses: sum / blockSize }))
    .filter(({ accesses }) => accesses >= least)
    .sort((a, b) => b.accesses - a.accesses || a.block - b.block);
}
