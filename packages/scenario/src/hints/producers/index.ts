/** From what a scenario says to producers that run. */
import type { ProducerSpec } from '../../format/index.js';
import type { World } from '../../run/world.js';
import { agingProducer } from './aging.js';
import { faultProducer } from './fault-density.js';
import { heatProducer } from './heat.js';
import type { HintProducer } from './producer.js';
import { tlbProducer } from './tlb-density.js';

export type { HintProducer } from './producer.js';

export function makeProducer(world: World, spec: ProducerSpec): HintProducer {
  switch (spec.kind) {
    case 'heat':
      return heatProducer(world, spec);
    case 'faults':
      return faultProducer(world, spec);
    case 'tlb':
      return tlbProducer(world, spec);
    case 'aging':
      return agingProducer(world, spec);
  }
}
