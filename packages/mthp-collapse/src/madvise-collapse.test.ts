import {
  type Advice,
  errnoName,
  MADV,
  madvise,
  mprotect,
  munmap,
  PMD,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pinPages,
  placeFolio,
  placeZeroPages,
  prctlSetThpDisable,
  userfaultfdRegister,
  userfaultfdWriteProtect,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
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

describe('the range of the call, 6.18', () => {
  it.each([
    [0, 512, '0'],
    [0, 511, '0'],
    [1, 512, '0'],
    [100, 200, 'EINVAL'],
    [5, 5, '0'],
  ])('[%i, %i) gives %s', (from, to, wanted) => {
    const w = world();
    w.place(0, 512);
    expect(collapse(w, from, to)).toBe(wanted);
    expect(huge(w, 1)).toEqual([to - from === 512]);
  });

  it('merged gives 0 for a range that rounding turns inside out', () => {
    const w = world(1, merged);
    w.place(0, 512);
    expect(collapse(w, 100, 200)).toBe('0');
  });

  it('only whole PMD ranges inside it are collapsed', () => {
    const w = world(3);
    w.place(0, 1536);
    expect(collapse(w, 10, 1100)).toBe('0');
    expect(huge(w, 3)).toEqual([false, true, false]);
  });
});

describe('eligibility, tested before anything else, 6.18', () => {
  it.each<[string, (w: CollapseWorld) => void]>([
    ['memory that was never written', () => {}],
    ['memory that holds zero pages only', (w) => placeZeroPages(w.m, w.vma(), BASE, 512, PTE_YOUNG)],
    [
      'MADV_NOHUGEPAGE',
      (w) => {
        w.place(0, 512);
        advise(w, 0, 512, MADV.NOHUGEPAGE);
      },
    ],
    [
      'MADV_NOHUGEPAGE on what is huge already',
      (w) => {
        placeFolio(w.m, w.vma(), BASE, 9, USED, { pmdMapped: true });
        advise(w, 0, 512, MADV.NOHUGEPAGE);
      },
    ],
    [
      'PR_SET_THP_DISABLE',
      (w) => {
        w.place(0, 512);
        w.run(prctlSetThpDisable(w.m, w.mm, true));
      },
    ],
  ])('%s: EINVAL, without an allocation', (_name, spoil) => {
    const w = world();
    spoil(w);
    expect(collapse(w)).toBe('EINVAL');
    expect(allocations(w)).toBe(0);
  });

  it('a VMA without a whole range: EINVAL even for an empty call range', () => {
    const w = new CollapseWorld({ generation: legacy618 });
    w.map(1, { pages: 511, flags: VM.READ | VM.WRITE });
    w.place(0, 511);
    expect(collapse(w, 0, 10)).toBe('EINVAL');
  });

  it.each([0, 1, 2])('the files named enabled do not matter (%i)', (choice) => {
    const w = world();
    w.set('enabled', choice);
    w.enableOrders();
    w.place(0, 512);
    expect(collapse(w)).toBe('0');
  });

  it('PR_SET_THP_DISABLE with EXCEPT_ADVISED does not matter, advised or not', () => {
    const w = world();
    w.place(0, 512);
    w.run(prctlSetThpDisable(w.m, w.mm, true, 2));
    expect(collapse(w)).toBe('0');
  });
});

describe('several VMAs and ranges, 6.18', () => {
  it('the first VMA that refuses ends the walk', () => {
    const w = world(3);
    w.place(0, 1536);
    advise(w, 512, 1024, MADV.NOHUGEPAGE);
    expect(collapse(w, 0, 1536)).toBe('EINVAL');
    expect(huge(w, 3)).toEqual([true, false, false]);
  });

  it('two VMAs that meet inside a range: EINVAL', () => {
    const w = world(2);
    w.place(0, 1024);
    w.run(mprotect(w.m, w.mm, (BASE + 256) as Vpn, 768, VM.READ));
    expect(collapse(w, 0, 512)).toBe('EINVAL');
  });

  it('a hole does not end it: both sides collapse, and the result is ENOMEM', () => {
    const w = world(3);
    w.place(0, 1536);
    w.run(munmap(w.m, w.mm, (BASE + 512) as Vpn, 512));
    expect(collapse(w, 0, 1536)).toBe('ENOMEM');
    expect([w.pmd(BASE), w.pmd(BASE + 1024)]).toEqual([PMD.huge, PMD.huge]);
  });

  it('nothing mapped at all: ENOMEM', () => {
    const w = world();
    w.run(munmap(w.m, w.mm, BASE, 512));
    expect(collapse(w)).toBe('ENOMEM');
  });

  it('huge ranges count as success', () => {
    const w = world(2);
    placeFolio(w.m, w.vma(), BASE, 9, USED, { pmdMapped: true });
    w.place(512, 1024);
    expect(collapse(w, 0, 1024)).toBe('0');
    expect(collapse(w, 0, 1024)).toBe('0');
    expect(allocations(w)).toBe(1);
  });

  it.each<[string, string, boolean, (w: CollapseWorld) => void]>([
    ['a pinned page', 'EAGAIN', true, (w) => void w.run(pinPages(w.m, w.mm, (BASE + 600) as Vpn, 1, { write: true }))],
    [
      'an entry with the uffd-wp bit',
      'EINVAL',
      true,
      (w) => {
        w.run(userfaultfdRegister(w.m, w.mm, BASE, 1536, VM.UFFD_WP));
        w.run(userfaultfdWriteProtect(w.m, w.mm, (BASE + 600) as Vpn, 1, true));
      },
    ],
    ['an empty PMD entry', 'EINVAL', false, (w) => advise(w, 512, 1024, MADV.DONTNEED)],
    [
      'a hole in memory registered with userfaultfd',
      'EBUSY',
      false,
      (w) => {
        advise(w, 600, 601, MADV.DONTNEED);
        w.run(userfaultfdRegister(w.m, w.mm, BASE, 1536, VM.UFFD_MISSING));
      },
    ],
    [
      'a guard entry',
      'EINVAL',
      false,
      (w) => {
        advise(w, 600, 601, MADV.GUARD_INSTALL);
      },
    ],
  ])('%s in the second of three ranges: %s, and the third is reached: %s', (_name, errno, reached, spoil) => {
    const w = world(3);
    w.place(0, 1536);
    spoil(w);
    expect(collapse(w, 0, 1536)).toBe(errno);
    expect(huge(w, 3)).toEqual([true, false, reached]);
  });

  it('the errno is that of the last range that failed', () => {
    const w = world(2);
    w.place(0, 1024);
    w.run(pinPages(w.m, w.mm, BASE, 1, { write: true }));
    advise(w, 512, 1024, MADV.DONTNEED);
    expect(collapse(w, 0, 1024)).toBe('EINVAL');
  });

  it('a range under a missing upper directory does not end the call', () => {
    // Two ranges before a border of 512 PMDs, two behind it.
    const w = new CollapseWorld({ generation: legacy618 });
    const border = 512 * 512 * 8;
    const at = (border - 1024) as Vpn;
    w.map(4, { at, flags: VM.READ | VM.WRITE });
    const vma = w.vma(at);
    placeFolio(w.m, vma, (border + 512) as Vpn, 4, USED);
    expect(errnoName(w.run(madvise(w.m, w.mm, at, 2048, MADV.COLLAPSE)))).toBe('EINVAL');
    expect(w.pmd(border + 512)).toBe(PMD.table);
    const other = new CollapseWorld({ generation: legacy618 });
    other.map(2, { at: (border - 512) as Vpn, flags: VM.READ | VM.WRITE });
    placeFolio(other.m, other.vma(border - 512), border as Vpn, 4, USED);
    expect(errnoName(other.run(madvise(other.m, other.mm, (border - 512) as Vpn, 1024, MADV.COLLAPSE)))).toBe('EINVAL');
    expect(other.pmd(border)).toBe(PMD.huge);
  });

  it('merged goes on behind an empty PMD entry', () => {
    const w = world(3, merged);
    w.place(0, 1536);
    advise(w, 512, 1024, MADV.DONTNEED);
    expect(collapse(w, 0, 1536)).toBe('EINVAL');
    expect(huge(w, 3)).toEqual([true, false, true]);
  });
});
