/** Every kernel on every page geometry, for tests that hold for all files. */
import { GEOMETRY_4K, GEOMETRY_16K, GEOMETRY_64K, GEOMETRY_TINY, type Geometry } from '../geometry.js';
import type { SysfsFile } from '../node.js';
import { KERNEL_PROFILES, type KernelProfile } from '../profiles.js';
import { filesOf, SYSFS_ROOT, sysfsTree } from '../tree.js';

export const GEOMETRIES: readonly Geometry[] = [GEOMETRY_4K, GEOMETRY_16K, GEOMETRY_64K, GEOMETRY_TINY];

export const MACHINES: readonly (readonly [KernelProfile, Geometry])[] = KERNEL_PROFILES.flatMap((profile) =>
  GEOMETRIES.map((geometry) => [profile, geometry] as const),
);

/** A file by its path below the root; profile v6.18 with 4 KiB pages unless told. */
export function file(path: string, profile: KernelProfile = 'v6.18', geometry: Geometry = GEOMETRY_4K): SysfsFile {
  const found = filesOf(sysfsTree(profile, geometry)).find((f) => f.path === `${SYSFS_ROOT}/${path}`);
  if (found === undefined) throw new Error(`no ${path} in ${profile}`);
  return found;
}
