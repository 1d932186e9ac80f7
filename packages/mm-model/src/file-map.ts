/**
 * The list of VMAs that map a file (i_mmap), and its lock. Who walks the list holds the lock for reading; who moves the
 * bounds of a VMA of it, or takes one out, holds it for writing (`vma_prepare`, `unlink_file_vma`). Page tables of a VMA
 * are freed only after it has left the list: a walker may be at work on them without mmap_lock.
 */
import { acquire, type LockRef, type Procedure, READ, release, WRITE } from '@thplab/sync';
import type { FileId, VmaId } from './brands.js';
import type { Machine } from './machine.js';

/** VMAs that map a file, in the order in which they came. */
export function* vmasOfFile(m: Machine, file: number): Generator<VmaId, void, undefined> {
  let vma = m.file.vmaFirst[file];
  while (vma !== 0) {
    const next = m.vma.fileNext[vma];
    yield vma as VmaId;
    vma = next;
  }
}

/** Takes the lock for reading (`i_mmap_lock_read`). */
export function* fileMapReadLock(m: Machine, file: FileId): Procedure<void> {
  yield acquire(m.locks.fileMap.ref(file), READ);
}

/** Gives it back. */
export function* fileMapReadUnlock(m: Machine, file: FileId): Procedure<void> {
  yield release(m.locks.fileMap.ref(file), READ);
}

/** Takes the lock of a VMA's file for writing, for a change of its bounds. Undefined, and nothing done, without a file. */
export function* fileMapWriteLock(m: Machine, vma: VmaId): Procedure<LockRef | undefined> {
  const file = m.vma.file[vma];
  if (file === 0) return undefined;
  const lock = m.locks.fileMap.ref(file);
  yield acquire(lock, WRITE);
  return lock;
}

/** Gives back what `fileMapWriteLock` took. */
export function* fileMapWriteUnlock(lock: LockRef | undefined): Procedure<void> {
  if (lock !== undefined) yield release(lock, WRITE);
}

/** Takes a VMA out of its file's list, so that nobody finds its page tables there any more (`unlink_file_vma`). */
export function* unlinkFileVma(m: Machine, vma: VmaId): Procedure<void> {
  const lock = yield* fileMapWriteLock(m, vma);
  removeFromFileMap(m, vma);
  yield* fileMapWriteUnlock(lock);
}

/** Appends a VMA to its file's list; it has no page tables of its own yet. */
export function addToFileMap(m: Machine, vma: VmaId): void {
  const file = m.vma.file[vma];
  if (file === 0) return;
  const last = m.file.vmaLast[file];
  if (last === 0) m.file.vmaFirst[file] = vma;
  else m.vma.fileNext[last] = vma;
  m.vma.filePrev[vma] = last;
  m.file.vmaLast[file] = vma;
}

/** Takes a VMA out of its file's list, if it is there. The lock is the caller's. */
export function removeFromFileMap(m: Machine, vma: VmaId): void {
  const file = m.vma.file[vma];
  const prev = m.vma.filePrev[vma];
  const next = m.vma.fileNext[vma];
  if (file === 0 || (prev === 0 && m.file.vmaFirst[file] !== vma)) return;
  if (prev === 0) m.file.vmaFirst[file] = next;
  else m.vma.fileNext[prev] = next;
  if (next === 0) m.file.vmaLast[file] = prev;
  else m.vma.filePrev[next] = prev;
  m.vma.filePrev[vma] = 0;
  m.vma.fileNext[vma] = 0;
}
