/** Files and shared-memory objects, as the runner gets them. */
import type { PagePattern, SourceKey } from './scenario.js';

/** What is in a file's page cache when the run starts, mapped by nobody yet. */
export interface CachedLayer {
  readonly key: SourceKey;
  /** Pages of the file. */
  readonly pattern: PagePattern;
  /** In memory, or (shmem only) swapped out. */
  readonly state: 'present' | 'swap';
  /** The pages are in folios of PMD size where the pattern fills a whole block. */
  readonly huge: boolean;
  readonly seed: number | null;
}

/** A file or a shared-memory object that VMAs of any process may map. */
export interface FileSpec {
  readonly key: SourceKey;
  readonly name: string;
  readonly kind: 'shmem' | 'file';
  /** Bytes, a whole number of pages. */
  readonly size: number;
  /** Its page cache can hold folios of PMD size: a matter of the file system. */
  readonly hugeFolios: boolean;
  /** Somebody has it open for writing. */
  readonly openForWrite: boolean;
  readonly cached: readonly CachedLayer[];
}
