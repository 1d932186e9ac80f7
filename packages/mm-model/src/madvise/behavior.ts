/** Advice that changes VMA flags and nothing else (`madvise_vma_behavior`). mmap_lock is held for writing. */
import type { Procedure } from '@thplab/sync';
import type { VmaId } from '../brands.js';
import { ERRNO } from '../errno.js';
import { VM, VMA_KIND } from '../flags.js';
import type { Machine } from '../machine.js';
import { VM_SPECIAL } from '../vma/compatible.js';
import { vmaModifyFlags } from '../vma/vma-merge.js';
import { type Advice, MADV } from './advice.js';

/**
 * Applies the advice to a part of a VMA. Gives 0, -EINVAL where the VMA does not allow it, -EAGAIN if the VMA would have to
 * be split and there are too many.
 */
export function* madviseVmaBehavior(
  m: Machine,
  vma: VmaId,
  start: number,
  end: number,
  advice: Advice,
): Procedure<number> {
  const flags = advisedFlags(m, vma, advice);
  if (flags < 0) return flags;
  // hugepage_madvise registers the process, judging by the whole VMA with its flags to be (khugepaged spec 5.1, 13.1).
  if (advice === MADV.HUGEPAGE) yield* m.hooks.khugepagedEnterVma(vma, flags);
  const changed = yield* vmaModifyFlags(m, vma, start, end, flags);
  if (changed >= 0) return 0;
  return changed === -ERRNO.ENOMEM ? -ERRNO.EAGAIN : changed;
}

/** The VMA's flags after the advice, or a negative errno. */
function advisedFlags(m: Machine, vma: VmaId, advice: Advice): number {
  const flags = m.vma.flags[vma];
  switch (advice) {
    case MADV.HUGEPAGE:
      return (flags & ~VM.NOHUGEPAGE) | VM.HUGEPAGE;
    case MADV.NOHUGEPAGE:
      return (flags & ~VM.HUGEPAGE) | VM.NOHUGEPAGE;
    case MADV.DONTFORK:
      return flags | VM.DONTCOPY;
    case MADV.DOFORK:
      return (flags & VM.IO) !== 0 ? -ERRNO.EINVAL : flags & ~VM.DONTCOPY;
    case MADV.WIPEONFORK:
      // Only memory that nobody else sees can be wiped.
      if (m.vma.kind[vma] !== VMA_KIND.anon || (flags & VM.SHARED) !== 0) return -ERRNO.EINVAL;
      return flags | VM.WIPEONFORK;
    case MADV.KEEPONFORK:
      return (flags & VM.DROPPABLE) !== 0 ? -ERRNO.EINVAL : flags & ~VM.WIPEONFORK;
    case MADV.MERGEABLE:
      return vmaCanBeMergeable(flags) ? flags | VM.MERGEABLE : flags;
    case MADV.UNMERGEABLE:
      return flags & ~VM.MERGEABLE;
    default:
      // Read-ahead and core-dump advice: nothing that the model knows of.
      return flags;
  }
}

/** KSM's own test (`ksm_compatible`): what it refuses it passes over in silence. */
function vmaCanBeMergeable(flags: number): boolean {
  return (flags & (VM_SPECIAL | VM.SHARED | VM.HUGETLB | VM.DROPPABLE)) === 0;
}
