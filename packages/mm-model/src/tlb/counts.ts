/** What the TLBs did for an address space, and what it cost. */
import { cyclesToNs, type TlbSpec } from './spec.js';
import type { Tlb } from './tlb.js';

/** See the head of the file. Numbers are accesses; analytic ones are expected values, so they may be fractions. */
export interface TlbCounts {
  readonly accesses: number;
  readonly firstHits: number;
  readonly secondHits: number;
  readonly walksHuge: number;
  readonly walksBase: number;
  /** Walks only to mark an entry dirty, among the others. */
  readonly dirtyWalks: number;
  /** Entries that flushes removed. */
  readonly flushes: number;
}

/** Nothing counted. */
export const NO_TLB_COUNTS: TlbCounts = {
  accesses: 0,
  firstHits: 0,
  secondHits: 0,
  walksHuge: 0,
  walksBase: 0,
  dirtyWalks: 0,
  flushes: 0,
};

const FIELDS = ['accesses', 'firstHits', 'secondHits', 'walksHuge', 'walksBase', 'dirtyWalks', 'flushes'] as const;

/** What was counted for an address space since it was last forgotten. */
export function tlbCounts(tlb: Tlb, mm: number): TlbCounts {
  return Object.fromEntries(FIELDS.map((field) => [field, tlb.t.tlbCount[field][mm]])) as unknown as TlbCounts;
}

/** Starts the counters of an address space again: its number is another one's now. */
export function forgetTlbCounts(tlb: Tlb, mm: number): void {
  for (const field of FIELDS) tlb.t.tlbCount[field][mm] = 0;
}

/** Two counts together. */
export function addTlbCounts(a: TlbCounts, b: TlbCounts): TlbCounts {
  return Object.fromEntries(FIELDS.map((field) => [field, a[field] + b[field]])) as unknown as TlbCounts;
}

/** Walks of page tables. */
export function tlbWalks(counts: TlbCounts): number {
  return counts.walksHuge + counts.walksBase;
}

/** Share of accesses that needed no walk; 1 where there was none. */
export function tlbHitRate(counts: TlbCounts): number {
  return counts.accesses === 0 ? 1 : 1 - tlbWalks(counts) / counts.accesses;
}

/** Cycles lost to address translation: more than if every access had hit the first level. */
export function tlbCycles(spec: TlbSpec, counts: TlbCounts): number {
  const { secondLevelHit, walkHuge, walkBase } = spec.cycles;
  return (
    counts.secondHits * secondLevelHit +
    counts.walksHuge * (secondLevelHit + walkHuge) +
    counts.walksBase * (secondLevelHit + walkBase)
  );
}

/** The same in ns. */
export function tlbLostNs(spec: TlbSpec, counts: TlbCounts): number {
  return cyclesToNs(spec, tlbCycles(spec, counts));
}
