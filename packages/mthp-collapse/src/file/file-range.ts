import type { FileId, MmId, Vpn } from '@thplab/mm-model';

/** One PMD range of a file or of shared memory, and the mapping through which somebody came to it. */
export interface FileRange {
  readonly mm: MmId;
  /** First page of the range in the address space. */
  readonly page: Vpn;
  readonly file: FileId;
  /** First page of the range in the file. */
  readonly start: number;
}
