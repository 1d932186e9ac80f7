// Captures of made-up processes: page states and privileges that the machine of the test does not have.
import { afterEach, describe, expect, it } from 'vitest';
import { type CaptureOptions, type CaptureResult, captureProcess } from './capture.js';
import { CaptureError, type CaptureErrorCode } from './errors.js';
import { MAPCOUNT_MAX, NO_FRAME, ORDER_UNKNOWN, PageFlag, PageKind } from './page-kind.js';
import type { CaptureProgress } from './progress.js';
import { readSnapshot } from './read-snapshot.js';
import type { SnapshotPages } from './snapshot.js';
import { FAKE_PID, type FakeProcess, fakeProc, smapsVma, type Word } from './testing/fake-proc.js';
import { writeSnapshot } from './write-snapshot.js';

const bit = (n: number): bigint => 1n << BigInt(n);
const PRESENT = bit(63);
const SWAP = bit(62);
const FILE = bit(61);
const EXCLUSIVE = bit(56);
const ANON_FLAGS = bit(5) | bit(12) | bit(14);
const HEAD = bit(15) | bit(22) | ANON_FLAGS;
const TAIL = bit(16) | bit(22) | ANON_FLAGS;

const removers: (() => void)[] = [];
afterEach(() => {
  for (const remove of removers.splice(0)) remove();
});

async function capture(fake: FakeProcess, over: Partial<CaptureOptions> = {}): Promise<CaptureResult> {
  const { procRoot, sysRoot, remove } = fakeProc(fake);
  removers.push(remove);
  return captureProcess({ pid: FAKE_PID, procRoot, sysRoot, ...over });
}

async function codeOf(promise: Promise<unknown>): Promise<CaptureErrorCode | 'captured'> {
  try {
    await promise;
    return 'captured';
  } catch (error) {
    if (error instanceof CaptureError) return error.code;
    throw error;
  }
}

function columns(pages: SnapshotPages): Record<string, number[]> {
  const { vpn, kind, frame, order, mapcount } = pages;
  return { vpn: [...vpn], kind: [...kind], frame: [...frame], order: [...order], mapcount: [...mapcount] };
}

/** One VMA at page 0x1000 of 16 pages. */
const HEAD_LINE = '01000000-01010000 rw-p 00000000 00:00 0 ';
const oneVma = (kb: Record<string, number>): string => smapsVma(HEAD_LINE, { Rss: 0, Swap: 0, ...kb });
const at = (page: number, value: bigint): Word => [0x1000 + page, value];

describe('with frames visible', () => {
  const fake: FakeProcess = {
    smaps: oneVma({ Rss: 28, Swap: 4, Anonymous: 28 }),
    pagemapEnd: 0x2000,
    pagemap: [
      at(0, PRESENT | EXCLUSIVE | 0x804n),
      at(1, PRESENT | EXCLUSIVE | 0x805n),
      at(2, PRESENT | 0x7n),
      at(3, PRESENT | 0x9000n),
      at(4, SWAP | (77n << 5n)),
      at(5, SWAP | bit(58) | 31n),
      at(6, SWAP | bit(57) | 31n),
      at(8, PRESENT | EXCLUSIVE | 0x806n),
      at(9, PRESENT | EXCLUSIVE | 0x5000n),
    ],
    kpageflags: [
      [0x7, ANON_FLAGS | bit(21)],
      [0x804, HEAD],
      [0x805, TAIL],
      [0x806, TAIL],
      [0x807, TAIL],
      [0x5000, bit(5) | bit(12) | bit(33)],
      [0x9000, bit(24)],
    ],
    kpagecount: [
      [0x7, 90_000n],
      [0x804, 1n],
      [0x805, 1n],
      [0x806, 2n],
      [0x5000, 1n],
      [0x9000, 0n],
    ],
  };

  it('tells mTHP, KSM, zero page, swap, guard and marker apart, and numbers frames anew', async () => {
    const { snapshot } = await capture(fake);
    const { anon, ksm, zero, swap, guard, marker } = PageKind;
    expect(columns(snapshot.pages)).toEqual({
      vpn: [0, 1, 2, 3, 4, 5, 6, 8, 9].map((page) => 0x1000 + page),
      kind: [anon, anon, ksm, zero, swap, guard, marker, anon, anon],
      // Frames 7 | 0x804..0x807 | 0x5000 | 0x9000 become 0 | 4..7 | 9 | 11: the folio of four stays aligned.
      frame: [4, 5, 0, 11, NO_FRAME, NO_FRAME, NO_FRAME, 6, 9],
      order: [2, 2, 0, 0, 0, 0, 0, 2, 0],
      mapcount: [1, 1, MAPCOUNT_MAX, 0, 0, 0, 0, 2, 1],
    });
    expect(snapshot.frameCount).toBe(13);
    expect(snapshot.missing).toEqual([]);
    const { flags } = snapshot.pages;
    expect(flags[0]).toBe(PageFlag.exclusive | PageFlag.lru | PageFlag.swapBacked);
    expect(flags[6]).toBe(PageFlag.uffdWp);
    // Anonymous without swapBacked is lazyfree; mlocked comes from the upper half of the word.
    expect(flags[8]).toBe(PageFlag.exclusive | PageFlag.lru | PageFlag.mlocked);
  });

  it('keeps the frame numbers of the machine only when asked to', async () => {
    const { snapshot } = await capture(fake, { keepFrames: true });
    expect([...(snapshot.pages.pfn ?? [])]).toEqual([0x804, 0x805, 0x7, 0x9000, 0, 0, 0, 0x806, 0x5000]);
    expect((await capture(fake)).snapshot.pages.pfn).toBeUndefined();
  });

  it('keeps what surrounds the pages', async () => {
    const { snapshot, timingsMs } = await capture(fake);
    expect(snapshot.process).toEqual({
      pid: FAKE_PID,
      name: 'fake server',
      threads: 3,
      thpEnabled: true,
      statusKb: { VmSize: 4096, VmRSS: 100 },
    });
    expect(snapshot.kernel.thp).toEqual({ enabled: 'always [madvise] never', 'khugepaged/max_ptes_none': '511' });
    expect(snapshot.vmas).toHaveLength(1);
    expect(snapshot.vmas[0]).toMatchObject({
      kind: 'anon',
      startVpn: 0x1000,
      endVpn: 0x1010,
      hasAnonVma: true,
      rowCount: 9,
    });
    expect(snapshot.vmas[0].flags).toContain('VM_WRITE');
    expect(Object.keys(timingsMs)).toEqual(['smaps', 'pagemap', 'kpageflags', 'kpagecount', 'assemble']);
    expect(readSnapshot(writeSnapshot(snapshot))).toEqual(snapshot);
  });

  it('says what is missing without kpageflags, and keeps the alignment of the folios there may be', async () => {
    const { snapshot } = await capture({ ...fake, kpageflags: null });
    expect(snapshot.missing).toHaveLength(1);
    expect(snapshot.missing[0]).toMatch(/kpageflags cannot be read.*root/);
    expect([...snapshot.pages.order.subarray(0, 4)]).toEqual([
      ORDER_UNKNOWN,
      ORDER_UNKNOWN,
      ORDER_UNKNOWN,
      ORDER_UNKNOWN,
    ]);
    expect(snapshot.pages.frame[0] % 512).toBe(4);
    expect(snapshot.pages.mapcount[7]).toBe(2);
  });

  it('says what is missing without kpagecount', async () => {
    const { snapshot } = await capture({ ...fake, kpagecount: null });
    expect(snapshot.missing[0]).toMatch(/Map counts are unknown/);
    expect(snapshot.pages.order[0]).toBe(2);
  });

  it('reports progress through all phases', async () => {
    const seen: CaptureProgress[] = [];
    await capture(fake, { onProgress: (progress) => seen.push(progress) });
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual([
      'smaps',
      'pagemap',
      'kpageflags',
      'kpagecount',
      'assemble',
    ]);
  });

  it('takes the order of hugetlb pages from smaps', async () => {
    const smaps = smapsVma(
      '40000000-80000000 rw-p 00000000 00:0f 9   /anon_hugepage (deleted)',
      { KernelPageSize: 1_048_576, Private_Hugetlb: 8 },
      'rd wr ht',
    );
    const base = `${oneVma({})}${smaps}`;
    const { snapshot } = await capture({
      smaps: base,
      pagemapEnd: 0x80000,
      pagemap: [
        [0x40000, PRESENT | EXCLUSIVE | FILE | 0x40000n],
        [0x40001, PRESENT | EXCLUSIVE | FILE | 0x40001n],
      ],
      kpageflags: [
        [0x40000, bit(15) | bit(17)],
        [0x40001, bit(16) | bit(17)],
      ],
      kpagecount: [],
    });
    expect(columns(snapshot.pages)).toMatchObject({
      kind: [PageKind.hugetlb, PageKind.hugetlb],
      order: [18, 18],
      frame: [0, 1],
    });
    expect(snapshot.vmas[1].kind).toBe('hugetlb');
  });
});

describe('with frames hidden', () => {
  it('still has presence, swap, files and exclusive pages; orders and frames are unknown, and it says so', async () => {
    const { snapshot } = await capture({
      smaps: oneVma({ Rss: 12, Swap: 4 }),
      pagemapEnd: 0x2000,
      pagemap: [at(0, PRESENT | EXCLUSIVE), at(1, PRESENT), at(2, SWAP), at(3, PRESENT | FILE)],
    });
    expect(columns(snapshot.pages)).toMatchObject({
      kind: [PageKind.anon, PageKind.anon, PageKind.swap, PageKind.file],
      frame: [NO_FRAME, NO_FRAME, NO_FRAME, NO_FRAME],
      order: [ORDER_UNKNOWN, ORDER_UNKNOWN, 0, ORDER_UNKNOWN],
    });
    expect(snapshot.frameCount).toBe(0);
    expect(snapshot.missing).toHaveLength(1);
    expect(snapshot.missing[0]).toMatch(/hidden.*root \(CAP_SYS_ADMIN\)/);
  });

  it('cannot keep frame numbers, and says so', async () => {
    const fake = { smaps: oneVma({ Rss: 4 }), pagemapEnd: 0x2000, pagemap: [at(0, PRESENT | EXCLUSIVE)] };
    const { snapshot } = await capture(fake, { keepFrames: true });
    expect(snapshot.pages.pfn).toBeUndefined();
    expect(snapshot.missing.join(' ')).toMatch(/could not be kept.*root/);
  });

  it('concludes from Rss which pages are zero pages, where that is certain', async () => {
    const pagemap = [at(0, PRESENT | EXCLUSIVE), at(1, PRESENT), at(2, PRESENT)];
    const certain = await capture({ smaps: oneVma({ Rss: 4 }), pagemapEnd: 0x2000, pagemap });
    expect([...certain.snapshot.pages.kind]).toEqual([PageKind.anon, PageKind.zero, PageKind.zero]);
    const open = await capture({ smaps: oneVma({ Rss: 8 }), pagemapEnd: 0x2000, pagemap });
    expect([...open.snapshot.pages.kind]).toEqual([PageKind.anon, PageKind.anon, PageKind.anon]);
  });

  it('learns PMD-mapped folios from smaps', async () => {
    const pagemap = Array.from({ length: 512 }, (_, page): Word => [0x1000 + page, PRESENT | EXCLUSIVE]);
    const smaps = smapsVma('01000000-01200000 rw-p 00000000 00:00 0 ', {
      Rss: 2048,
      AnonHugePages: 2048,
      Anonymous: 2048,
    });
    const { snapshot } = await capture({ smaps, pagemapEnd: 0x2000, pagemap });
    expect(snapshot.pages.order.every((order) => order === 9)).toBe(true);
    expect(snapshot.pages.flags.every((flags) => (flags & PageFlag.pmdMapped) !== 0)).toBe(true);
    expect(snapshot.vmas[0].pmdMappedExact).toBe(true);
  });
});

describe('a large reservation', () => {
  const reservation = smapsVma('100000000-10100000000 ---p 00000000 00:00 0 ', { Rss: 0, Swap: 0 });

  it('is not read, and the notes say so', async () => {
    // The file ends before the reservation: reading it would fail.
    const { snapshot } = await capture({ smaps: oneVma({}) + reservation, pagemapEnd: 0x2000, pagemap: [] });
    expect(snapshot.vmas[1].skippedPages).toBe(2 ** 28);
    expect(snapshot.notes).toEqual([
      expect.stringMatching(/^1024\.0 GiB of address space in 1 mapping\(s\) were not read: a large reservation/),
    ]);
  });

  it('with something in it is read until that was found', async () => {
    const smaps = smapsVma('100000000-10100000000 rw-p 00000000 00:00 0 ', { Rss: 4, Swap: 0 });
    const { snapshot } = await capture({ smaps, pagemapEnd: 0x110000, pagemap: [[0x100005, PRESENT | EXCLUSIVE]] });
    expect([...snapshot.pages.vpn]).toEqual([0x100005]);
    expect(snapshot.vmas[0].skippedPages).toBe(2 ** 28 - 8192);
    expect(snapshot.notes[0]).toMatch(/everything that smaps counts had been found/);
  });
});

describe('a capture that cannot be made', () => {
  const smaps = oneVma({ Rss: 8 });
  const pagemap = [at(0, PRESENT | EXCLUSIVE), at(1, PRESENT | EXCLUSIVE)];

  it('tells a process that ended in the middle: pagemap ends early, or smaps is empty', async () => {
    expect(await codeOf(capture({ smaps, pagemap: [], pagemapEnd: 0 }))).toBe('process-ended');
    expect(await codeOf(capture({ smaps: '', pagemap, pagemapEnd: 0x2000 }))).toBe('process-ended');
  });

  it('tells zombies and kernel threads', async () => {
    const status = (name: string, state: string): string => `Name:\t${name}\nState:\t${state}\n`;
    expect(await codeOf(capture({ smaps, pagemap, pagemapEnd: 0x2000, status: status('x', 'Z (zombie)') }))).toBe(
      'no-memory',
    );
    expect(
      await codeOf(capture({ smaps, pagemap, pagemapEnd: 0x2000, status: status('kswapd0', 'S (sleeping)') })),
    ).toBe('no-memory');
  });

  it('tells a process that is not there, and a pid that is none', async () => {
    expect(await codeOf(captureProcess({ pid: 1, procRoot: '/nowhere' }))).toBe('no-such-process');
    expect(await codeOf(captureProcess({ pid: -1 }))).toBe('bad-argument');
    expect(await codeOf(captureProcess({ pid: 1.5 }))).toBe('bad-argument');
  });

  it('stops at the limit of pages', async () => {
    const many = Array.from({ length: 1100 }, (_, page): Word => at(page, PRESENT | EXCLUSIVE));
    const large = smapsVma('01000000-02000000 rw-p 00000000 00:00 0 ', { Rss: 4400 });
    const fake = { smaps: large, pagemap: many, pagemapEnd: 0x3000 };
    expect(await codeOf(capture(fake, { maxPages: 1099 }))).toBe('too-large');
    expect(await codeOf(capture(fake, { maxPages: 1100 }))).toBe('captured');
  });

  it('rejects with the reason of the signal', async () => {
    const reason = new Error('enough');
    await expect(capture({ smaps, pagemap, pagemapEnd: 0x2000 }, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });
});

describe('names', () => {
  const smaps =
    oneVma({}) +
    smapsVma('02000000-02001000 r--p 00000000 fe:00 77   /home/me/lib.so', {}) +
    smapsVma('02001000-02002000 r--p 00001000 fe:00 77   /home/me/lib.so', {});

  it.each([
    ['full', '/home/me/lib.so', 'fake server'],
    ['base', 'lib.so', 'fake server'],
    ['none', '', ''],
  ] as const)('are kept as asked for: %s', async (names, mapping, name) => {
    const { snapshot } = await capture({ smaps, pagemap: [], pagemapEnd: 0x3000 }, { names });
    expect(snapshot.vmas.map((vma) => vma.name)).toEqual(['', mapping, mapping]);
    expect(snapshot.process.name).toBe(name);
    expect(snapshot.vmas.map((vma) => [vma.fileIndex, vma.pageOffset])).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
    ]);
  });
});
