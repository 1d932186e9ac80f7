import { crc32, inflateRawSync } from 'node:zlib';
import { decodeDifferences, decodePlanes16, decodeRuns } from './column-codec.js';
import { errnoOf, SnapshotError } from './errors.js';
import {
  FILE_LIMITS,
  MAGIC,
  MAX_DEFLATE_RATIO,
  PREFIX_BYTES,
  type SECTION_NAMES,
  type SectionEntry,
  type SectionName,
} from './file-layout.js';
import { MAX_PAGE_KIND, NO_FRAME, ORDER_UNKNOWN } from './page-kind.js';
import { type FileHeader, readHeader, readVmas, type StoredVma } from './read-header.js';
import { DEFAULT_MAX_PAGES, type Snapshot, type SnapshotPages, type SnapshotVma } from './snapshot.js';

/** How to read. */
export interface ReadSnapshotOptions {
  /** Pages that a file may hold at most: 2^25 unless told otherwise, as for a capture. */
  readonly maxPages?: number;
}

/** Bytes per row of each column before it is deflated; null for those whose length is free within a limit. */
const ROW_BYTES: Readonly<Record<SectionName, number | null>> = {
  vmas: null,
  vpn: null,
  kind: 1,
  frame: 4,
  order: 1,
  flags: 2,
  mapcount: 2,
  pfn: 4,
};
/** A run of page numbers takes two varints of at most eight bytes, and a row is at most one run. */
const MAX_RUN_BYTES = 16;

type RawSections = Readonly<Record<(typeof SECTION_NAMES)[number], Uint8Array> & { pfn?: Uint8Array }>;

/**
 * Reads a snapshot file. Every length is held against the file and the limits before anything is allocated, every
 * checksum before anything is inflated, and every value before it is handed out.
 *
 * @throws SnapshotError that says what is wrong with the file.
 */
export function readSnapshot(bytes: Uint8Array, options: ReadSnapshotOptions = {}): Snapshot {
  const { header, sectionsAt } = openFile(bytes);
  const maxPages = options.maxPages ?? DEFAULT_MAX_PAGES;
  if (header.rows > maxPages) {
    throw new SnapshotError(
      'too-large',
      `The snapshot has ${header.rows} pages; the limit (option maxPages) is ${maxPages}.`,
    );
  }
  checkSections(header, bytes.length - sectionsAt);
  const raw = inflateSections(bytes, sectionsAt, header.sections);
  const stored = readVmas(raw.vmas, header.vmaCount);
  const { rows } = header;
  const pages: SnapshotPages = {
    length: rows,
    vpn: decodeRuns(raw.vpn, rows),
    kind: raw.kind,
    frame: decodeDifferences(raw.frame, rows),
    order: raw.order,
    flags: decodePlanes16(raw.flags, rows),
    mapcount: decodePlanes16(raw.mapcount, rows),
    ...(raw.pfn === undefined ? {} : { pfn: decodeDifferences(raw.pfn, rows) }),
  };
  checkPages(pages, header.snapshot.frameCount);
  return { ...header.snapshot, vmas: placeRows(stored, pages), pages };
}

function openFile(bytes: Uint8Array): { header: FileHeader; sectionsAt: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.toString('latin1', 0, MAGIC.length);
  if (!MAGIC.startsWith(magic) || bytes.length === 0) {
    if (magic.startsWith(MAGIC.slice(0, -1))) {
      throw new SnapshotError(
        'unsupported-version',
        `This is a snapshot of another version (${magic}); this reader knows ${MAGIC}.`,
      );
    }
    throw new SnapshotError('not-a-snapshot', `This is no thplab snapshot: it does not begin with ${MAGIC}.`);
  }
  if (bytes.length < PREFIX_BYTES) throw truncated(PREFIX_BYTES, bytes.length);
  const headerBytes = view.readUInt32LE(8);
  if (headerBytes > FILE_LIMITS.headerBytes) {
    throw new SnapshotError(
      'too-large',
      `The header claims ${headerBytes} bytes; the limit is ${FILE_LIMITS.headerBytes}.`,
    );
  }
  const sectionsAt = PREFIX_BYTES + headerBytes;
  if (sectionsAt > bytes.length) throw truncated(sectionsAt, bytes.length);
  const headerPart = bytes.subarray(PREFIX_BYTES, sectionsAt);
  if (crc32(headerPart) !== view.readUInt32LE(12)) throw checksum('header');
  return { header: readHeader(headerPart), sectionsAt };
}

/** Holds the claimed lengths against the file, the number of rows, the limits, and what deflate can do at all. */
function checkSections(header: FileHeader, availableBytes: number): void {
  let storedTotal = 0;
  for (const { name, storedBytes, rawBytes } of header.sections) {
    storedTotal += storedBytes;
    const perRow = ROW_BYTES[name];
    if (perRow !== null && rawBytes !== perRow * header.rows) {
      throw new SnapshotError(
        'inconsistent',
        `Section ${name} claims ${rawBytes} bytes for ${header.rows} pages; ${perRow * header.rows} would be right.`,
      );
    }
    const limit = name === 'vmas' ? FILE_LIMITS.vmaBytes : header.rows * MAX_RUN_BYTES;
    if (perRow === null && rawBytes > limit) {
      throw new SnapshotError('too-large', `Section ${name} claims ${rawBytes} bytes; the limit is ${limit}.`);
    }
    if (rawBytes > storedBytes * MAX_DEFLATE_RATIO) {
      throw new SnapshotError(
        'inconsistent',
        `Section ${name} claims ${rawBytes} bytes out of ${storedBytes}; deflate cannot do that.`,
      );
    }
  }
  if (storedTotal > availableBytes) throw truncated(storedTotal, availableBytes);
  if (storedTotal < availableBytes) {
    throw new SnapshotError('corrupted', `${availableBytes - storedTotal} bytes follow the end of the snapshot.`);
  }
}

function inflateSections(bytes: Uint8Array, sectionsAt: number, sections: readonly SectionEntry[]): RawSections {
  const raw: Partial<Record<SectionName, Uint8Array>> = {};
  let at = sectionsAt;
  for (const section of sections) {
    const stored = bytes.subarray(at, at + section.storedBytes);
    at += section.storedBytes;
    if (crc32(stored) !== section.crc32) throw checksum(`section ${section.name}`);
    raw[section.name] = inflateSection(stored, section);
  }
  return raw as RawSections;
}

function inflateSection(stored: Uint8Array, { name, rawBytes }: SectionEntry): Uint8Array {
  try {
    // Stops inflating as soon as one byte more than claimed comes out.
    const raw = inflateRawSync(stored, { maxOutputLength: rawBytes + 1 });
    if (raw.length === rawBytes) return new Uint8Array(raw.buffer, raw.byteOffset, raw.length);
    throw new SnapshotError('inconsistent', `Section ${name} holds ${raw.length} bytes; the header says ${rawBytes}.`);
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    if (errnoOf(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new SnapshotError(
        'inconsistent',
        `Section ${name} holds more than the ${rawBytes} bytes that the header says.`,
      );
    }
    throw new SnapshotError('corrupted', `Section ${name} cannot be inflated: ${String(error)}`, { cause: error });
  }
}

function checkPages(pages: SnapshotPages, frameCount: number): void {
  const { length, kind, frame, order } = pages;
  for (let row = 0; row < length; row++) {
    if (kind[row] === 0 || kind[row] > MAX_PAGE_KIND) throw badRow(row, `kind ${kind[row]} is not known`);
    if (frame[row] !== NO_FRAME && frame[row] >= frameCount)
      throw badRow(row, `frame ${frame[row]} is not below ${frameCount}`);
    if (order[row] > 31 && order[row] !== ORDER_UNKNOWN) throw badRow(row, `order ${order[row]} is over 31`);
  }
}

function badRow(row: number, what: string): SnapshotError {
  return new SnapshotError('inconsistent', `Page ${row} of the snapshot: ${what}.`);
}

/** Gives each VMA its rows; every page must lie in a VMA. */
function placeRows(stored: readonly StoredVma[], pages: SnapshotPages): SnapshotVma[] {
  let row = 0;
  const vmas = stored.map((vma) => {
    const firstRow = row;
    if (row < pages.length && pages.vpn[row] < vma.startVpn) throw badRow(row, 'it lies in no VMA');
    while (row < pages.length && pages.vpn[row] < vma.endVpn) row++;
    return { ...vma, firstRow, rowCount: row - firstRow };
  });
  if (row < pages.length) throw badRow(row, 'it lies in no VMA');
  return vmas;
}

function truncated(expected: number, found: number): SnapshotError {
  return new SnapshotError('truncated', `The file is cut off: ${expected} bytes should follow, ${found} are there.`);
}

function checksum(what: string): SnapshotError {
  return new SnapshotError('corrupted', `The ${what} is damaged: its checksum does not match.`);
}
