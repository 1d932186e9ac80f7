// Small snapshots for tests, made of rows rather than of a process.
import { NO_FRAME, PageKind } from '../page-kind.js';
import { SNAPSHOT_FORMAT, type Snapshot, type SnapshotPages, type SnapshotVma, UNEXPOSED_FACTS } from '../snapshot.js';

/** One page of a sample. */
export interface SampleRow {
  readonly vpn: number;
  readonly kind: number;
  readonly frame?: number;
  readonly order?: number;
  readonly flags?: number;
  readonly mapcount?: number;
}

/** Columns from rows. */
export function samplePages(rows: readonly SampleRow[]): SnapshotPages {
  return {
    length: rows.length,
    vpn: Float64Array.from(rows, (row) => row.vpn),
    kind: Uint8Array.from(rows, (row) => row.kind),
    frame: Uint32Array.from(rows, (row) => row.frame ?? NO_FRAME),
    order: Uint8Array.from(rows, (row) => row.order ?? 0),
    flags: Uint16Array.from(rows, (row) => row.flags ?? 0),
    mapcount: Uint16Array.from(rows, (row) => row.mapcount ?? 0),
  };
}

/** A VMA with usual values. */
export function sampleVma(over: Partial<SnapshotVma> & Pick<SnapshotVma, 'startVpn' | 'endVpn'>): SnapshotVma {
  return {
    kind: 'anon',
    flags: ['VM_READ', 'VM_WRITE'],
    pageOffset: 0,
    fileIndex: 0,
    name: '',
    hasAnonVma: true,
    thpEligible: true,
    smapsKb: {},
    firstRow: 0,
    rowCount: 0,
    skippedPages: 0,
    pmdMappedExact: true,
    ...over,
  };
}

/** A snapshot around VMAs and pages. */
export function sampleSnapshot(
  vmas: readonly SnapshotVma[],
  pages: SnapshotPages,
  over: Partial<Snapshot> = {},
): Snapshot {
  return {
    format: SNAPSHOT_FORMAT,
    capturedAt: '2026-01-02T03:04:05.678Z',
    process: { pid: 7, name: 'sample', threads: 1, thpEnabled: true, statusKb: { VmRSS: 4 } },
    kernel: {
      release: '6.18.0',
      machine: 'x86_64',
      pageSize: 4096,
      pmdOrder: 9,
      thp: { enabled: 'always [madvise] never', 'khugepaged/max_ptes_none': '511' },
      memTotalKb: 1024,
      memFreeKb: null,
      freeBlocks: [{ node: 0, zone: 'Normal', blocks: [1, 0, 3] }],
    },
    vmas,
    pages,
    frameCount: 1000,
    missing: [],
    notes: ['a note'],
    unexposed: UNEXPOSED_FACTS,
    ...over,
  };
}

/** Two VMAs and four pages. */
export function smallSnapshot(): Snapshot {
  const pages = samplePages([
    { vpn: 100, kind: PageKind.anon, frame: 512, order: 2, flags: 0x211, mapcount: 1 },
    { vpn: 101, kind: PageKind.anon, frame: 513, order: 2, flags: 0x211, mapcount: 1 },
    { vpn: 105, kind: PageKind.swap },
    { vpn: 2 ** 35, kind: PageKind.file, frame: 3, flags: 0x10, mapcount: 40 },
  ]);
  const vmas = [
    sampleVma({ startVpn: 100, endVpn: 200, firstRow: 0, rowCount: 3, smapsKb: { Rss: 8, Swap: 4 } }),
    sampleVma({
      startVpn: 2 ** 35,
      endVpn: 2 ** 35 + 9,
      kind: 'file',
      name: 'lib.so',
      fileIndex: 1,
      firstRow: 3,
      rowCount: 1,
    }),
  ];
  return sampleSnapshot(vmas, pages);
}
