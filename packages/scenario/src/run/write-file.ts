/** Writing a sysfs file of the machine, whoever's it is. */
import { type SysfsWriteOutcome, writeSysfs } from '@thplab/khugepaged-scheduler';
import { ERRNO } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { isDamonPath } from '../damon/kdamonds.js';
import type { World } from './world.js';

/** Errno numbers that only files give. */
const FILE_ERRNO = { EISDIR: 21, ENOSPC: 28 } as const;

/** Writes a file. Gives the errno (negative, 0 for success) and in words what was wrong and what would be right. */
export function* writeFile(world: World, path: string, text: string): Procedure<SysfsWriteOutcome> {
  if (!isDamonPath(path)) return yield* writeSysfs(world.k, path, text);
  const outcome = yield* world.kdamonds.write(path, text);
  if (outcome.ok) return { errno: 0 };
  return { errno: -{ ...ERRNO, ...FILE_ERRNO }[outcome.errno], name: outcome.errno, message: outcome.message };
}
