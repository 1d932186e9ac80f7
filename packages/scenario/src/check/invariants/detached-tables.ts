/** I3, looked at after every step (mm-model's check/detached-table.ts); only the ranges that had a table at the start count. */
import {
  detachedTableDefect,
  findPmd,
  findTable,
  type Machine,
  type MmId,
  type PmdRef,
  type TableId,
  type Vpn,
} from '@thplab/mm-model';
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
          if (table === 0) continue;
          const pmd = findPmd(raw, mm, page as Vpn) as PmdRef;
          tables.push({ name: `${name}:${vma.name}`, mm, page: page as Vpn, pmd, table });
        }
        return tables;
      }),
    );
  }

  /** What is wrong now, undefined if nothing is. */
  finding(): string | undefined {
    const { m } = this;
    for (const { name, mm, page, pmd, table } of this.watched) {
      if (m.directory.entry[pmd] !== 0) continue;
      // Freed, or moved to another place by mremap.
      if (m.pte.mm[table] !== mm || m.pte.block[table] * m.ptes !== page) continue;
      const defect = detachedTableDefect(m, mm, table);
      if (defect !== undefined) return `I3: the table of ${name} ${defect}`;
    }
    return undefined;
  }
}
