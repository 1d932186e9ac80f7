/** Rows of files and shmem objects. Their pages are the page cache's. */
import { asBrand } from '@thplab/arena';
import type { FileId } from '../brands.js';
import { FOLIO } from '../flags.js';
import { clearFrameFlags, folioHead, setFolioMapping } from '../folio.js';
import { folioPut } from '../folio-lifetime.js';
import { countVmEvent, type Machine } from '../machine.js';
import { pageCacheLookup, pageCacheRemove } from '../page-cache.js';

/** What a file is. */
export interface FileFacts {
  /** Size in base pages. */
  readonly pages: number;
  readonly shmem?: boolean;
  /** A regular file whose page cache can hold folios of PMD order (khugepaged spec 4.2, rule 9). */
  readonly pmdFolios?: boolean;
  /** It has no name: with its last mapping it goes, and its pages with it. */
  readonly unlinked?: boolean;
}

/** A new file. Errors: TableFullError for 'file'. */
export function createFile(m: Machine, facts: FileFacts): FileId {
  const file = m.file.pool.alloc();
  m.file.pages[file] = facts.pages;
  m.file.shmem[file] = facts.shmem === true ? 1 : 0;
  m.file.pmdFolios[file] = facts.pmdFolios === true ? 1 : 0;
  m.file.unlinked[file] = facts.unlinked === true ? 1 : 0;
  return asBrand<FileId>(file);
}

/** One mapping more (`by` 1) or less (-1) of a file. A file without a name goes with its last one. */
export function countFileMapping(m: Machine, file: FileId, by: 1 | -1): void {
  m.file.refs[file] += by;
  if (m.file.refs[file] > 0 || m.file.unlinked[file] === 0) return;
  dropPages(m, file);
  m.file.pool.free(file);
}

/** Takes all pages of a file out of the page cache (`truncate_inode_pages`). Who still holds one keeps the memory only. */
function dropPages(m: Machine, file: FileId): void {
  for (let index = 0; m.file.cached[file] > 0 && index < m.file.pages[file]; index++) {
    const pfn = pageCacheLookup(m, file, index);
    if (pfn === 0) continue;
    pageCacheRemove(m, file, index);
    m.file.cached[file] = m.file.cached[file] - 1;
    countVmEvent(m, 'nr_file_pages', -1);
    if (m.file.shmem[file] !== 0) countVmEvent(m, 'nr_shmem', -1);
    const head = folioHead(m, pfn);
    setFolioMapping(m, head, 0, 0);
    clearFrameFlags(m, head, FOLIO.LRU | FOLIO.SHMEM | FOLIO.SWAPBACKED);
    folioPut(m, head);
  }
}
