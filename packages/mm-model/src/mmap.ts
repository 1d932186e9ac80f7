/**
 * mmap: choosing an address, replacing what is there, and a VMA for the range.
 */
import { type Procedure, spend } from '@thplab/sync';
import type { FileId, MmId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { joinFileFamily } from './families.js';
import { VM, VMA_KIND, type VmaKind } from './flags.js';
import type { Machine } from './machine.js';
import { MAX_MAP_COUNT } from './mm.js';
import { unmapLocked } from './munmap.js';
import { mmPopulate } from './populate-range.js';
import { createFile } from './vma/files.js';
import { findUnmappedArea, lowestPage } from './vma/unmapped-area.js';
import { mapNewRange } from './vma/vma-merge.js';
import { vmaIsAnonymous } from './vma/vma-rows.js';
import { mmapWriteLock, mmapWriteUnlock } from './vma-locks.js';
import { vmaIntersecting } from './vma-tree.js';

/** What to map. */
export interface MmapOptions {
  /** Length in base pages. */
  readonly pages: number;
  /** First page: a hint, or binding with `fixed`. */
  readonly at?: Vpn;
  /** MAP_FIXED: `replace` unmaps what is there; `noReplace` fails with EEXIST instead. */
  readonly fixed?: 'replace' | 'noReplace';
  /** VM_* bits; default readable and writable, private except for kind shmem. */
  readonly flags?: number;
  /** Default anonymous. */
  readonly kind?: VmaKind;
  /** Default for kind shmem: a new object, as for MAP_SHARED with MAP_ANONYMOUS. */
  readonly file?: FileId;
  /** First page of the file. */
  readonly pgoff?: number;
  /** MAP_POPULATE: touch all pages before returning. */
  readonly populate?: boolean;
  /** MAP_STACK: no huge pages. */
  readonly stack?: boolean;
  /** Number for reports. */
  readonly label?: number;
}

/**
 * Maps memory (`do_mmap`, `mmap_region`). Gives the first page, or -EINVAL (empty, or fixed below the lowest address),
 * -ENOMEM (no hole, outside the address space, too many VMAs), -EEXIST.
 */
export function* mmap(m: Machine, mm: MmId, options: MmapOptions): Procedure<number> {
  yield spend(m.costs.syscall);
  const { pages } = options;
  if (pages <= 0) return -ERRNO.EINVAL;
  if (pages > m.addressPages) return -ERRNO.ENOMEM;
  if ((options.kind ?? VMA_KIND.anon) !== VMA_KIND.anon) joinFileFamily(m, mm);
  yield* mmapWriteLock(m, mm);
  const start = yield* placeMapping(m, mm, options);
  if (start < 0) {
    yield* mmapWriteUnlock(m, mm);
    return start;
  }
  const flags = mapFlags(options);
  const kind = options.kind ?? VMA_KIND.anon;
  // Shared anonymous memory is a shmem file of its own.
  const file = options.file ?? (kind === VMA_KIND.shmem ? createFile(m, { pages, shmem: true, unlinked: true }) : 0);
  const pgoff = options.pgoff ?? (file === 0 ? start : 0);
  const label = options.label ?? 0;
  const { vma, merged } = yield* mapNewRange(m, mm, { start, end: start + pages, flags, kind, file, pgoff, label });
  if (!merged && !vmaIsAnonymous(m, vma)) yield* m.hooks.khugepagedEnterVma(vma);
  if ((flags & VM.LOCKED) !== 0) m.mm.lockedVm[mm] += pages;
  yield* mmapWriteUnlock(m, mm);
  yield spend(m.costs.vmaChange);
  // Errors of touching are not mmap's: the mapping stands.
  if (options.populate === true || (flags & VM.LOCKED) !== 0) yield* mmPopulate(m, mm, start, start + pages);
  return start;
}

/** The address, with whatever a fixed mapping replaces unmapped. */
function* placeMapping(m: Machine, mm: MmId, options: MmapOptions): Procedure<number> {
  if (m.mm.vmaCount[mm] > MAX_MAP_COUNT) return -ERRNO.ENOMEM;
  const { pages } = options;
  if (options.fixed === undefined) {
    return findUnmappedArea(m, mm, pages, options.kind ?? VMA_KIND.anon, options.at) || -ERRNO.ENOMEM;
  }
  const start = options.at ?? 0;
  if (start < lowestPage(m)) return -ERRNO.EINVAL;
  if (start + pages > m.addressPages) return -ERRNO.ENOMEM;
  if (vmaIntersecting(m, mm, start, start + pages) === 0) return start;
  if (options.fixed === 'noReplace') return -ERRNO.EEXIST;
  const failed = yield* unmapLocked(m, mm, start, start + pages);
  return failed < 0 ? failed : start;
}

function mapFlags(options: MmapOptions): number {
  const shared = options.kind === VMA_KIND.shmem ? VM.SHARED : 0;
  const flags = options.flags ?? VM.READ | VM.WRITE | shared;
  const stack = options.stack === true ? VM.NOHUGEPAGE : 0;
  const uncharged = (options.kind ?? VMA_KIND.anon) === VMA_KIND.anon && isUncharged(flags) ? VM.UNCHARGED : 0;
  return flags | stack | uncharged;
}

/** Private memory that cannot be written, so nothing need be kept ready for it (`accountable_mapping`). */
function isUncharged(flags: number): boolean {
  return (flags & (VM.WRITE | VM.SHARED | VM.NORESERVE)) === 0;
}
