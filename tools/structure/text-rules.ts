// Rules on what a file holds: its length, its exports, chance and clocks, paths of somebody's machine.

import { posix } from 'node:path';
import { eachImport, isNodeModule, packageOf, ships } from './import-rules.js';
import { MAX_LINES, MODEL_PACKAGES, NODE_ROOMS } from './law.js';
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
        ...eachImport(shipped, (source, { what, line }) => {
          const why = foreignImport(source.path, what);
          return why === undefined ? undefined : `${source.path}:${line}: ${what}: ${why}`;
        }),
      ];
    });
}

/** Why a shipped file of a model package may not import something; undefined if it may. */
function foreignImport(path: string, what: string): string | undefined {
  const roomOf = (file: string): string | undefined => Object.keys(NODE_ROOMS).find((room) => file.startsWith(room));
  const room = roomOf(path);
  if (what.startsWith('.')) {
    const target = roomOf(posix.join(posix.dirname(path), what));
    return target === undefined || target === room
      ? undefined
      : `${target} runs on Node only: it is an entry of its own`;
  }
  if (isNodeModule(what)) return room === undefined ? 'model packages also run in a browser' : undefined;
  const name = packageOf(what) ?? '';
  if (name.startsWith('@thplab/') || (room !== undefined && NODE_ROOMS[room].includes(name))) return undefined;
  return 'model packages stand on the workspace alone';
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
