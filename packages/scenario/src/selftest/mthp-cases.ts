/** The selftest's cases of mTHP (khugepaged spec 20.1); each runs for every order that it makes sense for. */
import type { Script } from './script.js';

/** A case of mTHP: its script, for every order that it makes sense for. */
export interface DeclaredMthp {
  readonly test: string;
  readonly about: string;
  /** Orders that the case makes sense for. */
  readonly orders: readonly [number, number];
  readonly play: (s: Script, pages: number) => void;
}

export const MTHP: readonly DeclaredMthp[] = [
  {
    test: 'collapse_full',
    about: 'One PMD range, fully populated.',
    orders: [2, 9],
    play: (s, pages) => {
      s.area(1, 'full')
        .madvise('hugepage')
        .wait()
        .folios(512 / pages);
    },
  },
  {
    test: 'collapse_empty',
    about: 'A range that nobody ever touched.',
    orders: [2, 9],
    play: (s) => {
      s.area(1).madvise('hugepage').wait().folios(0);
    },
  },
  {
    test: 'collapse_single_mthp',
    about: 'Exactly one window is populated.',
    orders: [2, 9],
    play: (s, pages) => {
      s.area(1, { pages: `0-${pages - 1}` })
        .madvise('hugepage')
        .wait()
        .folios(1);
    },
  },
  {
    test: 'collapse_order_single_window',
    about: 'Only window 1 is populated: it becomes one folio, and nothing else is touched.',
    orders: [2, 8],
    play: (s, pages) => {
      s.area(1, { pages: `${pages}-${2 * pages - 1}` })
        .madvise('hugepage')
        .wait()
        .folios(1);
      s.check({ memory: { process: 'test', rss: `${pages * 4}K` } });
    },
  },
  {
    test: 'collapse_order_partial_window',
    about: 'One page, and max_ptes_none 511: window 0 becomes one folio.',
    orders: [2, 9],
    play: (s, pages) => {
      s.area(1, { pages: '0' }).madvise('hugepage').wait().folios(1);
      s.check({ memory: { process: 'test', rss: `${pages * 4}K` } });
    },
  },
  {
    test: 'collapse_order_max_ptes_none',
    about: 'max_ptes_none 0 and two windows of which the second lacks its last page: only the first collapses.',
    orders: [2, 8],
    play: (s, pages) => {
      s.set('khugepaged/max_ptes_none', 0).area(1, { pages: `0-${2 * pages - 2}` });
      s.madvise('hugepage').wait().folios(1);
    },
  },
  {
    test: 'collapse_order_mixed_sources',
    about: 'An area of folios of the next smaller order: all windows get the larger one.',
    orders: [3, 9],
    play: (s, pages) => {
      s.area(1, { pages: 'full', order: s.order - 1 })
        .madvise('hugepage')
        .wait()
        .folios(512 / pages);
    },
  },
  {
    test: 'collapse_order_mlocked',
    about: 'One window, populated and locked in memory.',
    orders: [2, 9],
    play: (s, pages) => {
      s.area(1, { pages: `0-${pages - 1}` }, { flags: 'mlocked' })
        .madvise('hugepage')
        .wait()
        .folios(1);
      s.check({ counters: { nr_mlock: pages } });
    },
  },
  {
    test: 'collapse_order_sub_pmd_vma',
    about: 'A VMA of one window, smaller than a PMD range: merged passes over it, later rework would not.',
    orders: [2, 8],
    play: (s, pages) => subPmd(s, pages, 'full'),
  },
  {
    test: 'collapse_order_sub_pmd_range',
    about: 'A VMA of several windows, smaller than a PMD range: merged passes over it, later rework would not.',
    orders: [2, 7],
    play: (s, pages) => subPmd(s, Math.min(16 * pages, 256), 'full'),
  },
  {
    test: 'collapse_order_sub_pmd_holes',
    about: 'As before, with every second page missing: merged passes over it, later rework would not.',
    orders: [2, 7],
    play: (s, pages) => subPmd(s, Math.min(16 * pages, 256), { stride: 2 }),
  },
];

function subPmd(s: Script, pages: number, populate: 'full' | { stride: number }): void {
  s.vma({ name: 'area', size: `${pages * 4}K`, populate })
    .madvise('hugepage')
    .wait();
  s.folios(0);
}
