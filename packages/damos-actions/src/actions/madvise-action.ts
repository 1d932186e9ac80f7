/** Actions on virtual addresses that are one call of madvise (`damos_madvise`; DAMON spec 3.2). */
import { type Advice, MADV, type MmId, madvise, mmgetNotZero, mmput, type Vpn } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { alignUp } from '../arithmetic.js';
import type { Damon } from '../damon.js';
import { regionSize } from '../monitor/regions.js';
import type { DamosActionName } from '../schemes/scheme.js';
import { type ActionOutcome, NOTHING_DONE } from './outcome.js';

/** The advice of each such action. */
export const ADVICE_OF_ACTION: Readonly<Partial<Record<DamosActionName, Advice>>> = {
  willneed: MADV.WILLNEED,
  cold: MADV.COLD,
  pageout: MADV.PAGEOUT,
  hugepage: MADV.HUGEPAGE,
  nohugepage: MADV.NOHUGEPAGE,
  collapse: MADV.COLLAPSE,
};

/**
 * Gives advice on a region. All or nothing: the whole length counts as applied if the call returns 0, else nothing does,
 * whatever it did before it failed. So a region with a hole in it changes, and applies 0 bytes.
 */
export function* madviseAction(d: Damon, target: number, region: number, advice: Advice): Procedure<ActionOutcome> {
  const { m } = d;
  const pageSize = 2 ** m.geometry.pageShift;
  const mm = d.t.damonTarget.mm[target] as MmId;
  if (!mmgetNotZero(m, mm)) return NOTHING_DONE;
  const start = alignUp(d.t.damonRegion.start[region], pageSize);
  const length = alignUp(regionSize(d, region), pageSize);
  const result = yield* madvise(m, mm, (start / pageSize) as Vpn, length / pageSize, advice);
  yield* mmput(m, mm);
  return result === 0 ? { applied: length, passed: 0 } : NOTHING_DONE;
}
