/** Helps for tests of schemes without a kdamond. */
import { runToEnd } from '@thplab/sync';
import type { Damon } from '../damon.js';
import { DamonError } from '../errors.js';
import { DAMON_PROFILES, type DamonProfile } from '../profile.js';
import { applySchemes } from '../schemes/apply.js';
import { ANY_PATTERN, type SchemeInput } from '../schemes/scheme.js';

/** Counts every region. */
export const STAT: SchemeInput = { action: 'stat', pattern: ANY_PATTERN };

/** One round of all schemes at a time, ms. */
export function round(d: Damon, atMs: number): void {
  for (const { row } of d.runningSchemes) d.t.damosScheme.nextApply[row] = 0;
  runToEnd(d.m.domain, applySchemes(d), { current: { nowNs: atMs * 1e6, cpu: 0, task: 0 } });
}

/** Error number of the refusal, or 'taken'. */
export function refusal(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DamonError) return error.errno;
    throw error;
  }
  return 'taken';
}

/** A profile by its name in golden data. */
export function profileNamed(name: string): DamonProfile {
  const profile = DAMON_PROFILES.find((one) => one.name === name);
  if (profile === undefined) throw new Error(`there is no profile ${name}`);
  return profile;
}
