// The snapshot file, thplab/snapshot@1:
//
//   8 bytes   magic 'THPSNAP1'
//   4 bytes   length of the header, little endian
//   4 bytes   crc32 of the header
//   header    JSON: what is not a column, the number of rows, and the list of sections
//   sections  one after the other, each deflated (raw deflate); length, crc32 and inflated length are in the header
//
// The VMAs are a section too (JSON), as there may be tens of thousands. Nothing follows the last section.

/** First bytes of every snapshot file, as text. */
export const MAGIC = 'THPSNAP1';
/** Bytes before the header. */
export const PREFIX_BYTES = 16;

/** The sections that every file has, in order. */
export const SECTION_NAMES = ['vmas', 'vpn', 'kind', 'frame', 'order', 'flags', 'mapcount'] as const;
/** A section that may follow them: physical frame numbers, where the capture was asked to keep them. */
export const FRAMES_SECTION = 'pfn';

/** One of {@link SECTION_NAMES}, or {@link FRAMES_SECTION}. */
export type SectionName = (typeof SECTION_NAMES)[number] | typeof FRAMES_SECTION;

/** Where a section is, and what must come out of it. */
export interface SectionEntry {
  readonly name: SectionName;
  /** Bytes in the file. */
  readonly storedBytes: number;
  /** Bytes after inflating. */
  readonly rawBytes: number;
  /** crc32 of the bytes in the file. */
  readonly crc32: number;
}

/** Limits that a reader holds a file to, before it allocates anything. */
export const FILE_LIMITS = {
  headerBytes: 0x100000,
  vmaBytes: 0x8000000,
  vmas: 0x40000,
  strings: 0x10000,
  stringLength: 0x8000,
} as const;

/** deflate cannot pack better than this, so a section that claims more is false before it is inflated. */
export const MAX_DEFLATE_RATIO = 1032;
