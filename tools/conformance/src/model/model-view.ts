/** Looks at the model as the running kernel's /proc files would show it. */
import { getBit } from '@thplab/arena';
import {
  ENTRY_KIND,
  entryKind,
  FOLIO,
  findPmd,
  folioHas,
  folioHead,
  folioOrder,
  type Machine,
  type MmId,
  NO_PMD,
  PMD,
  PMD_UFFD_WP,
  PMD_ZERO,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  type TableId,
  type Vpn,
  ZERO_FRAME,
} from '@thplab/mm-model';
import { BASE_PAGE, RANGE } from '../case.js';
import type { ProcessView } from '../outcome.js';
import { MARK, numberRuns, PAGE, runs } from '../page-letters.js';

/** One process as it is now. `ranges`: first pages of what is looked at; `writes`: number of the write per stamp. */
export function viewModel(
  m: Machine,
  mm: MmId,
  ranges: readonly number[],
  writes: ReadonlyMap<number, number>,
): ProcessView {
  const huge: number[] = [];
  const pages: string[] = [];
  const contents: number[] = [];
  for (const range of ranges) {
    const letters = rangeLetters(m, mm, BASE_PAGE + range);
    if (letters[0] !== undefined && isHuge(letters[0])) huge.push(range);
    pages.push(...letters);
    for (let i = 0; i < RANGE; i++) {
      const present = letters[i] !== PAGE.none && letters[i] !== PAGE.guard && !letters[i].startsWith(PAGE.marker);
      const stamp = present ? readContent(m, mm, BASE_PAGE + range + i) : -1;
      // Pages that were only made present, by populating or locking, have a stamp of the model's own and hold zeroes.
      contents.push(stamp <= 0 ? stamp : (writes.get(stamp) ?? 0));
    }
  }
  const rss = m.mm.rssAnon[mm] + m.mm.rssFile[mm] + m.mm.rssShmem[mm];
  return { rss, huge, pages: runs(pages), contents: numberRuns(contents) };
}

/** Stamp that a present page holds; 0 for zeroes and for pages that are not there. */
export function readContent(m: Machine, mm: MmId, page: number): number {
  const pmd = findPmd(m, mm, page as Vpn);
  if (pmd === NO_PMD) return 0;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) {
    return (entry & PMD_ZERO) !== 0 ? 0 : m.frame.stamp[pmdPfn(m, entry) + (page % m.ptes)];
  }
  if (pmdType(entry) !== PMD.table) return 0;
  const pfn = m.pte.pfn[pteCell(m, pmdTable(entry), page % m.ptes)];
  return pfn === ZERO_FRAME ? 0 : m.frame.stamp[pfn];
}

function isHuge(letter: string): boolean {
  return letter.startsWith(PAGE.huge) || letter.startsWith(PAGE.hugeZero) || letter.startsWith(PAGE.fileHuge);
}

function rangeLetters(m: Machine, mm: MmId, first: number): string[] {
  const pmd = findPmd(m, mm, first as Vpn);
  const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) return Array(RANGE).fill(hugeLetter(m, entry));
  if (pmdType(entry) !== PMD.table) return Array(RANGE).fill(PAGE.none);
  return Array.from({ length: RANGE }, (_, slot) => pteLetter(m, pmdTable(entry), slot));
}

function hugeLetter(m: Machine, entry: number): string {
  const wp = (entry & PMD_UFFD_WP) !== 0 ? MARK.wp : '';
  if ((entry & PMD_ZERO) !== 0) return PAGE.hugeZero + wp;
  const head = pmdPfn(m, entry);
  return (folioHas(m, head, FOLIO.ANON) ? PAGE.huge : PAGE.fileHuge) + wp + folioMarks(m, head);
}

function pteLetter(m: Machine, table: TableId, slot: number): string {
  const bit = pteBit(m, table, slot);
  const value = m.pte.pfn[pteCell(m, table, slot)];
  const wp = getBit(m.pte.uffdWp, bit) ? MARK.wp : '';
  if (!getBit(m.pte.present, bit)) {
    if (!getBit(m.pte.nonPresent, bit)) return PAGE.none;
    return entryKind(value) === ENTRY_KIND.markerGuard ? PAGE.guard : PAGE.marker + wp;
  }
  if (value === ZERO_FRAME) return PAGE.zero + wp;
  const head = folioHead(m, value);
  const large = folioOrder(m, head) > 0;
  const [small, part] = folioHas(m, head, FOLIO.ANON) ? [PAGE.small, PAGE.part] : [PAGE.fileSmall, PAGE.filePart];
  return (large ? part : small) + wp + folioMarks(m, head);
}

function folioMarks(m: Machine, head: number): string {
  const flags = m.frame.flags[head];
  const lazyfree = (flags & FOLIO.ANON) !== 0 && (flags & FOLIO.SWAPBACKED) === 0;
  return ((flags & FOLIO.MLOCKED) !== 0 ? MARK.mlocked : '') + (lazyfree ? MARK.lazyfree : '');
}
