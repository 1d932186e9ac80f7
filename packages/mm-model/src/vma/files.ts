/** Rows of files and shmem objects. Their pages are the page cache's. */
import { asBrand } from '@thplab/arena';
import type { FileId } from '../brands.js';
import type { Machine } from '../machine.js';
import { truncatePages } from '../page-cache-contents.js';

/** What a file is. */
export interface FileFacts {
  /** Size in base pages. */
  readonly pages: number;
  readonly shmem?: boolean;
  /** A regular file whose page cache can hold folios of PMD order (khugepaged spec 4.2, rule 9). */
  readonly pmdFolios?: boolean;
  /** Smallest order that its page cache's folios may be split to (`mapping_min_folio_order`). Default 0. */
  readonly minOrder?: number;
  /** Its folios have private data that the file system cannot release now (`filemap_release_folio`). Default false. */
  readonly privateData?: boolean;
  /** It has no name: with its last mapping it goes, and its pages with it. */
  readonly unlinked?: boolean;
  /** Descriptors that have it open for writing. Default 0. */
  readonly writers?: number;
}

/** A new file. Errors: TableFullError for 'file'. */
export function createFile(m: Machine, facts: FileFacts): FileId {
  const file = m.file.pool.alloc();
  m.file.pages[file] = facts.pages;
  m.file.shmem[file] = facts.shmem === true ? 1 : 0;
  m.file.pmdFolios[file] = facts.pmdFolios === true ? 1 : 0;
  m.file.minOrder[file] = facts.minOrder ?? 0;
  m.file.privateData[file] = facts.privateData === true ? 1 : 0;
  m.file.unlinked[file] = facts.unlinked === true ? 1 : 0;
  m.file.writers[file] = facts.writers ?? 0;
  return asBrand<FileId>(file);
}

/** One mapping more (`by` 1) or less (-1) of a file. A file without a name goes with its last one. */
export function countFileMapping(m: Machine, file: FileId, by: 1 | -1): void {
  m.file.refs[file] += by;
  if (m.file.refs[file] > 0 || m.file.unlinked[file] === 0) return;
  truncatePages(m, file);
  m.file.pool.free(file);
}
