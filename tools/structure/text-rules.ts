// Rules on what a file holds: its length, its exports, chance and clocks, paths of somebody's machine.

import { eachImport, isNodeModule, ships } from './import-rules.js';
import { MAX_LINES, MODEL_PACKAGES } from './law.js';
import type { Place, Source } from './source.js';
import type { Package } from './workspace.js';

/** Files longer than the law allows. */
export function longFiles(sources: readonly Source[]): string[] {
  return sources
    .filter(({ lines }) => lines > MAX_LINES)
    .map(
      ({ path, lines }) =>
        `${path}:${MAX_LINES + 1}: ${lines} lines, at most ${MAX_LINES} allowed: two ideas in one room?`,
    );
}

/** Default exports outside of the configuration files of tools that ask for one. */
export function defaultExports(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => !/\.config\.m?ts$/.test(path))
    .flatMap((source) => objections(source, source.defaultExports, 'give it a name'));
}

/**
 * Chance, clocks, prints and Node in the model packages. Tests and src/testing may read files and print, but must not depend
 * on chance or on a clock either.
 */
export function impureModel(packages: readonly Package[]): string[] {
  return packages
    .filter(({ folder }) => MODEL_PACKAGES.includes(folder))
    .flatMap(({ sources }) => {
      const shipped = sources.filter(ships);
      return [
        ...sources.flatMap((source) => objections(source, source.chanceAndClocks, 'a run of the model must repeat')),
        ...shipped.flatMap((source) => objections(source, source.prints, 'nothing prints from inside the model')),
        ...eachImport(shipped, (source, { what, line }) =>
          isNodeModule(what) ? `${source.path}:${line}: ${what}: model packages also run in a browser` : undefined,
        ),
      ];
    });
}

function objections(source: Source, places: readonly Place[], why: string): string[] {
  return places.map(({ line, what }) => `${source.path}:${line}: ${what}: ${why}`);
}

/** Top folders that exist on the machine where something was written, and mean nothing on any other. */
const MACHINE_FOLDERS = ['work', 'tmp', 'root'];
const MACHINE_PATH = new RegExp(`(?<![\\w.~*}-])/(${MACHINE_FOLDERS.join('|')})/`);

/** Lines of a text file that name such a folder by its absolute path. */
export function machinePaths(path: string, text: string): string[] {
  if (text.includes('\0')) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      MACHINE_PATH.test(line) ? `${path}:${index + 1}: a path of one machine: ${line.trim().slice(0, 80)}` : [],
    );
}
