/**
 * The kernel's selftest `khugepaged.c` as a table of cases (khugepaged spec 20.1), each a short script. The first group
 * stands upstream, all but `collapse_fork_cow_race`; the cases of mTHP are newer. Cases with `order` run for every order that they make sense for.
 */
import { MTHP } from './mthp-cases.js';
import { Script, type SelftestContext, type SelftestMemory, sizeText } from './script.js';

/** One case in one context on one kind of memory. */
export interface SelftestCase {
  /** Name of its file: case, context, memory. */
  readonly name: string;
  /** The selftest's function. */
  readonly test: string;
  readonly about: string;
  readonly script: Script;
  /** The order is one of several; only the file of one of them is kept. */
  readonly kept: boolean;
}

type Contexts = readonly ('khugepaged' | 'madvise')[];
const BOTH: Contexts = ['khugepaged', 'madvise'];
const ALL_FILES: readonly SelftestMemory[] = ['file r-x', 'file rw, clean', 'file rw, dirty'];

interface Declared {
  readonly test: string;
  readonly about: string;
  readonly contexts: Contexts;
  readonly memory: readonly SelftestMemory[];
  readonly play: (s: Script) => void;
}

const UPSTREAM: readonly Declared[] = [
  {
    test: 'alloc_at_fault',
    about: 'One touched byte gives a huge page; MADV_DONTNEED of one page splits its mapping.',
    contexts: ['khugepaged'],
    memory: ['anon'],
    play: (s) => {
      // khugepaged would mend the mapping at once.
      s.set('enabled', 'always')
        .set('khugepaged/scan_sleep_millisecs', 60_000)
        .area(1)
        .fault({ pages: '0' })
        .huge(true);
      s.madvise('dontneed', { pages: '0' }).huge(false);
    },
  },
  {
    test: 'collapse_full',
    about: 'Four PMD ranges, fully populated. khugepaged leaves a file alone that is dirty and open for writing.',
    contexts: BOTH,
    memory: ['anon', ...ALL_FILES, 'shmem'],
    play: (s) => {
      const refused = s.memory === 'file rw, dirty' && s.context === 'khugepaged';
      s.area(4, s.full).collapse(!refused);
    },
  },
  {
    test: 'collapse_empty',
    about: 'A range that nobody ever touched.',
    contexts: BOTH,
    memory: ['anon'],
    play: (s) => {
      s.area(1).collapse(false);
    },
  },
  {
    test: 'collapse_single_pte_entry',
    about: 'One page of 512 is there, and max_ptes_none allows 511 to be missing.',
    contexts: BOTH,
    memory: ['anon', 'file r-x', 'shmem'],
    play: (s) => {
      s.area(1, s.pages('0')).collapse(true);
    },
  },
  {
    test: 'collapse_max_ptes_none',
    about: 'max_ptes_none 256: 255 pages are too few for khugepaged, 256 are enough. MADV_COLLAPSE has no limit.',
    contexts: BOTH,
    memory: ['anon', 'file r-x'],
    play: (s) => {
      s.set('khugepaged/max_ptes_none', 256).area(1, s.pages('0-254'));
      if (!s.enforcesLimits) s.collapse(true);
      else s.madvise('hugepage').wait().huge(false).fault({ pages: '0-255' }).collapse(true);
    },
  },
  {
    test: 'collapse_single_pte_entry_compound',
    about: 'A huge page of which one PTE is left.',
    contexts: BOTH,
    memory: ['anon', 'file r-x'],
    play: (s) => {
      s.hugePage().madvise('nohugepage').madvise('dontneed', { pages: '1-511' }).huge(false, 'test', false);
      s.collapse(true);
    },
  },
  {
    test: 'collapse_full_of_compound',
    about: 'A huge page that is mapped by PTEs, all of them.',
    contexts: BOTH,
    memory: ['anon', 'file r-x', 'shmem'],
    play: (s) => {
      s.hugePage().madvise('nohugepage', { pages: '0' }).madvise('nohugepage').huge(false, 'test', false);
      s.collapse(true);
    },
  },
  {
    test: 'collapse_compound_extreme',
    about: 'Every PTE maps a page of another PTE-mapped huge page. Tables of 16 entries keep the set-up short.',
    contexts: BOTH,
    memory: ['anon'],
    play: compoundExtreme,
  },
  {
    test: 'collapse_swapin_single_pte',
    about: 'Full, with one page swapped out.',
    contexts: BOTH,
    memory: ['anon'],
    play: (s) => {
      s.machine({ swap: '16M' }).area(1, 'full').madvise('pageout', { pages: '9' });
      s.check({ memory: { process: 'test', swap: '4K' } }).collapse(true);
    },
  },
  {
    test: 'collapse_max_ptes_swap',
    about: '65 pages swapped out are too many for khugepaged, 64 are not. MADV_COLLAPSE has no limit.',
    contexts: BOTH,
    memory: ['anon'],
    play: (s) => {
      s.machine({ swap: '16M' }).area(1, 'full').madvise('pageout', { pages: '0-64' });
      s.check({ memory: { process: 'test', swap: '260K' } });
      if (!s.enforcesLimits) {
        s.collapse(true);
        return;
      }
      s.madvise('hugepage').wait().huge(false).fault().madvise('pageout', { pages: '0-63' });
      s.check({ memory: { process: 'test', swap: '256K' } }).collapse(true);
    },
  },
  {
    test: 'collapse_fork',
    about: 'A child that shares one page with its parent, and touches a second one. The parent keeps its page.',
    contexts: BOTH,
    memory: ['anon'],
    play: (s) => {
      s.area(1, { pages: '0' }).step({ fork: { process: 'test', as: 'child' } });
      s.fault({ process: 'child', pages: '1' }).collapse(true, 'child').huge(false);
    },
  },
  {
    test: 'collapse_fork_compound',
    about:
      'A huge page shared over fork; the child splits its mapping and writes one page. The parent keeps its huge page.',
    contexts: BOTH,
    memory: ['anon'],
    play: (s) => {
      s.set('khugepaged/max_ptes_shared', 511)
        .hugePage()
        .step({ fork: { process: 'test', as: 'child' } });
      s.madvise('nohugepage', { process: 'child', pages: '0' }).madvise('nohugepage', { process: 'child' });
      s.huge(false, 'child', false).fault({ process: 'child', pages: '0' });
      s.collapse(true, 'child').huge(true);
    },
  },
  {
    test: 'collapse_max_ptes_shared',
    about: '257 pages shared with the parent are too many for khugepaged, 256 are not. MADV_COLLAPSE has no limit.',
    contexts: BOTH,
    memory: ['anon'],
    play: (s) => {
      s.hugePage().step({ fork: { process: 'test', as: 'child' } });
      s.fault({ process: 'child', pages: '0-254' }).huge(false, 'child', false);
      if (s.enforcesLimits) {
        s.madvise('hugepage', { process: 'child' }).wait().huge(false, 'child');
        s.fault({ process: 'child', pages: '255' });
      }
      s.collapse(true, 'child');
    },
  },
  {
    test: 'collapse_fork_cow_race',
    about:
      'The parent rewrites pages that it shares with a child, while the child collapses them: each keeps what is its own.',
    contexts: BOTH,
    memory: ['anon'],
    play: (s) => {
      s.area(1, { pages: '0-63' }).step({ fork: { process: 'test', as: 'child' } });
      // The child reads, so that khugepaged sees use; the parent goes on writing.
      s.step({ fault: { process: 'child', vma: 'area', pages: '0-63', write: false } });
      const writes = { process: 'test', vma: 'area', pages: '0-63', write: true, every: '3ms', for: '50ms' };
      s.step({ access: writes }).collapse(true, 'child').huge(false);
      // 64 pages of its own, and not one of the child's.
      s.check({ memory: { process: 'test', vma: 'area', rss: '256K' } });
    },
  },
  {
    test: 'madvise_collapse_existing_thps',
    about: 'MADV_COLLAPSE of what is huge already succeeds.',
    contexts: ['madvise'],
    memory: ['anon', 'file r-x', 'shmem'],
    play: (s) => {
      s.area(1, s.full).collapse(true).collapse(true);
    },
  },
  {
    test: 'madvise_retracted_page_tables',
    about: 'khugepaged has collapsed the page cache and left the PMD empty; MADV_COLLAPSE maps it.',
    contexts: ['madvise'],
    memory: ['file r-x', 'shmem'],
    play: (s) => {
      s.withKhugepaged().area(1, s.full).madvise('hugepage').wait();
      s.check({ memory: { process: 'test', rss: 0 } }, 'PMD empty').collapse(true);
    },
  },
];

/**
 * Shrinks the area to a page more each time, moves it out of the way, and lets it grow over a huge page again below its old
 * place: in the end every page of it is one of another huge page.
 */
function compoundExtreme(s: Script): void {
  const ptes = 16;
  const page = 4096;
  const base = 0x400_0000;
  const aside = base + 64 * ptes * page;
  s.machine({ pmdOrder: 4 });
  for (const file of ['khugepaged/max_ptes_none', 'khugepaged/max_ptes_swap', 'khugepaged/max_ptes_shared'])
    s.set(file, ptes - 1);
  s.unset('hugepages-2048kB/enabled').set('hugepages-64kB/enabled', 'inherit');
  s.vma({ name: 'area', at: hex(base), size: `${(ptes * page) / 1024}K` });
  for (let i = 0; i < ptes; i++) {
    const range = { process: 'test', address: hex(base), size: ptes * page };
    s.step({ madvise: { ...range, advice: 'hugepage' } }, { errno: 'ok' });
    s.step({ fault: range });
    s.step({ madvise: { ...range, advice: 'nohugepage' } }, { errno: 'ok' });
    const grown = { process: 'test', address: hex(base - i * page), size: (i + ptes) * page };
    s.step({ mremap: { ...grown, newSize: (i + 1) * page, to: hex(aside) } }, { errno: 'ok' });
    const small = { process: 'test', address: hex(aside), size: (i + 1) * page };
    const back = { newSize: (i + 1 + ptes) * page, to: hex(base - (i + 1) * page) };
    s.step({ mremap: { ...small, ...back } }, { errno: 'ok' });
  }
  s.step({ munmap: { process: 'test', address: hex(base), size: ptes * page } });
  const area = { process: 'test', address: hex(base - ptes * page), size: ptes * page };
  s.step({ fault: area });
  s.step({ madvise: { ...area, advice: 'hugepage' } });
  if (s.context === 'madvise') s.step({ madvise: { ...area, advice: 'collapse' } }, { errno: 'ok' });
  else s.wait();
  s.check({ memory: { process: 'test', anonHuge: `${(ptes * page) / 1024}K` } }, 'huge');
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

/** Order of the mthp cases whose file is kept; the test runs them all. */
export const KEPT_ORDER = 4;

/** All cases. */
export function selftestCases(): SelftestCase[] {
  const upstream = UPSTREAM.flatMap(({ test, about, contexts, memory, play }) =>
    contexts.flatMap((context) =>
      memory.map((kind): SelftestCase => {
        const script = new Script(context, kind);
        play(script);
        return { name: fileName(test, context, kind), test, about, script, kept: true };
      }),
    ),
  );
  const mthp = MTHP.flatMap(({ test, about, orders, play }) => {
    const cases: SelftestCase[] = [];
    for (let order = orders[0]; order <= orders[1]; order++) {
      const script = new Script('mthp', 'anon', order);
      play(script, 2 ** order);
      const name = `${fileName(test, 'mthp', 'anon')}-${sizeText(order)}`;
      cases.push({ name, test, about, script, kept: order === KEPT_ORDER });
    }
    return cases;
  });
  return [...upstream, ...mthp];
}

function fileName(test: string, context: SelftestContext, memory: SelftestMemory): string {
  const kind = memory.replace('file r-x', 'file').replace(/file rw, (\w+)/, 'file-$1');
  return `${test.replaceAll('_', '-')}-${context}-${kind}`;
}
