/** Snapshots made of a few lines, for tests. */
import { NO_FRAME, PageFlag, PageKind, type Snapshot, type SnapshotVma } from '@thplab/capture';

/** Pages of a sample: `count` rows from `first` on, of one kind. */
export interface SampleRun {
  readonly first: number;
  readonly count: number;
  readonly kind: keyof typeof PageKind;
  /** Frame of the first; the others follow. Default: frames of their own. */
  readonly frame?: number;
  readonly order?: number;
  /** Default: what an ordinary page has. */
  readonly flags?: number;
}

/** A VMA of a sample, with its pages. */
export interface SampleVma extends Partial<Omit<SnapshotVma, 'startVpn' | 'endVpn'>> {
  readonly start: number;
  readonly pages: number;
  readonly runs: readonly SampleRun[];
}

/** Flags of an ordinary anonymous page. */
export const ORDINARY: number = PageFlag.exclusive | PageFlag.lru | PageFlag.swapBacked;

/** A snapshot of VMAs with pages. */
export function sampleSnapshot(sample: readonly SampleVma[], kernel: Partial<Snapshot['kernel']> = {}): Snapshot {
  const rows: { vpn: number; kind: number; frame: number; order: number; flags: number }[] = [];
  let free = 1 << 20;
  const vmas = sample.map(({ start, pages, runs, ...over }): SnapshotVma => {
    const firstRow = rows.length;
    for (const run of runs) {
      const kind = PageKind[run.kind];
      const present =
        kind === PageKind.anon || kind === PageKind.ksm || kind === PageKind.file || kind === PageKind.shmem;
      for (let i = 0; i < run.count; i++) {
        const frame = present ? (run.frame === undefined ? free : run.frame + i) : NO_FRAME;
        if (run.frame === undefined) free += 2;
        rows.push({
          vpn: start + run.first + i,
          kind,
          frame,
          order: run.order ?? 0,
          flags: run.flags ?? (present ? ORDINARY : 0),
        });
      }
    }
    return {
      startVpn: start,
      endVpn: start + pages,
      kind: 'anon',
      flags: ['VM_READ', 'VM_WRITE'],
      pageOffset: 0,
      fileIndex: 0,
      name: '',
      hasAnonVma: runs.some((run) => run.kind === 'anon' || run.kind === 'swap'),
      thpEligible: true,
      smapsKb: {},
      firstRow,
      rowCount: rows.length - firstRow,
      skippedPages: 0,
      pmdMappedExact: true,
      ...over,
    };
  });
  return {
    format: 'thplab/snapshot@1',
    capturedAt: '2026-01-02T03:04:05.678Z',
    process: { pid: 7, name: 'sample', threads: 1, thpEnabled: true, statusKb: {} },
    kernel: {
      release: '6.18.0',
      machine: 'x86_64',
      pageSize: 4096,
      pmdOrder: 9,
      thp: { enabled: 'always [madvise] never', 'khugepaged/scan_sleep_millisecs': '1000' },
      memTotalKb: 4 << 20,
      memFreeKb: 2 << 20,
      freeBlocks: [],
      ...kernel,
    },
    vmas,
    pages: {
      length: rows.length,
      vpn: Float64Array.from(rows, (row) => row.vpn),
      kind: Uint8Array.from(rows, (row) => row.kind),
      frame: Uint32Array.from(rows, (row) => row.frame),
      order: Uint8Array.from(rows, (row) => row.order),
      flags: Uint16Array.from(rows, (row) => row.flags),
      mapcount: Uint16Array.from(rows, () => 1),
    },
    frameCount: 1 << 24,
    missing: [],
    notes: [],
    unexposed: [],
  };
}
