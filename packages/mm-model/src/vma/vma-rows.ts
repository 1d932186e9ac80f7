/**
 * Rows of VMAs: made, copied, given back. A file counts the VMAs that map it.
 */
import { asBrand } from '@thplab/arena';
import { LOCK_WORDS } from '@thplab/sync';
import type { FileId, MmId, VmaId } from '../brands.js';
import { VM, VMA_KIND, type VmaKind } from '../flags.js';
import type { Machine } from '../machine.js';
import { countFileMapping } from './files.js';

/** What a VMA is, apart from its place in the tree. */
export interface VmaFacts {
  /** First page. */
  readonly start: number;
  /** One past the last page. */
  readonly end: number;
  /** VM_* bits. */
  readonly flags: number;
  readonly kind?: VmaKind;
  readonly file?: FileId | 0;
  /** Page offset in the file; anonymous memory: `start` unless it was moved. */
  readonly pgoff?: number;
  /** Number for reports. */
  readonly label?: number;
}

/** A VMA that is in no tree yet (`vm_area_alloc`). Errors: TableFullError for 'vma'. */
export function vmaAlloc(m: Machine, mm: MmId, facts: VmaFacts): VmaId {
  const vma = m.vma.pool.alloc();
  m.vma.births[vma]++;
  m.vma.mm[vma] = mm;
  m.vma.start[vma] = facts.start;
  m.vma.end[vma] = facts.end;
  m.vma.flags[vma] = facts.flags;
  m.vma.kind[vma] = facts.kind ?? VMA_KIND.anon;
  m.vma.file[vma] = facts.file ?? 0;
  m.vma.pgoff[vma] = facts.pgoff ?? facts.start;
  m.vma.label[vma] = facts.label ?? 0;
  countFile(m, vma, 1);
  return asBrand<VmaId>(vma);
}

/**
 * A copy in no tree (`vm_area_dup`): same range, kind, flags and anon_vma, but no chains; the caller clones those
 * (`anonVmaClone`) or forks them (`anonVmaFork`).
 */
export function vmaDup(m: Machine, source: VmaId, mm: MmId): VmaId {
  const vma = vmaAlloc(m, mm, {
    start: m.vma.start[source],
    end: m.vma.end[source],
    flags: m.vma.flags[source],
    kind: m.vma.kind[source] as VmaKind,
    file: asBrand<FileId>(m.vma.file[source]),
    pgoff: m.vma.pgoff[source],
    label: m.vma.label[source],
  });
  m.vma.anonVma[vma] = m.vma.anonVma[source];
  return vma;
}

/**
 * Gives a row back (`vm_area_free`). It is in no tree, and its chains are unlinked. A reader that looked the VMA up before
 * it left the tree may take its lock even now, see that it is another one, and give the lock back: so the lock's words
 * outlive the row, as in a slab that is SLAB_TYPESAFE_BY_RCU. So does the count of its births.
 */
export function vmaFree(m: Machine, vma: VmaId): void {
  if (m.vma.avcFirst[vma] !== 0) throw new RangeError(`VMA ${vma} still has chains to anon_vmas; unlink them first`);
  countFile(m, vma, -1);
  const base = m.locks.vmaLock.base(vma);
  const lock = m.vma.lock.slice(base, base + LOCK_WORDS);
  const births = m.vma.births[vma];
  m.vma.pool.free(vma);
  m.vma.lock.set(lock, base);
  m.vma.births[vma] = births;
}

/** True for private anonymous memory (`vma_is_anonymous`). */
export function vmaIsAnonymous(m: Machine, vma: VmaId): boolean {
  return m.vma.kind[vma] === VMA_KIND.anon;
}

/** Pages of a VMA (`vma_pages`). */
export function vmaPages(m: Machine, vma: VmaId): number {
  return m.vma.end[vma] - m.vma.start[vma];
}

function countFile(m: Machine, vma: number, by: 1 | -1): void {
  const file = m.vma.file[vma];
  if (file !== 0) countFileMapping(m, asBrand<FileId>(file), by);
}

/** Entries that userfaultfd has write-protected count as such: the VMA is registered for it (`userfaultfd_wp`). */
export function vmaIsWpArmed(m: Machine, vma: VmaId): boolean {
  return (m.vma.flags[vma] & VM.UFFD_WP) !== 0;
}
