// Captures of real processes, which the tests start, held against what the child says it did and against smaps.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CaptureResult, captureProcess } from './capture.js';
import { CaptureError } from './errors.js';
import { MAPCOUNT_MAX, NO_FRAME, ORDER_UNKNOWN, PageFlag, PageKind } from './page-kind.js';
import type { CaptureProgress } from './progress.js';
import { readSnapshot } from './read-snapshot.js';
import type { Snapshot, SnapshotPages, SnapshotVma } from './snapshot.js';
import {
  hasPython,
  nodeHeapScript,
  PYTHON_REGIONS,
  type ReadyChild,
  startChild,
  whyNoLiveCapture,
} from './testing/children.js';
import type { TotalsCheck } from './totals.js';
import { writeSnapshot } from './write-snapshot.js';

const whyNot = whyNoLiveCapture();
const whyNoPython = whyNot ?? (hasPython() ? null : 'no python3');
if (whyNoPython !== null) console.log(`captures of real processes are not tested in full: ${whyNoPython}`);

async function withChild<T>(start: Promise<ReadyChild>, use: (child: ReadyChild) => Promise<T>): Promise<T> {
  const child = await start;
  try {
    return await use(child);
  } finally {
    await child.end();
  }
}

const nodeChild = (bytes: number, ids: { uid?: number; gid?: number } = {}): Promise<ReadyChild> =>
  startChild(process.execPath, ['-e', nodeHeapScript(bytes)], ids);

interface Region {
  readonly rows: readonly number[];
  readonly vma: SnapshotVma;
}

/** The rows of a region that the child reported. */
function region(snapshot: Snapshot, report: Readonly<Record<string, number>>, name: string): Region {
  const first = report[name] / 4096;
  const end = first + report[`${name}_len`] / 4096;
  const rows: number[] = [];
  snapshot.pages.vpn.forEach((vpn, row) => {
    if (vpn >= first && vpn < end) rows.push(row);
  });
  const vma = snapshot.vmas.find((one) => one.startVpn <= first && end <= one.endVpn);
  if (vma === undefined) throw new Error(`no VMA holds ${name}`);
  return { rows, vma };
}

function count(pages: SnapshotPages, rows: readonly number[], kind: number, flags = 0, order?: number): number {
  return rows.filter(
    (row) =>
      pages.kind[row] === kind &&
      (pages.flags[row] & flags) === flags &&
      (order === undefined || pages.order[row] === order),
  ).length;
}

/** Sums that differ, but for private and shared: whose libraries are mapped elsewhere changes while others start and end. */
function ownDifferences({ differing }: TotalsCheck): TotalsCheck['differing'] {
  return differing.filter(({ field }) => field !== 'Private' && field !== 'Shared');
}

describe.skipIf(whyNot !== null)('a Node process', () => {
  it('is captured whole: every sum equals that of smaps, and the file gives it back', async () => {
    await withChild(nodeChild(64 * 2 ** 20), async ({ pid }) => {
      const { snapshot, totals } = await captureProcess({ pid });
      expect(snapshot.missing).toEqual([]);
      expect(ownDifferences(totals)).toEqual([]);
      const anonymous = totals.rows.find((row) => row.field === 'Anonymous');
      expect(anonymous?.snapshotKb).toBeGreaterThanOrEqual(64 * 1024);
      expect(readSnapshot(writeSnapshot(snapshot))).toEqual(snapshot);
    });
  });
});

describe.skipIf(whyNoPython !== null)('a process with memory in every state', () => {
  it('is told apart page by page', async () => {
    await withChild(startChild('python3', ['-c', PYTHON_REGIONS]), async ({ pid, report }) => {
      const { snapshot, totals } = await captureProcess({ pid });
      const { pages } = snapshot;
      expect(ownDifferences(totals)).toEqual([]);
      const of = (name: string): Region => region(snapshot, report, name);

      const sparse = of('sparse');
      expect(sparse.rows).toHaveLength(64);
      expect(sparse.rows.every((row, i) => pages.vpn[row] === report.sparse / 4096 + 16 * i)).toBe(true);
      expect(count(pages, sparse.rows, PageKind.anon, PageFlag.exclusive | PageFlag.swapBacked, 0)).toBe(64);
      expect(sparse.vma.flags).toContain('VM_NOHUGEPAGE');

      const zero = of('zero');
      expect(count(pages, zero.rows, PageKind.zero)).toBe(100);
      expect(zero.rows).toHaveLength(100);
      expect(new Set(zero.rows.map((row) => pages.frame[row])).size).toBe(1);

      const shmem = of('shmem');
      expect(count(pages, shmem.rows, PageKind.shmem)).toBe(64);
      expect(shmem.vma.kind).toBe('shmem');

      const guard = of('guard');
      expect(count(pages, guard.rows, PageKind.anon)).toBe(8);
      expect(count(pages, guard.rows, PageKind.guard)).toBe(report.guards);

      const lazy = of('lazy');
      const lazyPages = lazy.rows.filter((row) => (pages.flags[row] & PageFlag.swapBacked) === 0).length;
      // The last pages of a call wait in a batch of 31 for the next drain, which may come between two reads.
      expect(Math.abs(lazyPages - (lazy.vma.smapsKb.LazyFree ?? Number.NaN) / 4)).toBeLessThanOrEqual(31);
      expect(lazyPages).toBeGreaterThan(0);

      const forked = of('forked');
      const shared = forked.rows.filter((row) => pages.mapcount[row] === 2);
      expect(shared).toHaveLength(502);
      expect(shared.some((row) => (pages.flags[row] & PageFlag.exclusive) !== 0)).toBe(false);
      expect(
        forked.rows.filter((row) => pages.mapcount[row] === 1).map((row) => pages.vpn[row] - report.forked / 4096),
      ).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
  });

  it('keeps huge folios whole: mapped by a PMD, or page by page around a hole', async (context) => {
    await withChild(startChild('python3', ['-c', PYTHON_REGIONS]), async ({ pid, report }) => {
      const { snapshot } = await captureProcess({ pid });
      const { pages } = snapshot;
      const huge = region(snapshot, report, 'huge');
      const holed = region(snapshot, report, 'holed');
      if (huge.vma.smapsKb.AnonHugePages !== 6144 || pages.order[holed.rows[0]] !== 9) {
        context.skip('this machine gave no huge pages at the fault');
      }
      expect(count(pages, huge.rows, PageKind.anon, PageFlag.pmdMapped, 9)).toBe(1536);
      for (const row of huge.rows) expect(pages.frame[row] % 512).toBe(pages.vpn[row] % 512);
      expect(holed.rows).toHaveLength(511);
      expect(count(pages, holed.rows, PageKind.anon, 0, 9)).toBe(511);
      expect(count(pages, holed.rows, PageKind.anon, PageFlag.pmdMapped)).toBe(0);
      const heads = new Set(holed.rows.map((row) => pages.frame[row] - (pages.vpn[row] % 512)));
      expect([...heads].map((head) => head % 512)).toEqual([0]);
    });
  });
});

/** Runs with the effective user nobody, which may neither see frames nor trace root's processes. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  process.setegid?.(65534);
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

const mayChangeUser = whyNot === null && process.seteuid !== undefined;

describe.skipIf(!mayChangeUser)('without privilege', () => {
  it('an own process is captured with presence, sums and PMD mappings; the rest is named as missing', async () => {
    await withChild(nodeChild(16 * 2 ** 20, { uid: 65534, gid: 65534 }), async ({ pid }) => {
      const { snapshot, totals }: CaptureResult = await asNobody(() => captureProcess({ pid }));
      expect(snapshot.missing).toHaveLength(1);
      expect(snapshot.pages.frame.every((frame) => frame === NO_FRAME)).toBe(true);
      expect(snapshot.pages.mapcount.every((mapcount) => mapcount === 0 && mapcount < MAPCOUNT_MAX)).toBe(true);
      expect(
        count(snapshot.pages, [...snapshot.pages.kind.keys()], PageKind.anon, PageFlag.exclusive, ORDER_UNKNOWN),
      ).toBeGreaterThan(4096);
      expect(ownDifferences(totals)).toEqual([]);
      expect(readSnapshot(writeSnapshot(snapshot))).toEqual(snapshot);
    });
  });

  it("another user's process is refused with the errno", async () => {
    await withChild(nodeChild(2 ** 20), async ({ pid }) => {
      const error: unknown = await asNobody(() => captureProcess({ pid })).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(CaptureError);
      expect(error).toMatchObject({ code: 'not-permitted', errno: 'EACCES' });
    });
  });
});

describe.skipIf(whyNot !== null)('a process that ends', () => {
  it('before the capture is not there', async () => {
    const child = await nodeChild(2 ** 20);
    await child.end();
    await expect(captureProcess({ pid: child.pid })).rejects.toMatchObject({ code: 'no-such-process' });
  });

  it('during the capture is noticed', async () => {
    await withChild(nodeChild(2 ** 20), async ({ pid }) => {
      const onProgress = ({ phase }: CaptureProgress): void => {
        if (phase === 'pagemap') killAndAwaitZombie(pid);
      };
      await expect(captureProcess({ pid, onProgress })).rejects.toMatchObject({ code: 'process-ended' });
    });
  });
});

/** Kills a child and returns when its last thread has let go of the memory. As nothing reaps it meanwhile, it stays visible. */
function killAndAwaitZombie(pid: number): void {
  process.kill(pid, 'SIGKILL');
  const alive = (): boolean =>
    readdirSync(`/proc/${pid}/task`).length > 1 || !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  while (alive());
}
