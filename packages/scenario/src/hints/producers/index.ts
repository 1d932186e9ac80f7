/** From what a scenario says to producers that run. */
import type { ProducerSpec } from '../../format/index.js';
import type { World } from '../../run/world.js';
import { agingProducer } from './aging.js';
import { densityProducer } from './density.js';
import { heatProducer } from './heat.js';
import type { HintProducer } from './producer.js';

export type { HintProducer } from './producer.js';

export function makeProducer(world: World, spec: ProducerSpec): HintProducer {
  switch (spec.kind) {
    case 'heat':
      return heatProducer(world, spec);
    case 'faults':
    case 'tlb':
      return densityProducer(world, spec);
    case 'aging':
      return agingProducer(world, spec);
  }
}
