/** Rows of files and shmem objects. Their pages are the page cache's. */
import { asBrand } from '@thplab/arena';
import type { FileId } from '../brands.js';
import type { Machine } from '../machine.js';

/** What a file is. */
export interface FileFacts {
  /** Size in base pages. */
  readonly pages: number;
  readonly shmem?: boolean;
  /** A regular file whose page cache can hold folios of PMD order (khugepaged spec 4.2, rule 9). */
  readonly pmdFolios?: boolean;
}

/** A new file. Errors: TableFullError for 'file'. */
export function createFile(m: Machine, facts: FileFacts): FileId {
  const file = m.file.pool.alloc();
  m.file.pages[file] = facts.pages;
  m.file.shmem[file] = facts.shmem === true ? 1 : 0;
  m.file.pmdFolios[file] = facts.pmdFolios === true ? 1 : 0;
  return asBrand<FileId>(file);
}
