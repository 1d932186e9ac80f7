import { BASIS_POINTS, divide } from '../arithmetic.js';
import { regionSize } from '../monitor/regions.js';
import type { DamonStore } from '../monitor/store.js';
import type { AccessPattern, ClosedRange } from './scheme.js';

/** True if a region fits a pattern (`__damos_valid_target`). The access count is the moving sum. */
export function patternFits(d: DamonStore, region: number, pattern: AccessPattern): boolean {
  const r = d.t.damonRegion;
  return (
    isWithin(regionSize(d, region), pattern.size) &&
    isWithin(divide(r.nrAccessesBp[region], BASIS_POINTS), pattern.nrAccesses) &&
    isWithin(r.age[region], pattern.age)
  );
}

function isWithin(value: number, { min, max }: ClosedRange): boolean {
  return min <= value && value <= max;
}
