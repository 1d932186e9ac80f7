/** From an action's name to what does it (`apply_scheme`; DAMON spec 3.2). */
import type { Procedure } from '@thplab/sync';
import type { Damon, RunningScheme } from '../damon.js';
import { collapseToOrder } from './collapse-action.js';
import { lruAction, pageoutAction, statAction } from './folio-actions.js';
import { ADVICE_OF_ACTION, madviseAction } from './madvise-action.js';
import { migrateAction } from './migrate-action.js';
import { type ActionOutcome, NOTHING_DONE } from './outcome.js';
import { splitAction } from './split-action.js';

/** Applies a scheme's action to a region. An action that the operations do not have does nothing. */
export function* applyAction(
  d: Damon,
  target: number,
  region: number,
  scheme: RunningScheme,
): Procedure<ActionOutcome> {
  const { action, targetOrder } = scheme.config;
  if (action === 'stat') return yield* statAction(d, target, region, scheme);
  if (action === 'migrate_hot' || action === 'migrate_cold') return yield* migrateAction(d, target, region, scheme);
  if (d.operations === 'paddr') return yield* applyPhysical(d, region, scheme);
  if (action === 'split') return yield* splitAction(d, target, region, targetOrder);
  if (action === 'collapse' && targetOrder !== 0) return yield* collapseToOrder(d, target, region, targetOrder);
  const advice = ADVICE_OF_ACTION[action];
  return advice === undefined ? NOTHING_DONE : yield* madviseAction(d, target, region, advice);
}

function* applyPhysical(d: Damon, region: number, scheme: RunningScheme): Procedure<ActionOutcome> {
  const { action } = scheme.config;
  if (action === 'pageout') return yield* pageoutAction(d, region, scheme);
  if (action === 'lru_prio' || action === 'lru_deprio') {
    return yield* lruAction(d, region, scheme, action === 'lru_prio');
  }
  return NOTHING_DONE;
}
