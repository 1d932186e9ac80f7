/** Which rule of khugepaged spec 4.2 keeps khugepaged away from a VMA, in words: the mask of orders only says that one does. */
import {
  allAnonOrders,
  type Machine,
  MMF,
  sysfsAnonOrders,
  TVA,
  thpVmaAllowableOrders,
  VM,
  VM_NO_KHUGEPAGED,
  VMA_KIND,
  type VmaId,
  vmaSuitableOrder,
} from '@thplab/mm-model';
import { requestedOrders } from '@thplab/mthp-collapse';
import type { World } from '../run/world.js';

/** The rule, or null if khugepaged may build something in the VMA. The tests follow the kernel's order. */
export function whyIneligible(world: World, vma: VmaId): string | null {
  const { m } = world;
  const anon = m.vma.kind[vma] === VMA_KIND.anon;
  const requested = anon ? requestedOrders(world.generation, m.pmdOrder, 'khugepaged') : 1 << m.pmdOrder;
  if (thpVmaAllowableOrders(m, vma, TVA.khugepaged, requested) !== 0) return null;
  const flags = m.vma.flags[vma];
  if (anon && (requested & sysfsAnonOrders(m, flags)) === 0) return sysfsReason(flags);
  if (anon && (requested & allAnonOrders(m)) === 0) return 'its kind of memory has no such sizes';
  return disabledReason(m, vma, flags) ?? placeReason(m, vma, flags, anon);
}

function sysfsReason(flags: number): string {
  return (flags & VM.HUGEPAGE) !== 0
    ? 'no size is enabled in sysfs'
    : 'no size is enabled in sysfs for memory without MADV_HUGEPAGE';
}

function disabledReason(m: Machine, vma: VmaId, flags: number): string | null {
  if ((flags & VM.NOHUGEPAGE) !== 0) return 'MADV_NOHUGEPAGE';
  const mmFlags = m.mm.flags[m.vma.mm[vma]];
  if ((mmFlags & MMF.DISABLE_THP_COMPLETELY) !== 0) return 'prctl(PR_SET_THP_DISABLE)';
  if ((mmFlags & MMF.DISABLE_THP_EXCEPT_ADVISED) !== 0 && (flags & VM.HUGEPAGE) === 0) {
    return 'prctl(PR_SET_THP_DISABLE, PR_THP_DISABLE_EXCEPT_ADVISED) and no MADV_HUGEPAGE';
  }
  return null;
}

function placeReason(m: Machine, vma: VmaId, flags: number, anon: boolean): string {
  const kind = m.vma.kind[vma];
  if (kind === VMA_KIND.dax) return 'device memory is mapped huge by faults only';
  if ((flags & VM_NO_KHUGEPAGED) !== 0) return 'special mapping (VM_NO_KHUGEPAGED)';
  if (!anon && !vmaSuitableOrder(m, vma, m.vma.end[vma] - m.ptes, m.pmdOrder)) {
    return 'no block of PMD size lies in it that is aligned both here and in the file';
  }
  if (!anon) return kind === VMA_KIND.shmem ? 'the shmem policy does not allow it' : 'file memory is not enabled';
  if ((flags & VM.TEMPORARY_STACK) !== 0) return 'stack of an exec under way';
  if (m.vma.anonVma[vma] === 0) return 'never written to (no anon_vma)';
  return 'no aligned block of an enabled size lies in it';
}
