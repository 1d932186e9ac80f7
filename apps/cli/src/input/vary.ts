/** `--vary PATH=a,b,c`: every combination of the values given, as named variants. */
import type { SysfsWrite } from '@thplab/scenario';
import { UsageError } from '../errors.js';
import { assignment } from '../options.js';
import { parseSetting } from './overrides.js';
import type { Files } from './sysfs-files.js';

/** One combination. */
export interface Variation {
  /** The last parts of the paths with their values: `max_ptes_none=0`; as short as they stay different. */
  readonly name: string;
  readonly sysfs: readonly SysfsWrite[];
}

/** Rows of a table that can still be read, and runs that end before the reader has gone. */
export const MOST_VARIANTS = 64;

/** All combinations, the first option varying slowest. Errors: UsageError. */
export function variations(options: readonly string[], files: Files): readonly Variation[] {
  const axes = options.map((text) => axis(text, files));
  const fileOf = ({ writes }: { readonly writes: readonly SysfsWrite[] }): string | undefined => writes[0]?.path;
  const twice = axes.find((one, i) => axes.findIndex((other) => fileOf(other) === fileOf(one)) < i);
  if (twice !== undefined) throw new UsageError(`--vary names ${twice.path} twice; give all its values in one`);
  const count = axes.reduce((product, { writes }) => product * writes.length, 1);
  if (count > MOST_VARIANTS) {
    throw new UsageError(`--vary asks for ${count} variants; at most ${MOST_VARIANTS} are compared at once`);
  }
  const names = shortNames(axes.map(({ path }) => path));
  let found: Variation[] = [{ name: '', sysfs: [] }];
  axes.forEach(({ writes }, i) => {
    found = found.flatMap(({ name, sysfs }) =>
      writes.map((write) => ({
        name: [...(name === '' ? [] : [name]), `${names[i]}=${write.value}`].join(' '),
        sysfs: [...sysfs, write],
      })),
    );
  });
  return found;
}

function axis(text: string, files: Files): { readonly path: string; readonly writes: readonly SysfsWrite[] } {
  const pair = assignment(text);
  const values = pair === null ? [] : pair[1].split(',').map((value) => value.trim());
  if (pair === null || values.some((value) => value === '')) {
    throw new UsageError(
      `--vary ${JSON.stringify(text)} is no PATH=VALUE,VALUE; such as khugepaged/max_ptes_none=0,64,511`,
    );
  }
  return { path: pair[0], writes: values.map((value) => parseSetting(`${pair[0]}=${value}`, files)) };
}

/** Files of the topmost folder whose names other folders have as well. */
const ON_TOP = new Set(['enabled', 'defrag', 'shmem_enabled']);

/** The shortest ends of paths, by whole parts, that tell them apart, and each from a file of the topmost folder. */
export function shortNames(paths: readonly string[]): readonly string[] {
  const ends = (path: string, parts: number): string => path.split('/').slice(-parts).join('/');
  return paths.map((path) => {
    for (let parts = 1; ; parts++) {
      const name = ends(path, parts);
      if (name === path) return name;
      const isAnother = ON_TOP.has(name) && ends(path, 2) !== `transparent_hugepage/${name}`;
      if (!isAnother && paths.filter((other) => ends(other, parts) === name).length === 1) return name;
    }
  });
}
