import type { Generation } from '../generations/generation.js';
import { DfsWalk } from './dfs-walk.js';
import { ForwardWalk } from './forward-walk.js';
import { LinearWalk } from './linear-walk.js';
import { SingleWalk } from './single-walk.js';
import type { WalkInput, WindowWalk } from './walk.js';

/**
 * Starts the generation's walk over one scanned table.
 *
 * MADV_COLLAPSE with the PMD order only needs no walk: whatever the generation, it is the single attempt.
 */
export function startWalk(generation: Generation, input: WalkInput): WindowWalk {
  if (input.initiator === 'madvise' && generation.madviseOrders === 'pmdOnly') return new SingleWalk(generation, input);
  switch (generation.walk) {
    case 'single':
      return new SingleWalk(generation, input);
    case 'dfs':
      return new DfsWalk(generation, input);
    case 'forward':
      return new ForwardWalk(generation, input);
    case 'linearRescan':
      return new LinearWalk(generation, input);
  }
}
