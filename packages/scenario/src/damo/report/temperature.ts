/** How hot a region is, in damo's measure (DAMON spec 8.5). */
import type { DamonRecord, RecordedRegion } from '../record.js';

/** Weights of size, access rate and age; damo's are 0, 100, 100. */
export interface TemperatureWeights {
  readonly size: number;
  readonly rate: number;
  readonly age: number;
}

/** See above. */
export const DAMO_WEIGHTS: TemperatureWeights = { size: 0, rate: 100, age: 100 };

/** Share of the samples in which the region was accessed, per cent; 0 where the record does not say how many there were. */
export function percentOf(region: RecordedRegion, mostSamples: number | null): number {
  if (region.percent !== null) return region.percent;
  return mostSamples === null ? 0 : (region.samples * 100) / mostSamples;
}

/** Age in microseconds. */
export function ageUs(region: RecordedRegion): number {
  return (region.ageNs ?? 0) / 1e3;
}

/** Size, rate and age, weighted and summed; below zero where nothing was accessed, the more the longer. */
export function temperature(region: RecordedRegion, mostSamples: number | null, weights: TemperatureWeights): number {
  const percent = percentOf(region, mostSamples);
  const heat = (region.end - region.start) * weights.size + percent * weights.rate + ageUs(region) * weights.age;
  return percent === 0 ? -heat : heat;
}

/** For how long nothing was accessed, nanoseconds: 0 for a region with accesses. */
export function idleNs(region: RecordedRegion, record: DamonRecord): number {
  if (region.samples > 0) return 0;
  return (region.ageNs ?? 0) + (record.intervals?.aggregationNs ?? 0);
}
