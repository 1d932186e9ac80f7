/** All deterministic cases for MADV_COLLAPSE. */
import type { Case } from '../case.js';
import { ANONYMOUS } from './anonymous.js';
import { PAGE_STATES } from './page-states.js';
import { PARTS_AND_MOVES } from './parts-and-moves.js';
import { SHARED_MEMORY } from './shared-memory.js';

export const CASES: readonly Case[] = [...ANONYMOUS, ...PAGE_STATES, ...PARTS_AND_MOVES, ...SHARED_MEMORY];

/** The first part of a case's name. */
export function familyOf(given: Case): string {
  return given.name.split('/')[0];
}
