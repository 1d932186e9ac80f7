/** `workload`, `machine.tlb` and `expect.tlb` as the schema puts them out. */
import type { TlbReplacement } from '@thplab/mm-model';
import type { DraftTarget } from './draft.js';
import type { Interval } from './units.js';

type Maybe<T> = T | undefined;

export const PATTERN_NAMES = ['uniform', 'zipf', 'sequential', 'stride', 'onePerBlock', 'heat'] as const;
export type PatternName = (typeof PATTERN_NAMES)[number];

/** One pattern and where. */
export interface DraftPart extends Partial<Omit<DraftTarget, 'process'>> {
  pattern?: Maybe<PatternName>;
  masim?: Maybe<string>;
  record?: Maybe<string>;
  rate?: Maybe<number>;
  bandwidth?: Maybe<number>;
  write?: Maybe<number>;
  exponent?: Maybe<number>;
  scattered?: Maybe<boolean>;
  step?: Maybe<number>;
  every?: Maybe<number>;
  page?: Maybe<number>;
}

export interface DraftPhase extends DraftPart {
  for: number;
  idle?: Maybe<boolean>;
}

export interface DraftWorkload extends DraftPart {
  process: string;
  name?: Maybe<string>;
  start?: Maybe<number>;
  for?: Maybe<number>;
  form?: Maybe<'auto' | 'exact' | 'analytic'>;
  seed?: Maybe<number>;
  phases?: Maybe<DraftPhase[]>;
  repeat?: Maybe<boolean>;
}

export interface DraftTlbArray {
  entries: number;
  ways?: Maybe<number>;
  sizes: number[];
  replacement?: Maybe<TlbReplacement>;
}

export interface DraftTlb {
  preset?: Maybe<string>;
  name?: Maybe<string>;
  levels?: Maybe<DraftTlbArray[][]>;
  contiguous?: Maybe<number[]>;
  contiguousNeedsFolio?: Maybe<boolean>;
  asids?: Maybe<number>;
  cycles?: Maybe<{
    secondLevelHit?: Maybe<number>;
    walkHuge?: Maybe<number>;
    walkBase?: Maybe<number>;
  }>;
  gigahertz?: Maybe<number>;
}

export interface DraftTlbExpect {
  process?: Maybe<string>;
  hitRate?: Maybe<Interval>;
  walks?: Maybe<Interval>;
  lost?: Maybe<Interval>;
}
