/** Which DAMON a kernel has (DAMON spec 12). */
import type { KernelProfile } from '@thplab/sysfs-schema';
import { type DamonProfile, damon71, damon613, damon618, damonMm, damonRfcV2 } from './profile.js';

const OF_KERNEL: Readonly<Record<KernelProfile, DamonProfile>> = {
  'v6.13': damon613,
  'dev-v1': damon613,
  'rfc-v1': damon613,
  'rfc-v2': damon613,
  'dev-v2': damon613,
  v4: damon618,
  v12: damon618,
  'v6.18': damon618,
  v15: damon71,
  v17: damon71,
  v18: damonMm,
  'hints-rfc': damonMm,
  merged: damonMm,
  'damon-rfc': damonRfcV2,
};

/** DAMON of a kernel profile: that of the release, or of the tree, that the profile's patches were written for. */
export function damonProfileOf(kernel: KernelProfile): DamonProfile {
  return OF_KERNEL[kernel];
}
