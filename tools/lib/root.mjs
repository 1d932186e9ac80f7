// Where things are in this repository, for the scripts under tools/.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository's root. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * A path inside the repository, made absolute.
 * @param {...string} parts
 * @returns {string}
 */
export function inRoot(...parts) {
  return join(root, ...parts);
}

/** The Node 24 binary that the lockfile pins; the scripts themselves run on whatever Node the machine has. */
export const pinnedNode = inRoot('node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Vitest's JSON report: written by `npm test`, read by `.ci/run`. */
export const testReport = inRoot('.cache/test-report.json');
