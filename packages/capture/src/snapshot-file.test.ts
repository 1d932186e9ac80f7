import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SnapshotError, type SnapshotErrorCode } from './errors.js';
import { MAGIC, PREFIX_BYTES, type SectionEntry, type SectionName } from './file-layout.js';
import { readSnapshot } from './read-snapshot.js';
import type { Snapshot } from './snapshot.js';
import { samplePages, sampleSnapshot, smallSnapshot } from './testing/sample-snapshot.js';
import { writeSnapshot } from './write-snapshot.js';

const GOOD = writeSnapshot(smallSnapshot());

function codeOf(bytes: Uint8Array, maxPages?: number): SnapshotErrorCode | 'read' {
  try {
    readSnapshot(bytes, maxPages === undefined ? {} : { maxPages });
    return 'read';
  } catch (error) {
    if (error instanceof SnapshotError) return error.code;
    throw error;
  }
}

interface RawHeader {
  [key: string]: unknown;
  sections: (SectionEntry & { [key: string]: unknown })[];
}

/** Builds a file with valid checksums from altered parts: what a hostile writer would do. */
function forge(
  alterHeader: (header: RawHeader) => void,
  alterSections: Partial<Record<SectionName, Uint8Array>> = {},
): Uint8Array {
  const view = Buffer.from(GOOD);
  const sectionsAt = PREFIX_BYTES + view.readUInt32LE(8);
  const header = JSON.parse(view.toString('utf8', PREFIX_BYTES, sectionsAt)) as RawHeader;
  const parts: Uint8Array[] = [];
  let at = sectionsAt;
  header.sections = header.sections.map((section) => {
    const replaced = alterSections[section.name];
    const stored = replaced === undefined ? view.subarray(at, at + section.storedBytes) : deflateRawSync(replaced);
    at += section.storedBytes;
    parts.push(stored);
    const rawBytes = replaced?.length ?? section.rawBytes;
    return { name: section.name, storedBytes: stored.length, rawBytes, crc32: crc32(stored) };
  });
  alterHeader(header);
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, 'latin1');
  prefix.writeUInt32LE(text.length, 8);
  prefix.writeUInt32LE(crc32(text), 12);
  return Buffer.concat([prefix, text, ...parts]);
}

function section(header: RawHeader, name: SectionName): Record<string, unknown> {
  return header.sections.find((one) => one.name === name) ?? {};
}

describe('a snapshot file', () => {
  it('gives the snapshot back', () => {
    expect(readSnapshot(GOOD)).toEqual(smallSnapshot());
  });

  it('is the same for the same snapshot', () => {
    expect(Buffer.compare(Buffer.from(writeSnapshot(smallSnapshot())), Buffer.from(GOOD))).toBe(0);
  });

  it('may hold no page and no VMA', () => {
    const empty: Snapshot = sampleSnapshot([], samplePages([]), { missing: ['everything'] });
    expect(readSnapshot(writeSnapshot(empty))).toEqual(empty);
  });

  it('forged without a change is still a snapshot', () => {
    expect(codeOf(forge(() => undefined))).toBe('read');
  });
});

describe('a damaged file', () => {
  it('is refused wherever it is cut off', () => {
    for (let length = 0; length < GOOD.length; length++) {
      expect(codeOf(GOOD.subarray(0, length))).toBe(length === 0 ? 'not-a-snapshot' : 'truncated');
    }
  });

  it('is refused whichever bit is flipped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: GOOD.length * 8 - 1 }), (bit) => {
        const bytes = Uint8Array.from(GOOD);
        bytes[bit >> 3] ^= 1 << (bit & 7);
        expect(codeOf(bytes)).not.toBe('read');
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused with something behind its end', () => {
    expect(codeOf(Buffer.concat([GOOD, Buffer.from([0])]))).toBe('corrupted');
  });

  it('is told from a file of something else, and from another version', () => {
    expect(codeOf(Buffer.from('%PDF-1.7 and so on'))).toBe('not-a-snapshot');
    expect(codeOf(Buffer.from('THPSNAP2 and so on'))).toBe('unsupported-version');
    expect(codeOf(forge((header) => Object.assign(header, { format: 'thplab/snapshot@2' })))).toBe(
      'unsupported-version',
    );
  });
});

describe('a hostile file', () => {
  it.each<[string, (header: RawHeader) => void, SnapshotErrorCode]>([
    ['claims more pages than the limit', (header) => Object.assign(header, { rows: 2 ** 40 }), 'too-large'],
    ['claims a fraction of a page', (header) => Object.assign(header, { rows: 1.5 }), 'inconsistent'],
    ['claims pages that its sections do not hold', (header) => Object.assign(header, { rows: 5 }), 'inconsistent'],
    ['claims too many VMAs', (header) => Object.assign(header, { vmaCount: 2 ** 30 }), 'inconsistent'],
    [
      'claims a section longer than the file',
      (header) => Object.assign(section(header, 'vpn'), { storedBytes: 2 ** 50 }),
      'truncated',
    ],
    [
      'claims a negative length',
      (header) => Object.assign(section(header, 'vpn'), { storedBytes: -1 }),
      'inconsistent',
    ],
    [
      'claims a packing that deflate cannot do',
      (header) => Object.assign(section(header, 'vmas'), { rawBytes: 2 ** 26 }),
      'inconsistent',
    ],
    [
      'claims a vast list of VMAs',
      (header) => Object.assign(section(header, 'vmas'), { rawBytes: 2 ** 40 }),
      'too-large',
    ],
    ['leaves a section out', (header) => Object.assign(header, { sections: header.sections.slice(1) }), 'inconsistent'],
    ['has no sections', (header) => Object.assign(header, { sections: null }), 'inconsistent'],
    [
      'has a page size that is none',
      (header) => Object.assign(header.kernel as object, { pageSize: 0 }),
      'inconsistent',
    ],
    ['has a list for an object', (header) => Object.assign(header, { process: [] }), 'inconsistent'],
    ['nests deeply', (header) => Object.assign(header, { process: [[[[[[[[]]]]]]]] }), 'too-large'],
    ['has a frame beyond its own count', (header) => Object.assign(header, { frameCount: 5 }), 'inconsistent'],
  ])('that %s', (_name, alter, code) => {
    expect(codeOf(forge(alter))).toBe(code);
  });

  it.each<[string, SectionName, Uint8Array, SnapshotErrorCode]>([
    ['a kind that is not known', 'kind', Uint8Array.from([1, 1, 99, 4]), 'inconsistent'],
    ['an order that cannot be', 'order', Uint8Array.from([2, 2, 0, 77]), 'inconsistent'],
    ['a page outside of every VMA', 'vpn', Uint8Array.from([99, 4]), 'inconsistent'],
    ['VMAs that are no list', 'vmas', Buffer.from('{}'), 'inconsistent'],
    ['VMAs that are not JSON', 'vmas', Buffer.from('[{]'), 'corrupted'],
    ['empty VMAs without end', 'vmas', Buffer.from(`[${'[],'.repeat(100_000)}[]]`), 'too-large'],
    ['items without end', 'vmas', Buffer.from(`[${'0,'.repeat(100_000)}0]`), 'too-large'],
  ])('that holds %s', (_name, name, raw, code) => {
    expect(codeOf(forge(() => undefined, { [name]: raw }))).toBe(code);
  });

  it('that overlaps its VMAs', () => {
    const { vmas } = smallSnapshot();
    const stored = Buffer.from(JSON.stringify([vmas[0], { ...vmas[1], startVpn: 150 }]));
    expect(codeOf(forge(() => undefined, { vmas: stored }))).toBe('inconsistent');
  });

  it('that is a bomb is stopped at the length it claimed', () => {
    const bomb = forge((header) => Object.assign(section(header, 'kind'), { rawBytes: 4 }), {
      kind: new Uint8Array(2 ** 26),
    });
    expect(codeOf(bomb)).toBe('inconsistent');
  });

  it('is refused over the limit of the reader, and only then', () => {
    expect(codeOf(GOOD, 3)).toBe('too-large');
    expect(codeOf(GOOD, 4)).toBe('read');
  });

  it('cannot name keys of its own in what is handed out', () => {
    const bytes = forge((header) => {
      header.kernel = { ...(header.kernel as object), extra: 1, thp: JSON.parse('{"__proto__": "x"}') as unknown };
    });
    const { kernel } = readSnapshot(bytes);
    expect(Object.keys(kernel)).not.toContain('extra');
    expect(Object.getPrototypeOf(kernel.thp)).toBe(Object.prototype);
  });
});
