/** The VMAs of a snapshot in an address space of the model. */
import { asBrand } from '@thplab/arena';
import type { Snapshot, SnapshotVma } from '@thplab/capture';
import {
  createFile,
  type FileId,
  insertVma,
  type Machine,
  type MmId,
  VM,
  VMA_KIND,
  type VmaId,
  type VmaKind,
  vmaAlloc,
} from '@thplab/mm-model';

const FLAGS: Readonly<Record<string, number>> = {
  VM_READ: VM.READ,
  VM_WRITE: VM.WRITE,
  VM_EXEC: VM.EXEC,
  VM_SHARED: VM.SHARED,
  VM_HUGEPAGE: VM.HUGEPAGE,
  VM_NOHUGEPAGE: VM.NOHUGEPAGE,
  VM_IO: VM.IO,
  VM_DONTEXPAND: VM.DONTEXPAND,
  VM_PFNMAP: VM.PFNMAP,
  VM_MIXEDMAP: VM.MIXEDMAP,
  VM_HUGETLB: VM.HUGETLB,
  VM_LOCKED: VM.LOCKED,
  VM_DROPPABLE: VM.DROPPABLE,
  VM_UFFD_MISSING: VM.UFFD_MISSING,
  VM_UFFD_WP: VM.UFFD_WP,
  VM_UFFD_MINOR: VM.UFFD_MINOR,
  VM_GROWSDOWN: VM.GROWSDOWN,
  VM_DONTCOPY: VM.DONTCOPY,
  VM_WIPEONFORK: VM.WIPEONFORK,
  VM_MERGEABLE: VM.MERGEABLE,
  VM_NORESERVE: VM.NORESERVE,
  VM_MAYBE_GUARD: VM.MAYBE_GUARD,
};

const KINDS: Readonly<Record<SnapshotVma['kind'], VmaKind>> = {
  anon: VMA_KIND.anon,
  shmem: VMA_KIND.shmem,
  file: VMA_KIND.file,
  hugetlb: VMA_KIND.special,
  special: VMA_KIND.special,
};

/** A VMA of the snapshot and its row in the model. */
export interface LoadedVma {
  readonly source: SnapshotVma;
  readonly vma: VmaId;
}

/** Makes the VMAs; those beyond the modelled address space (the kernel's own pages) are left out. */
export function loadVmas(m: Machine, mm: MmId, snapshot: Snapshot, adviseAll: boolean): LoadedVma[] {
  const files = new Map<number, FileId>();
  return snapshot.vmas
    .filter((source) => source.endVpn <= m.addressPages)
    .map((source) => {
      const kind = KINDS[source.kind];
      const backed = kind === VMA_KIND.file || kind === VMA_KIND.shmem;
      const file = backed ? fileOf(m, files, source) : 0;
      const vma = vmaAlloc(m, mm, {
        start: source.startVpn,
        end: source.endVpn,
        flags: flagsOf(source, adviseAll),
        kind,
        file,
        pgoff: file === 0 ? source.startVpn : source.pageOffset,
      });
      insertVma(m, vma);
      return { source, vma };
    });
}

function flagsOf(source: SnapshotVma, adviseAll: boolean): number {
  const flags = source.flags.reduce((bits, name) => bits | (FLAGS[name] ?? 0), 0);
  if (!adviseAll || source.kind !== 'anon') return flags;
  return (flags & ~VM.NOHUGEPAGE) | VM.HUGEPAGE;
}

/** VMAs of one file share its row; a mapping without a file of its own gets one. */
function fileOf(m: Machine, files: Map<number, FileId>, source: SnapshotVma): FileId {
  const known = source.fileIndex === 0 ? undefined : files.get(source.fileIndex);
  const pages = source.pageOffset + source.endVpn - source.startVpn;
  if (known !== undefined) {
    m.file.pages[known] = Math.max(m.file.pages[known], pages);
    return known;
  }
  const file = createFile(m, { pages, shmem: source.kind === 'shmem' });
  if (source.fileIndex !== 0) files.set(source.fileIndex, file);
  return asBrand(file);
}
