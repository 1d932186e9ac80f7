/** PTE tables: the planes agree with each other, and tables and directories belong to somebody. */
import { NO_FRAME, PAGE, ZERO_FRAME } from '../flags.js';
import type { Machine } from '../machine.js';
import type { Census } from './census.js';
import type { Findings } from './findings.js';

/** Planes that say nothing about an entry that is not present. */
const PRESENT_ONLY = ['zero', 'write', 'dirty', 'young', 'shared', 'attention', 'referenced'] as const;
/** Planes that a zero-page entry does not have. */
const NOT_OF_ZERO = ['write', 'dirty', 'shared', 'attention', 'referenced'] as const;
const ALL = [...PRESENT_ONLY, 'present', 'nonPresent', 'uffdWp'] as const;

/** Checks every live table. */
export function checkTables(m: Machine, census: Census, findings: Findings): void {
  for (const table of m.pte.pool.rows()) {
    if (!census.tables.has(table)) findings.add(`page table ${table} of mm ${m.pte.mm[table]} is in no PMD`);
    checkPlanes(m, findings, table);
    checkFramesOf(m, findings, table);
  }
  for (const row of m.directory.pool.rows()) {
    if (!census.directories.has(row)) findings.add(`directory ${row} of mm ${m.directory.mm[row]} is in no tree`);
  }
  for (const [mm, counts] of census.mms) findings.equal(`mm ${mm}: pageTables`, m.mm.pageTables[mm], counts.pageTables);
}

function checkPlanes(m: Machine, findings: Findings, table: number): void {
  for (let word = table * m.words; word < (table + 1) * m.words; word++) {
    const at = `page table ${table}, slots ${(word - table * m.words) * 32} up`;
    const { present, nonPresent, zero } = m.pte;
    if ((present[word] & nonPresent[word]) !== 0) findings.add(`${at}: present and non-present at once`);
    for (const plane of PRESENT_ONLY) {
      if ((m.pte[plane][word] & ~present[word]) !== 0)
        findings.add(`${at}: plane ${plane} is set where no page is present`);
    }
    if ((m.pte.uffdWp[word] & ~(present[word] | nonPresent[word])) !== 0) findings.add(`${at}: uffdWp is set on none`);
    for (const plane of NOT_OF_ZERO) {
      if ((m.pte[plane][word] & zero[word]) !== 0) findings.add(`${at}: plane ${plane} is set on a zero page`);
    }
    if (m.ptes >= 32) continue;
    for (const plane of ALL) {
      if (m.pte[plane][word] >>> m.ptes !== 0) findings.add(`${at}: plane ${plane} has bits behind the last slot`);
    }
  }
}

function checkFramesOf(m: Machine, findings: Findings, table: number): void {
  for (let slot = 0; slot < m.ptes; slot++) {
    const word = table * m.words + (slot >>> 5);
    const bit = 1 << (slot & 31);
    const at = `page table ${table}, slot ${slot}`;
    const pfn = m.pte.pfn[table * m.ptes + slot];
    if (((m.pte.present[word] | m.pte.nonPresent[word]) & bit) === 0) {
      if (pfn !== 0) findings.add(`${at}: none, but its cell holds ${pfn}`);
    } else if ((m.pte.nonPresent[word] & bit) !== 0) {
      if (pfn >>> 28 === 0) findings.add(`${at}: non-present entry ${pfn} is of no kind`);
    } else if (((m.pte.zero[word] & bit) !== 0) !== (pfn === ZERO_FRAME)) {
      findings.add(`${at}: frame ${pfn} and the zero plane do not agree`);
    } else if (pfn !== ZERO_FRAME && pfn !== NO_FRAME && (m.frame.flags[pfn] & PAGE.ALLOCATED) === 0) {
      findings.add(`${at}: maps frame ${pfn}, which is not allocated`);
    }
  }
}
