/** Settings worth a look when the user names none. */
import type { KernelProfile } from '@thplab/sysfs-schema';
import { describeProfile } from '@thplab/sysfs-schema';
import type { WhatIfVariant } from './what-if-result.js';

/** As it is, huge pages everywhere with three limits of empty pages, and 64 kB folios where the kernel collapses to them. */
export function defaultVariants(kernel: KernelProfile): WhatIfVariant[] {
  const always = (maxPtesNone: number): WhatIfVariant => ({
    label: `always, max_ptes_none ${maxPtesNone}`,
    sysfs: [
      { path: 'enabled', value: 'always' },
      { path: 'khugepaged/max_ptes_none', value: String(maxPtesNone) },
    ],
  });
  const variants = [{ label: 'as it is', sysfs: [] }, always(511), always(255), always(0)];
  if (!describeProfile(kernel).mthpCollapse) return variants;
  const sizes = {
    label: '64kB only, max_ptes_none 0',
    sysfs: [
      { path: 'enabled', value: 'never' },
      { path: 'hugepages-64kB/enabled', value: 'always' },
      { path: 'hugepages-2048kB/enabled', value: 'never' },
      { path: 'khugepaged/max_ptes_none', value: '0' },
    ],
  };
  return [...variants, sizes];
}
