// The JSON parts of a snapshot file: header and VMAs, checked field by field and rebuilt, so that a reader never holds an
// object that the file made up.
import { SnapshotError } from './errors.js';
import { FILE_LIMITS, FRAMES_SECTION, SECTION_NAMES, type SectionEntry, type SectionName } from './file-layout.js';
import {
  asArray,
  asBoolean,
  asBooleanOrNull,
  asCount,
  asCountOrNull,
  asCounts,
  asObject,
  asOneOf,
  asString,
  asStrings,
  type JsonLimits,
  parseJson,
} from './json-check.js';
import { SMAPS_FIELDS } from './smaps.js';
import { SNAPSHOT_FORMAT, type Snapshot, type SnapshotKernel, type SnapshotVma, UNEXPOSED_FACTS } from './snapshot.js';
import { STATUS_FIELDS } from './status.js';

/** The header of a file. */
export interface FileHeader {
  readonly snapshot: Omit<Snapshot, 'vmas' | 'pages'>;
  readonly rows: number;
  readonly vmaCount: number;
  readonly sections: readonly SectionEntry[];
}

const U32_MAX = 2 ** 32 - 1;
const HEADER_JSON: JsonLimits = { depth: 5, containers: 10_000, items: 100_000 };
const VMA_KINDS = ['anon', 'shmem', 'file', 'hugetlb', 'special'] as const;

/** Reads the header from its bytes. @throws SnapshotError */
export function readHeader(bytes: Uint8Array): FileHeader {
  const header = asObject(parseJson(bytes, 'header', HEADER_JSON), 'header');
  if (header.format !== SNAPSHOT_FORMAT) {
    const shown = String(JSON.stringify(header.format)).slice(0, 80);
    throw new SnapshotError(
      'unsupported-version',
      `The file's format is ${shown}; this reader knows ${SNAPSHOT_FORMAT}.`,
    );
  }
  const process = asObject(header.process, 'process');
  const unexposed = asStrings(header.unexposed, 'unexposed');
  return {
    snapshot: {
      format: SNAPSHOT_FORMAT,
      capturedAt: asString(header.capturedAt, 'capturedAt'),
      process: {
        pid: asCount(process.pid, 'process.pid'),
        name: asString(process.name, 'process.name'),
        threads: asCount(process.threads, 'process.threads'),
        thpEnabled: asBooleanOrNull(process.thpEnabled, 'process.thpEnabled'),
        statusKb: asCounts(process.statusKb, 'process.statusKb', STATUS_FIELDS),
      },
      kernel: readKernel(header.kernel),
      frameCount: asCount(header.frameCount, 'frameCount', U32_MAX),
      missing: asStrings(header.missing, 'missing'),
      notes: asStrings(header.notes, 'notes'),
      unexposed: UNEXPOSED_FACTS.filter((fact) => unexposed.includes(fact)),
    },
    rows: asCount(header.rows, 'rows'),
    vmaCount: asCount(header.vmaCount, 'vmaCount', FILE_LIMITS.vmas),
    sections: readSections(header.sections),
  };
}

function readKernel(value: unknown): SnapshotKernel {
  const kernel = asObject(value, 'kernel');
  const pageSize = asCount(kernel.pageSize, 'kernel.pageSize', 2 ** 20);
  if (!Number.isInteger(Math.log2(pageSize)) || pageSize < 4096) {
    throw new SnapshotError(
      'inconsistent',
      `kernel.pageSize should be a power of two from 4096 on, but is ${pageSize}.`,
    );
  }
  const thp = asObject(kernel.thp, 'kernel.thp');
  const zones = asArray(kernel.freeBlocks, 'kernel.freeBlocks', 4096);
  return {
    release: asString(kernel.release, 'kernel.release'),
    machine: asString(kernel.machine, 'kernel.machine'),
    pageSize,
    pmdOrder: asCount(kernel.pmdOrder, 'kernel.pmdOrder', 20),
    thp: Object.fromEntries(Object.entries(thp).map(([path, text]) => [path, asString(text, `kernel.thp.${path}`)])),
    memTotalKb: asCountOrNull(kernel.memTotalKb, 'kernel.memTotalKb'),
    memFreeKb: asCountOrNull(kernel.memFreeKb, 'kernel.memFreeKb'),
    freeBlocks: zones.map((item, index) => {
      const path = `kernel.freeBlocks[${index}]`;
      const zone = asObject(item, path);
      return {
        node: asCount(zone.node, `${path}.node`),
        zone: asString(zone.zone, `${path}.zone`),
        blocks: asArray(zone.blocks, `${path}.blocks`, 64).map((count) => asCount(count, `${path}.blocks`)),
      };
    }),
  };
}

function readSections(value: unknown): SectionEntry[] {
  const list = asArray(value, 'sections', SECTION_NAMES.length + 1);
  const names = list.length > SECTION_NAMES.length ? [...SECTION_NAMES, FRAMES_SECTION] : SECTION_NAMES;
  return names.map((name, index) => {
    const path = `sections[${index}]`;
    const section = asObject(list[index] ?? null, path);
    return {
      name: asOneOf<SectionName>(section.name, `${path}.name`, [name as SectionName]),
      storedBytes: asCount(section.storedBytes, `${path}.storedBytes`),
      rawBytes: asCount(section.rawBytes, `${path}.rawBytes`),
      crc32: asCount(section.crc32, `${path}.crc32`, U32_MAX),
    };
  });
}

/** A VMA as it stands in a file: the rows are worked out from the page numbers. */
export type StoredVma = Omit<SnapshotVma, 'firstRow' | 'rowCount'>;

/** Reads the section of the VMAs, and checks that they ascend without overlap. @throws SnapshotError */
export function readVmas(bytes: Uint8Array, vmaCount: number): StoredVma[] {
  const list = asArray(parseJson(bytes, 'list of VMAs', vmaJson(vmaCount)), 'vmas', FILE_LIMITS.vmas);
  if (list.length !== vmaCount) {
    throw new SnapshotError('inconsistent', `There are ${list.length} VMAs; the header says ${vmaCount}.`);
  }
  let before = 0;
  return list.map((item, index) => {
    const vma = readVma(item, `vmas[${index}]`);
    if (vma.startVpn < before || vma.endVpn <= vma.startVpn) {
      const message = `vmas[${index}] from page ${vma.startVpn} to ${vma.endVpn} is empty or overlaps the one before.`;
      throw new SnapshotError('inconsistent', message);
    }
    before = vma.endVpn;
    return vma;
  });
}

/** A VMA is an object with a list of flags and an object of smaps fields: three containers, some sixty items. */
function vmaJson(vmaCount: number): JsonLimits {
  return { depth: 3, containers: 3 * vmaCount + 1, items: 100 * vmaCount };
}

function readVma(value: unknown, path: string): StoredVma {
  const vma = asObject(value, path);
  return {
    startVpn: asCount(vma.startVpn, `${path}.startVpn`),
    endVpn: asCount(vma.endVpn, `${path}.endVpn`),
    kind: asOneOf(vma.kind, `${path}.kind`, VMA_KINDS),
    flags: asStrings(vma.flags, `${path}.flags`),
    pageOffset: asCount(vma.pageOffset, `${path}.pageOffset`),
    fileIndex: asCount(vma.fileIndex, `${path}.fileIndex`),
    name: asString(vma.name, `${path}.name`),
    hasAnonVma: asBoolean(vma.hasAnonVma, `${path}.hasAnonVma`),
    thpEligible: asBooleanOrNull(vma.thpEligible, `${path}.thpEligible`),
    smapsKb: asCounts(vma.smapsKb, `${path}.smapsKb`, SMAPS_FIELDS),
    skippedPages: asCount(vma.skippedPages, `${path}.skippedPages`),
    pmdMappedExact: asBoolean(vma.pmdMappedExact, `${path}.pmdMappedExact`),
  };
}
