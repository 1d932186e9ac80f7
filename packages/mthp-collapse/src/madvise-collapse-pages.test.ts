import {
  type Advice,
  dupMm,
  ERRNO,
  errnoName,
  FOLIO,
  folioHas,
  injectAllocationFailure,
  MADV,
  madvise,
  mlock,
  mprotect,
  type Pfn,
  PMD,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pinPages,
  placeFolio,
  placeMarkers,
  placeZeroPages,
  unpinPages,
  userfaultfdRegister,
  userfaultfdUnregister,
  userfaultfdWriteProtect,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { legacy618 } from './generations/legacy-6-18.js';
import { BASE, CollapseWorld } from './testing/collapse-world.js';

const USED = PTE_YOUNG | PTE_DIRTY | PTE_WRITE;

/** A world like the machine that the facts were observed on: 6.18, huge pages by advice only. */
function world(ranges = 1, generation = legacy618): CollapseWorld {
  const w = new CollapseWorld({ generation, swapPages: 0 });
  w.set('enabled', 1);
  w.map(ranges, { flags: VM.READ | VM.WRITE });
  return w;
}

/** The system call; pages are counted from BASE. Gives the name of the errno, '0' for success. */
function collapse(w: CollapseWorld, from = 0, to = 512): string {
  return errnoName(w.run(madvise(w.m, w.mm, (BASE + from) as Vpn, to - from, MADV.COLLAPSE)));
}

function advise(w: CollapseWorld, from: number, to: number, advice: Advice): void {
  expect(w.run(madvise(w.m, w.mm, (BASE + from) as Vpn, to - from, advice))).toBe(0);
}

/** Which ranges of the mapping are huge. */
function huge(w: CollapseWorld, ranges: number): boolean[] {
  return Array.from({ length: ranges }, (_, i) => w.pmd(BASE + i * 512) === PMD.huge);
}

const allocations = (w: CollapseWorld): number => w.vmstat('thp_collapse_alloc');

describe('there are no limits, 6.18', () => {
  it.each<[string, (w: CollapseWorld) => void]>([
    ['1 page of 512', (w) => w.place(0, 1)],
    [
      '512 zero pages',
      (w) => {
        w.place(0, 1);
        advise(w, 0, 1, MADV.DONTNEED);
        placeZeroPages(w.m, w.vma(), BASE, 512, PTE_YOUNG);
      },
    ],
    [
      '512 pages shared by three processes',
      (w) => {
        w.place(0, 512);
        w.run(dupMm(w.m, w.mm));
        w.run(dupMm(w.m, w.mm));
      },
    ],
    [
      'an empty table, left by two MADV_DONTNEEDs',
      (w) => {
        w.place(0, 512);
        advise(w, 0, 511, MADV.DONTNEED);
        advise(w, 511, 512, MADV.DONTNEED);
      },
    ],
    [
      'pages that nobody has used',
      (w) => {
        w.place(0, 512);
        advise(w, 0, 512, MADV.COLD);
      },
    ],
  ])('%s: collapsed, RSS 512, contents kept', (_name, prepare) => {
    const w = world();
    w.set('khugepaged.max_ptes_none', 0);
    w.set('khugepaged.max_ptes_shared', 0);
    prepare(w);
    const before = w.contents(BASE, BASE + 512);
    expect(collapse(w)).toBe('0');
    expect(huge(w, 1)).toEqual([true]);
    expect(w.contents(BASE, BASE + 512)).toEqual(before);
    expect(w.m.mm.rssAnon[w.mm]).toBe(512);
    expect(w.check()).toEqual([]);
  });

  it('one MADV_DONTNEED over the whole range takes the table: EINVAL', () => {
    const w = world();
    w.place(0, 512);
    advise(w, 0, 512, MADV.DONTNEED);
    expect(collapse(w)).toBe('EINVAL');
  });
});

describe('states that do not matter, 6.18', () => {
  it.each<[string, (w: CollapseWorld) => void]>([
    ['read-only', (w) => void w.run(mprotect(w.m, w.mm, BASE, 512, VM.READ))],
    ['PROT_NONE', (w) => void w.run(mprotect(w.m, w.mm, BASE, 512, 0))],
    ['executable', (w) => void w.run(mprotect(w.m, w.mm, BASE, 512, VM.READ | VM.EXEC))],
    ['mlocked', (w) => void w.run(mlock(w.m, w.mm, BASE, 512))],
    ['MADV_FREE', (w) => advise(w, 0, 512, MADV.FREE)],
    ['MADV_COLD', (w) => advise(w, 0, 512, MADV.COLD)],
    ['MADV_DONTFORK', (w) => advise(w, 0, 512, MADV.DONTFORK)],
    ['MADV_WIPEONFORK', (w) => advise(w, 0, 512, MADV.WIPEONFORK)],
    ['MADV_MERGEABLE', (w) => advise(w, 0, 512, MADV.MERGEABLE)],
    ['MADV_PAGEOUT without swap', (w) => advise(w, 0, 512, MADV.PAGEOUT)],
  ])('%s', (_name, prepare) => {
    const w = world();
    w.place(0, 512);
    const before = w.contents(BASE, BASE + 512);
    prepare(w);
    expect(collapse(w)).toBe('0');
    expect(huge(w, 1)).toEqual([true]);
    expect(w.contents(BASE, BASE + 512)).toEqual(before);
    expect(w.check()).toEqual([]);
  });

  it('MADV_FREE is forgotten: the huge page is ordinary memory', () => {
    const w = world();
    w.place(0, 512);
    advise(w, 0, 512, MADV.FREE);
    collapse(w);
    expect(folioHas(w.m, w.frame(BASE) as Pfn, FOLIO.SWAPBACKED)).toBe(true);
  });
});

describe('references, 6.18', () => {
  it('a pinned page: EAGAIN without an allocation; once unpinned it works', () => {
    const w = world();
    w.place(0, 512);
    const pins = w.run(pinPages(w.m, w.mm, (BASE + 300) as Vpn, 1, { write: true }));
    expect(collapse(w)).toBe('EAGAIN');
    expect(allocations(w)).toBe(0);
    unpinPages(w.m, pins.frames);
    expect(collapse(w)).toBe('0');
  });

  it('a pin anywhere in a large folio that is mapped by entries', () => {
    const w = world();
    placeFolio(w.m, w.vma(), BASE, 4, USED);
    w.place(16, 512);
    w.run(pinPages(w.m, w.mm, (BASE + 15) as Vpn, 1, { write: true }));
    expect(collapse(w)).toBe('EAGAIN');
  });

  it('a pinned zero page does not matter', () => {
    const w = world();
    w.place(0, 511);
    placeZeroPages(w.m, w.vma(), (BASE + 511) as Vpn, 1, PTE_YOUNG);
    w.run(pinPages(w.m, w.mm, (BASE + 511) as Vpn, 1, { write: false }));
    expect(collapse(w)).toBe('0');
  });

  it('a pinned huge page is huge: 0', () => {
    const w = world();
    placeFolio(w.m, w.vma(), BASE, 9, USED, { pmdMapped: true });
    w.run(pinPages(w.m, w.mm, BASE, 1, { write: true }));
    expect(collapse(w)).toBe('0');
  });

  it('shared pages: the caller gets a huge page of its own, the others keep theirs', () => {
    const w = world();
    w.place(0, 512);
    const child = w.run(dupMm(w.m, w.mm));
    const frames = w.contents(BASE, BASE + 512, child);
    const page = w.frame(BASE + 5, child);
    expect(w.m.frame.mapcount[page]).toBe(2);
    expect(collapse(w)).toBe('0');
    expect(w.m.frame.mapcount[page]).toBe(1);
    expect(w.frame(BASE + 5, child)).toBe(page);
    expect(w.contents(BASE, BASE + 512, child)).toEqual(frames);
    expect(w.pmd(BASE, child)).toBe(PMD.table);
    expect(w.check()).toEqual([]);
  });
});

describe('userfaultfd, 6.18', () => {
  it.each([VM.UFFD_MISSING, VM.UFFD_WP])('mode %i: one hole is EBUSY and counts as too many empty entries', (mode) => {
    const w = world();
    w.place(0, 511);
    w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, mode));
    expect(collapse(w)).toBe('EBUSY');
    expect(w.vmstat('thp_scan_exceed_none_pte')).toBe(1);
    expect(allocations(w)).toBe(0);
  });

  it('a full range collapses', () => {
    const w = world();
    w.place(0, 512);
    w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, VM.UFFD_MISSING));
    expect(collapse(w)).toBe('0');
  });

  it('one write-protected entry is EINVAL, and fine again after unregistering', () => {
    const w = world();
    w.place(0, 512);
    w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, VM.UFFD_WP));
    w.run(userfaultfdWriteProtect(w.m, w.mm, (BASE + 3) as Vpn, 1, true));
    expect(collapse(w)).toBe('EINVAL');
    w.run(userfaultfdUnregister(w.m, w.mm, BASE, 512));
    expect(collapse(w)).toBe('0');
  });

  it('a poison marker is EINVAL after an allocation', () => {
    const w = world();
    w.place(0, 511);
    placeMarkers(w.m, w.vma(), (BASE + 511) as Vpn, 1, 6);
    expect(collapse(w)).toBe('EINVAL');
    expect(allocations(w)).toBe(1);
  });
});

describe('huge pages that are mapped by entries, 6.18', () => {
  it('are copied into a new one, and freed: the number of huge folios stays', () => {
    const w = world();
    placeFolio(w.m, w.vma(), BASE, 9, USED);
    expect(w.stat(9, 'nr_anon')).toBe(1);
    expect(collapse(w)).toBe('0');
    expect(w.stat(9, 'nr_anon')).toBe(1);
    expect(w.vmstat('thp_deferred_split_page')).toBe(0);
    expect(w.check()).toEqual([]);
  });

  it('with a hole: not partially mapped any more afterwards', () => {
    const w = world();
    placeFolio(w.m, w.vma(), BASE, 9, USED, { pmdMapped: true });
    advise(w, 100, 101, MADV.DONTNEED);
    expect(w.stat(9, 'nr_anon_partially_mapped')).toBe(1);
    expect(collapse(w)).toBe('0');
    expect(w.stat(9, 'nr_anon_partially_mapped')).toBe(0);
    expect(w.check()).toEqual([]);
  });
});

describe('counters and failures of memory, 6.18', () => {
  it('a success: one allocation, one huge mapping, one huge folio', () => {
    const w = world();
    w.place(0, 512);
    expect(collapse(w)).toBe('0');
    expect(allocations(w)).toBe(1);
    expect(w.vmstat('nr_anon_transparent_hugepages')).toBe(1);
    expect(w.stat(9, 'nr_anon')).toBe(1);
    expect(w.m.mm.flags[w.mm] & 1).toBe(0);
  });

  it('no huge page: ENOMEM, and the next ranges are not tried', () => {
    const w = world(2);
    w.place(0, 1024);
    injectAllocationFailure(w.m, { order: 9, nth: 1 });
    expect(collapse(w, 0, 1024)).toBe('ENOMEM');
    expect(w.vmstat('thp_collapse_alloc_failed')).toBe(1);
  });

  it('a full memory cgroup: EBUSY', () => {
    const w = new CollapseWorld({ generation: legacy618, injections: { chargeFails: () => true } });
    w.map();
    w.place(0, 512);
    expect(collapse(w)).toBe('EBUSY');
  });

  it('pages in the batches of processors are drained first', () => {
    const w = world();
    w.place(0, 512);
    expect(w.run(madvise(w.m, w.mm, (BASE + 7) as Vpn, 1, MADV.DONTNEED))).toBe(0);
    expect(w.run(madvise(w.m, w.mm, (BASE + 7) as Vpn, 1, MADV.POPULATE_WRITE))).toBe(0);
    expect(folioHas(w.m, w.frame(BASE + 7) as Pfn, FOLIO.LRU)).toBe(false);
    expect(collapse(w)).toBe('0');
  });

  it('shared memory is not modelled: EINVAL', () => {
    const w = new CollapseWorld({ generation: legacy618 });
    w.map(1, { kind: 1 });
    expect(w.run(madvise(w.m, w.mm, BASE, 512, MADV.COLLAPSE))).toBe(-ERRNO.EINVAL);
  });
});
