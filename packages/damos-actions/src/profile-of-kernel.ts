/** Which DAMON a kernel has (DAMON spec 12). */
import { damonTreeOf, type KernelProfile } from '@thplab/sysfs-schema';
import { DAMON_PROFILES, type DamonProfile } from './profile.js';

/** DAMON of a kernel profile: the generation whose files it shows. */
export function damonProfileOf(kernel: KernelProfile): DamonProfile {
  const name = damonTreeOf(kernel);
  const found = DAMON_PROFILES.find((profile) => profile.name === name);
  if (found === undefined) throw new Error(`no profile is called ${name}`);
  return found;
}
