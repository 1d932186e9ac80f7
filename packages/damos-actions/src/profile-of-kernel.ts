/** Which DAMON a kernel has (DAMON spec 12). */
import { DAMON_TREES, type DamonTreeName, damonTreeOf, type KernelProfile } from '@thplab/sysfs-schema';
import { DAMON_PROFILES, type DamonProfile } from './profile.js';

/** DAMON of a kernel profile: the generation whose files it shows. */
export function damonProfileOf(kernel: KernelProfile): DamonProfile {
  const name = damonTreeOf(kernel);
  const found = DAMON_PROFILES.find((profile) => profile.name === name);
  if (found === undefined) throw new Error(`no profile is called ${name}`);
  return found;
}

/** The files of a profile by its name; without a name, those of the kernel. What reviewers asked for is behind the RFC's files. */
export function damonTreeOfProfile(profile: string | undefined, kernel: KernelProfile): DamonTreeName {
  if (profile === undefined) return damonTreeOf(kernel);
  return DAMON_TREES.find((name) => name === profile) ?? 'damon-rfc';
}
