import type { Procedure } from '@thplab/sync';

/** Runs a call whose result does not matter: it may be refused, as long as nothing breaks. */
export function* ignoring(call: Procedure<unknown>): Procedure<void> {
  yield* call;
}
