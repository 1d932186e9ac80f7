import { LEGACY_RESULTS_WITH_PAGE_RO } from '../result-numbering.js';
import type { Generation } from './generation.js';
import { legacy618 } from './legacy-6-18.js';

/** Linux 6.13: as 6.18, and at least one entry of the range must be writable (khugepaged spec 15.8). */
export const legacy613: Generation = {
  ...legacy618,
  name: 'v6.13',
  summary: 'Linux 6.13: PMD order only, at least one writable entry',
  results: LEGACY_RESULTS_WITH_PAGE_RO,
  writableRequired: true,
  pmdMigrationIsMapped: false,
};
