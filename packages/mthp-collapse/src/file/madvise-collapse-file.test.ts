/** MADV_COLLAPSE on shared memory and files, as observed on a running 6.18 (khugepaged spec 12, its companion 3.15 to 3.17). */
import {
  createFile,
  dupMm,
  ERRNO,
  FILE_THP,
  type FileId,
  folioGet,
  folioHead,
  folioOrder,
  folioPut,
  handleMmFault,
  type MmapOptions,
  type MmId,
  mmAlloc,
  mmap,
  munmap,
  type Pfn,
  PMD,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pageCacheLookup,
  placeFilePages,
  prctlSetThpDisable,
  userfaultfdRegister,
  VM,
  VMA_KIND,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { legacy618 } from '../generations/legacy-6-18.js';
import { merged } from '../generations/merged.js';
import { CollapseWorld, type CollapseWorldOptions } from '../testing/collapse-world.js';

const SHARED = VM.READ | VM.WRITE | VM.SHARED;
const COUNTERS = ['thp_collapse_alloc', 'thp_file_mapped', 'nr_shmem_hugepages', 'nr_shmem_pmdmapped'] as const;

class FileWorld extends CollapseWorld {
  /** MADV_COLLAPSE over `ranges` whole ranges from the base. */
  collapse(ranges = 1): number {
    return this.madvCollapse(this.base, this.base + ranges * this.m.ptes);
  }

  touch(page: number, write = true, mm: MmId = this.mm): void {
    expect(this.run(handleMmFault(this.m, mm, (this.base + page) as Vpn, { write }))).toBe(0);
  }

  counts(): number[] {
    return COUNTERS.map((name) => this.vmstat(name));
  }

  rss(mm: MmId = this.mm): number {
    return this.m.mm.rssAnon[mm] + this.m.mm.rssFile[mm] + this.m.mm.rssShmem[mm];
  }

  /** Another process that maps the same object at the base. */
  alsoMapped(file: FileId, options: Partial<MmapOptions> = {}): MmId {
    const mm = mmAlloc(this.m);
    const at = this.run(
      mmap(this.m, mm, { at: this.base, fixed: 'replace', pages: this.m.ptes, kind: VMA_KIND.shmem, file, ...options }),
    );
    expect(at).toBe(this.base);
    return mm;
  }
}

function shmem(options: CollapseWorldOptions & { map?: Partial<MmapOptions>; ranges?: number } = {}): FileWorld {
  const { map, ranges = 1, ...rest } = options;
  const w = new FileWorld({ generation: legacy618, ...rest });
  w.map(ranges, { kind: VMA_KIND.shmem, flags: SHARED, ...map });
  return w;
}

function place(w: FileWorld, from: number, to: number, attributes = PTE_YOUNG | PTE_DIRTY | PTE_WRITE): void {
  placeFilePages(w.m, w.vma(), (w.base + from) as Vpn, to - from, attributes);
}

describe('MADV_COLLAPSE on shared memory', () => {
  it.each([legacy618, merged])('collapses a range of which one page is in the page cache ($name)', (generation) => {
    const w = shmem({ generation });
    place(w, 7, 8);
    const [stamp] = w.contents(w.base + 7, w.base + 8);
    expect(w.collapse()).toBe(0);
    expect(w.pmd()).toBe(PMD.huge);
    expect(w.counts()).toEqual([1, 1, 1, 1]);
    expect(w.rss()).toBe(512);
    expect(w.contents(w.base + 6, w.base + 9)).toEqual([0, stamp, 0]);
    expect(w.stat(9, 'shmem_alloc')).toBe(0);
    expect(w.vmstat('thp_file_alloc')).toBe(0);
    expect(w.check()).toEqual([]);
  });

  it('collapses pages that nobody maps, and only has to map them the second time', () => {
    const w = shmem();
    place(w, 0, 512);
    const file = w.m.vma.file[w.vma()] as FileId;
    const other = w.alsoMapped(file);
    w.run(munmap(w.m, w.mm, w.base, 512));
    w.map(1, { kind: VMA_KIND.shmem, flags: SHARED, file });
    expect(w.collapse()).toBe(0);
    expect(w.counts()).toEqual([1, 1, 1, 1]);
    expect(w.collapse()).toBe(0);
    expect(w.counts()).toEqual([1, 1, 1, 1]);
    expect(w.pmd(w.base, other)).toBe(-1);
    expect(w.check()).toEqual([]);
  });

  it('is EINVAL after an allocation where the page cache is empty, and stops the call', () => {
    const w = shmem({ ranges: 2 });
    place(w, 512, 1024);
    expect(w.collapse(2)).toBe(-ERRNO.EINVAL);
    expect(w.counts()).toEqual([1, 0, 0, 0]);
    expect(w.check()).toEqual([]);
  });

  it('is EINVAL without an attempt where the file is not mapped congruent to huge pages', () => {
    const w = shmem({ map: { pgoff: 1 } });
    place(w, 0, 511);
    expect(w.collapse()).toBe(-ERRNO.EINVAL);
    expect(w.counts()).toEqual([0, 0, 0, 0]);
  });

  it('is EINVAL for memory advised against, and for a process that has switched huge pages off', () => {
    const w = shmem({ map: { flags: SHARED | VM.NOHUGEPAGE } });
    place(w, 0, 512);
    expect(w.collapse()).toBe(-ERRNO.EINVAL);
    const v = shmem();
    place(v, 0, 512);
    v.run(prctlSetThpDisable(v.m, v.mm, true));
    expect(v.collapse()).toBe(-ERRNO.EINVAL);
    expect([...w.counts(), ...v.counts()]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('is EAGAIN for a page that somebody else holds, mapped or not', () => {
    const w = shmem();
    place(w, 0, 512);
    const pfn = w.frame(w.base + 5) as Pfn;
    folioGet(w.m, pfn);
    expect(w.collapse()).toBe(-ERRNO.EAGAIN);
    expect(w.counts()).toEqual([0, 0, 0, 0]);
    expect(w.check({ held: [pfn] })).toEqual([]);
    folioPut(w.m, pfn);
    expect(w.collapse()).toBe(0);
  });

  it('works on read-only mappings, and the PMD is read-only then', () => {
    const w = shmem({ map: { flags: VM.READ | VM.SHARED } });
    place(w, 0, 3, PTE_YOUNG);
    expect(w.collapse()).toBe(0);
    expect(w.pmd()).toBe(PMD.huge);
    expect(w.run(handleMmFault(w.m, w.mm, w.base, { write: true }))).not.toBe(0);
    expect(w.check()).toEqual([]);
  });

  it('works where the file ends inside the range', () => {
    const w = new FileWorld({ generation: legacy618 });
    const file = createFile(w.m, { pages: 100, shmem: true });
    w.map(1, { kind: VMA_KIND.shmem, flags: SHARED, file });
    w.touch(99);
    expect(w.collapse()).toBe(0);
    expect(w.counts()).toEqual([1, 1, 1, 1]);
    expect(w.check()).toEqual([]);
  });

  it('takes the page tables of all other mappers away, who fault in the huge page at once', () => {
    const w = shmem();
    place(w, 0, 512);
    const file = w.m.vma.file[w.vma()] as FileId;
    const other = w.alsoMapped(file);
    for (const page of [0, 1, 300]) w.touch(page, true, other);
    expect(w.rss(other)).toBe(3);
    expect(w.collapse()).toBe(0);
    expect([w.rss(other), w.pmd(w.base, other)]).toEqual([0, PMD.none]);
    expect(w.check()).toEqual([]);
    w.touch(17, false, other);
    expect([w.rss(other), w.pmd(w.base, other)]).toEqual([512, PMD.huge]);
    expect(w.counts()).toEqual([1, 2, 1, 1]);
    w.touch(18, true, other);
    expect(w.contents(w.base, w.base + 512, other)).toEqual(w.contents(w.base, w.base + 512));
    expect(w.check()).toEqual([]);
  });

  it('works where a child has inherited the mapping', () => {
    const w = shmem();
    place(w, 0, 512);
    const child = w.run(dupMm(w.m, w.mm));
    w.touch(3, true, child);
    expect(w.collapse()).toBe(0);
    expect(w.rss(child)).toBe(0);
    w.touch(3, true, child);
    expect(w.rss(child)).toBe(512);
    expect(w.check()).toEqual([]);
  });

  it('collapses the page cache under a private mapping with a copy of its own, unmaps it, and is EINVAL', () => {
    const w = shmem({ map: { flags: VM.READ | VM.WRITE } });
    const file = w.m.vma.file[w.vma()] as FileId;
    for (let page = 0; page < 512; page++) w.touch(page, false);
    w.touch(40, true);
    expect(w.rss()).toBe(512);
    expect(w.collapse()).toBe(-ERRNO.EINVAL);
    expect([w.rss(), w.m.mm.rssAnon[w.mm]]).toEqual([1, 1]);
    expect(w.counts()).toEqual([1, 0, 1, 0]);
    expect(folioOrder(w.m, pageCacheLookup(w.m, file, 0))).toBe(9);
    expect(w.check()).toEqual([]);
    // Its other pages come back one by one, from the huge folio.
    w.touch(41, false);
    expect(w.frame(w.base + 41)).toBe(folioHead(w.m, pageCacheLookup(w.m, file, 0)) + 41);
    expect(w.check()).toEqual([]);
  });

  it('maps a private mapping without copies of its own; a write takes the PMD away and copies one page', () => {
    const w = shmem({ map: { flags: VM.READ | VM.WRITE } });
    for (let page = 0; page < 512; page++) w.touch(page, false);
    expect(w.collapse()).toBe(0);
    expect(w.pmd()).toBe(PMD.huge);
    w.touch(40, true);
    expect([w.pmd(), w.rss(), w.m.mm.rssAnon[w.mm]]).toEqual([PMD.table, 1, 1]);
    expect(w.check()).toEqual([]);
  });

  it('leaves a hole that userfaultfd watches: EBUSY, and nothing is left behind', () => {
    const w = shmem();
    place(w, 0, 500);
    w.run(userfaultfdRegister(w.m, w.mm, w.base, 512, VM.UFFD_MISSING));
    expect(w.collapse()).toBe(-ERRNO.EBUSY);
    expect(w.counts()).toEqual([1, 0, 0, 0]);
    expect(w.rss()).toBe(0);
    expect(w.check()).toEqual([]);
  });

  it('takes its memory along when the last mapping goes', () => {
    const w = shmem();
    const free = w.m.node.freePages[0];
    place(w, 0, 512);
    expect(w.collapse()).toBe(0);
    w.run(munmap(w.m, w.mm, w.base, 512));
    expect(w.m.node.freePages[0]).toBe(free);
    expect(w.counts().slice(2)).toEqual([0, 0]);
    expect(w.check()).toEqual([]);
  });

  it('a partial MADV_DONTNEED or munmap of the huge mapping drops the PMD; the pages stay in the page cache', () => {
    const w = shmem();
    place(w, 0, 512);
    const stamps = w.contents(w.base, w.base + 512);
    expect(w.collapse()).toBe(0);
    w.run(munmap(w.m, w.mm, (w.base + 500) as Vpn, 12));
    expect([w.rss(), w.vmstat('nr_shmem_pmdmapped'), w.vmstat('nr_shmem_hugepages')]).toEqual([0, 0, 1]);
    w.touch(9, false);
    expect(w.contents(w.base + 9, w.base + 10)).toEqual([stamps[9]]);
    expect(w.check()).toEqual([]);
  });
});

describe('MADV_COLLAPSE on regular files', () => {
  function regular(fileThp: number, options: { writers?: number; generation?: typeof merged } = {}): FileWorld {
    const w = new FileWorld({ generation: options.generation ?? merged });
    w.m.machine.fileThp[0] = fileThp;
    const file = createFile(w.m, { pages: 512, pmdFolios: true, writers: options.writers ?? 0 });
    w.map(1, { kind: VMA_KIND.file, flags: VM.READ, file });
    return w;
  }

  it('is EINVAL in a kernel without CONFIG_READ_ONLY_THP_FOR_FS, and for files open for writing in one that has it', () => {
    for (const w of [
      regular(FILE_THP.none, { generation: legacy618 }),
      regular(FILE_THP.readOnly, { generation: legacy618, writers: 1 }),
    ]) {
      place(w, 0, 512, PTE_YOUNG);
      expect(w.collapse()).toBe(-ERRNO.EINVAL);
      expect(w.vmstat('thp_collapse_alloc')).toBe(0);
    }
  });

  it('reads in what is missing of a read-only file, and maps it huge', () => {
    const w = regular(FILE_THP.readOnly, { generation: legacy618 });
    place(w, 0, 1, PTE_YOUNG);
    expect(w.collapse()).toBe(0);
    expect([w.pmd(), w.vmstat('nr_file_hugepages'), w.vmstat('nr_file_pmdmapped')]).toEqual([PMD.huge, 1, 1]);
    expect(w.m.mm.rssFile[w.mm]).toBe(512);
    expect(w.check()).toEqual([]);
  });

  it('writes dirty pages back and tries once more; kernels before that fail', () => {
    for (const [generation, expected] of [
      [merged, 0],
      [legacy618, -ERRNO.EINVAL],
    ] as const) {
      const w = new FileWorld({ generation });
      const file = createFile(w.m, { pages: 512, pmdFolios: true });
      w.map(1, { kind: VMA_KIND.file, flags: SHARED, file });
      w.m.machine.fileThp[0] = generation === merged ? FILE_THP.pmdFolioMappings : FILE_THP.readOnly;
      for (let page = 0; page < 512; page++) w.touch(page);
      const stamps = w.contents(w.base, w.base + 512);
      expect(w.collapse()).toBe(expected);
      expect(w.contents(w.base, w.base + 512)).toEqual(stamps);
      expect(w.check()).toEqual([]);
    }
  });
});
