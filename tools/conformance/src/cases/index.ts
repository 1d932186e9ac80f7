/** All deterministic cases for MADV_COLLAPSE. */
import type { Case } from '../case.js';
import { ANONYMOUS } from './anonymous.js';
import { PAGE_STATES } from './page-states.js';

export const CASES: readonly Case[] = [...ANONYMOUS, ...PAGE_STATES];

/** The first part of a case's name. */
export function familyOf(given: Case): string {
  return given.name.split('/')[0];
}
