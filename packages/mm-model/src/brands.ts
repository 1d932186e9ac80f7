import type { Brand } from '@thplab/arena';

/** Frame number. */
export type Pfn = Brand<'Pfn'>;
/** Virtual page number: virtual address divided by the base page size. */
export type Vpn = Brand<'Vpn'>;
/** Row of a PTE table. */
export type TableId = Brand<'TableId'>;
/** Row of a VMA. */
export type VmaId = Brand<'VmaId'>;
/** Row of an mm. */
export type MmId = Brand<'MmId'>;
/** Row of an anon_vma. */
export type AnonVmaId = Brand<'AnonVmaId'>;
/** Row of a file. */
export type FileId = Brand<'FileId'>;
/** Row of a memory cgroup. */
export type MemcgId = Brand<'MemcgId'>;
/** Power of two of a number of base pages. */
export type Order = Brand<'Order'>;
