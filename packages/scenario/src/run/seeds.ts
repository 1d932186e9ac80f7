/** Where random choices of a run come from: the scenario's seed, and the key of the thing that chooses. */
import { Random } from '@thplab/arena';

/**
 * A generator for one choice. `own` is the seed that the file gives; without it the run's seed is used, kept apart from
 * other choices by `key`, so that adding an event does not change what another one chooses.
 */
export function randomFor(runSeed: number, key: string, own: number | null = null): Random {
  return own === null ? new Random(runSeed, hashText(key)) : new Random(own);
}

/** A 32-bit hash of a text (FNV-1a). */
export function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}
