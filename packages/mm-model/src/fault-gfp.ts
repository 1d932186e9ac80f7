import { THP_DEFRAG } from '@thplab/sysfs-schema';
import type { VmaId } from './brands.js';
import { VM } from './flags.js';
import { type Machine, setting } from './machine.js';
import { GFP, type Gfp } from './page-alloc.js';

/** What a fault may do to get a huge page: the `defrag` setting and the VMA's advice (`vma_thp_gfp_mask`). */
export function vmaThpGfp(m: Machine, vma: VmaId): Gfp {
  const advised = (m.vma.flags[vma] & VM.HUGEPAGE) !== 0;
  switch (setting(m, 'defrag')) {
    case THP_DEFRAG.always:
      return GFP.transhuge;
    case THP_DEFRAG.deferMadvise:
    case THP_DEFRAG.madvise:
      return advised ? GFP.transhuge : GFP.transhugeLight;
    default:
      return GFP.transhugeLight;
  }
}
