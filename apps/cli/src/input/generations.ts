/** Generations of the algorithm by the names of kernel profiles, for verbs that study a policy without a machine. */
import type { Generation } from '@thplab/mthp-collapse';
import { runnableKernel } from './overrides.js';

/**
 * The generations of `--kernel a,b --kernel c`, each once, in this order. Errors: UsageError for a name that is none, or a profile
 * that is not modelled.
 */
export async function generationsNamed(texts: readonly string[]): Promise<readonly Generation[]> {
  const { generationByName } = await import('@thplab/mthp-collapse');
  const names = new Set(texts.flatMap((text) => text.split(',').map((name) => name.trim())));
  const generations: Generation[] = [];
  for (const name of names) generations.push(generationByName(await runnableKernel(name)));
  return generations;
}
