/** The mirror planes say what the folios are now. */
import { FOLIO, NO_FRAME } from '../flags.js';
import type { Machine } from '../machine.js';
import { headOf } from './census.js';
import type { Findings } from './findings.js';

interface Facts {
  readonly shared: boolean;
  readonly attention: boolean;
  readonly referenced: boolean;
}

const SPECIAL: Facts = { shared: false, attention: true, referenced: false };

/** Compares the planes of all tables with the folios behind the entries, and each folio's own note of them. */
export function checkMirrors(m: Machine, findings: Findings): void {
  for (const table of m.pte.pool.rows()) {
    for (let slot = 0; slot < m.ptes; slot++) {
      const word = table * m.words + (slot >>> 5);
      const bit = 1 << (slot & 31);
      if ((m.pte.present[word] & ~m.pte.zero[word] & bit) === 0) continue;
      const pfn = m.pte.pfn[table * m.ptes + slot];
      const facts = pfn === NO_FRAME ? SPECIAL : factsOf(m, headOf(m, pfn));
      for (const plane of ['shared', 'attention', 'referenced'] as const) {
        const shown = (m.pte[plane][word] & bit) !== 0;
        if (shown !== facts[plane]) {
          findings.add(
            `page table ${table}, slot ${slot}: plane ${plane} is ${shown}, but frame ${pfn} is ${facts[plane]}`,
          );
        }
      }
    }
  }
}

/** What collapse_scan_pmd asks of a folio (khugepaged spec 2.2), from its cells. */
function factsOf(m: Machine, head: number): Facts {
  const flags = m.frame.flags[head];
  const { mapcount, mapping, index, refcount } = m.frame;
  const large = (flags & 0xf) !== 0;
  const maps = large ? mapping[head + 1] : mapcount[head];
  const alone = index[head + 3] === maps || refcount[head + 3] === maps;
  const expected = maps + ((flags & FOLIO.SWAPCACHE) !== 0 ? 1 << (flags & 0xf) : 0);
  const usual = FOLIO.ANON | FOLIO.SWAPBACKED | FOLIO.LRU;
  return {
    shared: large ? maps > 0 && !alone : maps > 1,
    attention: (flags & usual) !== usual || (flags & FOLIO.LOCKED) !== 0 || refcount[head] !== expected,
    referenced: (flags & (FOLIO.YOUNG | FOLIO.REFERENCED)) !== 0,
  };
}
