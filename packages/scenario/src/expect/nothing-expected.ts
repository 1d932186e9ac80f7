/** Expectations of a scenario that has none. */
import type { Expectations } from '../format/index.js';

/** See the head of the file. */
export const NOTHING_EXPECTED: Expectations = {
  counters: [],
  coverage: [],
  memory: [],
  outcomes: [],
  stalls: [],
  schemes: [],
  monitoring: [],
  tlb: [],
  hints: null,
  time: null,
};
