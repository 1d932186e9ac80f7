/** Auto-tuning of the intervals: as many accesses observed as the goal says (DAMON spec 1.9). */
import { BASIS_POINTS, multiplyDivide } from '../arithmetic.js';
import { feedLoopNextInput } from '../feedback.js';
import { readAttributes, setAttributes } from './attributes.js';
import { regionSize } from './regions.js';
import type { DamonStore } from './store.js';

const LOOP_INPUT = 100_000_000n;

/** The score of what was observed: 10000 is the goal (`damon_get_intervals_score`). */
export function intervalsScore(observed: bigint, possible: bigint, accessBp: number): bigint {
  const wanted = (possible * BigInt(accessBp)) / BigInt(BASIS_POINTS);
  return (observed * BigInt(BASIS_POINTS)) / (wanted === 0n ? 1n : wanted);
}

/** By how much the intervals change, basis points: 5000 (halved) to 20000 (doubled) (`damon_get_intervals_adaptation_bp`). */
export function intervalsAdaptationBp(score: bigint): number {
  const raw = Number(feedLoopNextInput(LOOP_INPUT, score) / BigInt(BASIS_POINTS));
  return raw > BASIS_POINTS ? raw : BASIS_POINTS / 2 + Math.floor(raw / 2);
}

/** Sets new intervals after `aggrs` aggregations (`kdamond_tune_intervals`). Gives the new sampling interval, µs. */
export function tuneIntervals(d: DamonStore): number {
  const c = d.t.damonContext;
  const samples = c.aggrSamples[d.context];
  let observed = 0n;
  let possible = 0n;
  for (const target of d.targets.rows(d.context)) {
    for (const region of d.regions.rows(target)) {
      const size = BigInt(regionSize(d, region));
      observed += size * BigInt(d.t.damonRegion.nrAccesses[region]);
      possible += size * BigInt(samples);
    }
  }
  const attributes = readAttributes(d);
  const { accessBp, minSampleUs, maxSampleUs } = attributes.intervalsGoal;
  const adaptation = intervalsAdaptationBp(intervalsScore(observed, possible, accessBp));
  const wanted = multiplyDivide(attributes.sampleIntervalUs, adaptation, BASIS_POINTS);
  const sampleIntervalUs = Math.min(maxSampleUs, Math.max(minSampleUs, wanted));
  setAttributes(d, { ...attributes, sampleIntervalUs, aggrIntervalUs: sampleIntervalUs * samples });
  return sampleIntervalUs;
}
