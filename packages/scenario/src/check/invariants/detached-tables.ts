/**
 * I3: while a table that holds pages is out of its PMD, mmap_lock is held for writing, and either the anon_vma lock too or
 * the locks of all folios in the table. Looked at after every step; only the ranges that had a table at the start count.
 */
import { findBit, getBit } from '@thplab/arena';
import {
  type AnonVmaId,
  FOLIO,
  findPmd,
  findTable,
  folioHead,
  type Machine,
  type MmId,
  NO_PMD,
  type PmdRef,
  pteBit,
  pteCell,
  type TableId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { LOCK_STATE, LOCK_WORDS, WRITE_HELD } from '@thplab/sync';
import type { Stage } from '../stage.js';

interface WatchedTable {
  readonly name: string;
  readonly mm: MmId;
  readonly page: Vpn;
  readonly pmd: PmdRef;
  readonly table: TableId;
}

export class DetachedTables {
  private readonly m: Machine;
  private readonly watched: readonly WatchedTable[];

  constructor({ raw, processes }: Pick<Stage, 'raw' | 'processes'>) {
    this.m = raw;
    this.watched = [...processes.values()].flatMap(({ name, mm, vmas }) =>
      [...vmas.values()].flatMap((vma) => {
        const tables: WatchedTable[] = [];
        for (let page = vma.start - (vma.start % raw.ptes); page < vma.start + vma.pages; page += raw.ptes) {
          const table = findTable(raw, mm, page as Vpn);
          const pmd = findPmd(raw, mm, page as Vpn);
          if (table !== 0 && pmd !== NO_PMD) {
            tables.push({ name: `${name}:${vma.name}`, mm, page: page as Vpn, pmd, table });
          }
        }
        return tables;
      }),
    );
  }

  /** What is wrong now, undefined if nothing is. */
  finding(): string | undefined {
    for (const one of this.watched) {
      if (this.m.directory.entry[one.pmd] === 0 && this.holdsPages(one)) {
        const missing = this.missingLock(one);
        if (missing !== undefined) return `I3: the table of ${one.name} is out of its PMD without ${missing}`;
      }
    }
    return undefined;
  }

  private holdsPages({ table, mm, page }: WatchedTable): boolean {
    const { m } = this;
    // Freed, or moved to another place by mremap.
    if (m.pte.mm[table] !== mm || m.pte.block[table] * m.ptes !== page) return false;
    const base = pteBit(m, table, 0);
    return findBit(m.pte.present, base, base + m.ptes) >= 0;
  }

  private missingLock({ mm, page, table }: WatchedTable): string | undefined {
    const { m } = this;
    if (m.mm.mmapLock[mm * LOCK_WORDS + LOCK_STATE] !== WRITE_HELD) return 'mmap_lock held for writing';
    const vma = vmaAt(m, mm, page);
    const anonVma = vma === 0 ? 0 : m.vma.anonVma[vma];
    const root = anonVma === 0 ? 0 : m.anonVma.root[anonVma as AnonVmaId];
    if (m.anonVma.lock[root * LOCK_WORDS + LOCK_STATE] === WRITE_HELD) return undefined;
    return this.allLocked(table) ? undefined : 'the anon_vma lock, and with folios in it that are not locked';
  }

  private allLocked(table: TableId): boolean {
    const { m } = this;
    for (let slot = 0; slot < m.ptes; slot++) {
      const bit = pteBit(m, table, slot);
      if (!getBit(m.pte.present, bit) || getBit(m.pte.zero, bit)) continue;
      if ((m.frame.flags[folioHead(m, m.pte.pfn[pteCell(m, table, slot)])] & FOLIO.LOCKED) === 0) return false;
    }
    return true;
  }
}
