// The order of the house as data: who stands on whom. Imports point down this table, never up, never sideways.

/** For each folder under packages/ and apps/, and the packages under tools/: the floors right below it. Whatever those stand on may be imported too. */
export const STANDS_ON: Readonly<Record<string, readonly string[]>> = {
  arena: [],
  'sysfs-schema': [],
  capture: [],
  'live-kernel': [],
  sync: ['arena'],
  trace: ['arena'],
  'mm-model': ['sync', 'sysfs-schema'],
  'mthp-collapse': ['mm-model', 'trace'],
  'khugepaged-scheduler': ['mthp-collapse'],
  'damos-actions': ['mthp-collapse'],
  scenario: ['khugepaged-scheduler', 'damos-actions', 'capture'],
  cli: ['scenario', 'live-kernel'],
  bench: ['scenario'],
  conformance: ['khugepaged-scheduler', 'live-kernel'],
};

/** The packages that model the machine: no clock, no chance, no console, no Node, so that every run repeats, anywhere. */
export const MODEL_PACKAGES: readonly string[] = [
  'arena',
  'sync',
  'trace',
  'sysfs-schema',
  'mm-model',
  'mthp-collapse',
  'khugepaged-scheduler',
  'damos-actions',
];

/**
 * Rooms of model packages that run on Node only, each an entry of its own: what they may import beside the workspace and
 * Node itself. Nothing outside of a room imports it, so the package's main entry needs neither.
 */
export const NODE_ROOMS: Readonly<Record<string, readonly string[]>> = {
  'packages/khugepaged-scheduler/src/pool/': ['piscina', 'comlink'],
};

/** Longest a code file may be; most are 60 to 200 lines. */
export const MAX_LINES = 500;

/**
 * Every floor below a folder, through all levels.
 *
 * @throws Error when the folder is not in the law
 */
export function floorsBelow(folder: string): Set<string> {
  const direct = STANDS_ON[folder];
  if (direct === undefined)
    throw new Error(`${folder} is not in STANDS_ON (tools/structure/law.ts): give it its floor`);
  return new Set(direct.flatMap((floor) => [floor, ...floorsBelow(floor)]));
}
