import { crc32, deflateRawSync } from 'node:zlib';
import { encodeDifferences, encodePlanes16, encodeRuns } from './column-codec.js';
import { SnapshotError } from './errors.js';
import {
  FILE_LIMITS,
  FRAMES_SECTION,
  MAGIC,
  PREFIX_BYTES,
  type SectionEntry,
  type SectionName,
} from './file-layout.js';
import type { Snapshot, SnapshotVma } from './snapshot.js';

/**
 * Writes a snapshot in the file format thplab/snapshot@1 (see file-layout.ts). Deflate runs at its fastest level: the columns are
 * laid out so that this is enough.
 *
 * @returns the bytes of the file.
 */
export function writeSnapshot(snapshot: Snapshot): Uint8Array {
  const { pages, vmas, ...rest } = snapshot;
  const contents: [SectionName, Uint8Array][] = [
    ['vmas', Buffer.from(JSON.stringify(vmas.map(storedVma)))],
    ['vpn', encodeRuns(pages.vpn)],
    ['kind', pages.kind],
    ['frame', encodeDifferences(pages.frame)],
    ['order', pages.order],
    ['flags', encodePlanes16(pages.flags)],
    ['mapcount', encodePlanes16(pages.mapcount)],
    ...(pages.pfn === undefined
      ? []
      : ([[FRAMES_SECTION, encodeDifferences(pages.pfn)]] as [SectionName, Uint8Array][])),
  ];
  checkLimits(vmas.length, contents[0][1].length);
  const sections: SectionEntry[] = [];
  const parts: Uint8Array[] = [];
  for (const [name, raw] of contents) {
    const stored = deflateRawSync(raw, { level: 1 });
    sections.push({ name, storedBytes: stored.length, rawBytes: raw.length, crc32: crc32(stored) });
    parts.push(stored);
  }
  const header = Buffer.from(JSON.stringify({ ...rest, rows: pages.length, vmaCount: vmas.length, sections }));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, 'latin1');
  prefix.writeUInt32LE(header.length, 8);
  prefix.writeUInt32LE(crc32(header), 12);
  return Buffer.concat([prefix, header, ...parts]);
}

/** What is written can be read again: the reader's limits hold here too. */
function checkLimits(vmaCount: number, vmaBytes: number): void {
  if (vmaCount <= FILE_LIMITS.vmas && vmaBytes <= FILE_LIMITS.vmaBytes) return;
  const limit = `the limits are ${FILE_LIMITS.vmas} and ${FILE_LIMITS.vmaBytes} bytes`;
  throw new SnapshotError('too-large', `The snapshot has ${vmaCount} VMAs in ${vmaBytes} bytes; ${limit}.`);
}

/** A VMA without what the reader works out from the page numbers. */
function storedVma(vma: SnapshotVma): Omit<SnapshotVma, 'firstRow' | 'rowCount'> {
  const { firstRow: _firstRow, rowCount: _rowCount, smapsKb, ...stored } = vma;
  return { ...stored, smapsKb };
}
