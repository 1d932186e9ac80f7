import { setBit } from '@thplab/arena';
import {
  FOLIO,
  findPmd,
  findTable,
  folioHead,
  folioOrder,
  injectAllocationFailure,
  type Machine,
  type MmId,
  mmap,
  mmapWriteLock,
  mmapWriteUnlock,
  NO_PMD,
  PMD,
  PTE_YOUNG,
  placeFolio,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  ptePfn,
  setFrameFlags,
  slotOf,
  updateMirrors,
  VM,
  type VmaId,
  type Vpn,
  vmaAt,
  vmasOf,
} from '@thplab/mm-model';
import { sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { khugepagedEnter, writeSysfs } from './index.js';
import { fill, makeProcess, makeSchedulerWorld, type SchedulerWorld } from './testing/scheduler-world.js';

const N = 512;

/** The worked example of khugepaged spec 6.2: ranges R0 to R4 of a 10 MiB VMA. */
function fiveRanges(w: SchedulerWorld): { mm: MmId } {
  const { mm, vma } = makeProcess(w, 0x10000, 5 * N);
  const page = (range: number): Vpn => (0x10000 + range * N) as Vpn;
  fill(w, vma, page(1), N);
  placeFolio(w.m, vma, page(2), 9, PTE_YOUNG, { pmdMapped: true });
  fill(w, vma, page(3), N);
  setBit(w.m.pte.uffdWp, pteBit(w.m, tableAt(w.m, mm, page(3)), 0));
  fill(w, vma, page(4), N);
  lockPage(w.m, mm, page(4), 7);
  w.run(() => khugepagedEnter(w.k, mm));
  return { mm };
}

function tableAt(m: Machine, mm: MmId, page: Vpn): never {
  return findTable(m, mm, page) as never;
}

function lockPage(m: Machine, mm: MmId, page: Vpn, slot: number): void {
  const head = folioHead(m, m.pte.pfn[pteCell(m, tableAt(m, mm, page), slot)]);
  setFrameFlags(m, head, FOLIO.LOCKED);
  updateMirrors(m, head);
}

/** Progress of each visit of an mm, as mm_khugepaged_scan tells it. */
function visits(w: SchedulerWorld): number[] {
  return [...w.tracer.reader().events()]
    .filter((event) => event.name === 'mm_khugepaged_scan')
    .map((event) => event.args.progress as number);
}

const SECOND = 1e9;

/** Lets the machine run up to a point of virtual time. */
function runUntil(w: SchedulerWorld, seconds: number): void {
  w.executor.run({ untilNs: seconds * SECOND });
}

describe('one pass', () => {
  it('charges what the worked example charges, ends after the list was gone through, and sleeps ten seconds', () => {
    const w = makeSchedulerWorld();
    w.write('hugepages-2048kB/enabled', 'never');
    w.write('hugepages-64kB/enabled', 'always');
    w.write('khugepaged/max_ptes_none', '0');
    const { mm } = fiveRanges(w);
    runUntil(w, 9.9);
    expect(visits(w)).toEqual([514, 11]);
    expect(w.k.t.khugepaged.pagesCollapsed[0]).toBe(1);
    expect(w.k.t.khugepaged.fullScans[0]).toBe(1);
    expect(w.k.t.khugepaged.cursorSlot[0]).toBe(0);
    expect(w.k.control.progress).toBe(4096);
    expect(mappedOrders(w, mm)).toEqual({ 0: 2 * N, 4: N, 9: N });
    const passes = w.k.t.khugepaged.passes[0];
    runUntil(w, 10.1);
    expect(w.k.t.khugepaged.passes[0]).toBe(passes + 1);
  });

  it('charges 512 for each range before the mTHP series, so that the default budget is eight ranges', () => {
    const w = makeSchedulerWorld({ profile: 'v6.18' });
    w.write('enabled', 'always');
    const { mm, vma } = makeProcess(w, 0x10000, 32 * N);
    fill(w, vma, 0x10000 + 31 * N, N);
    w.run(() => khugepagedEnter(w.k, mm));
    const ranges: number[] = [];
    for (let second = 5; second < 45; second += 10) {
      runUntil(w, second);
      ranges.push(w.k.t.khugepaged.rangesScanned[0]);
    }
    expect(ranges).toEqual([8, 16, 24, 32]);
    expect(w.k.t.khugepaged.pagesCollapsed[0]).toBe(1);
  });

  it('compares the budget only after a range, so that skipped VMAs may overrun it', () => {
    const w = makeSchedulerWorld({ profile: 'v6.18' });
    w.write('khugepaged/pages_to_scan', '100');
    const { mm } = makeProcess(w, 0x10000, 1);
    for (let i = 1; i < 300; i++)
      w.run(() => mmap(w.m, mm, { at: (0x10000 + 2 * i) as Vpn, pages: 1, fixed: 'replace' }));
    w.run(() =>
      mmap(w.m, mm, { at: 0x20000 as Vpn, pages: 2 * N, fixed: 'replace', flags: VM.READ | VM.WRITE | VM.HUGEPAGE }),
    );
    fill(w, vmaAt(w.m, mm, 0x20000) as VmaId, 0x20000, 2 * N);
    w.run(() => khugepagedEnter(w.k, mm));
    runUntil(w, 5);
    expect(w.k.control.progress).toBe(1 + 300 + N);
    expect(w.k.t.khugepaged.rangesScanned[0]).toBe(1);
  });

  it('treats an mm with a contended mmap_lock as finished, at no charge', () => {
    const w = makeSchedulerWorld();
    w.write('enabled', 'never');
    const { mm, vma } = makeProcess(w, 0x10000, N);
    fill(w, vma, 0x10000, N);
    w.executor.spawn('writer', function* () {
      yield* mmapWriteLock(w.m, mm);
      yield sleep(SECOND);
      yield* mmapWriteUnlock(w.m, mm);
    });
    runUntil(w, 0.1);
    w.run(() => khugepagedEnter(w.k, mm));
    w.executor.spawn('start', () => writeSysfs(w.k, 'enabled', 'always'), { startNs: 0.2 * SECOND });
    runUntil(w, 5);
    expect(visits(w)).toEqual([0]);
    expect(w.k.t.khugepaged.fullScans[0]).toBe(1);
    runUntil(w, 12);
    expect(w.k.t.khugepaged.pagesCollapsed[0]).toBe(1);
  });
});

describe('the order of processes', () => {
  it('is that of registration, each drained before the next, with a cursor that survives the sleep', () => {
    const w = makeSchedulerWorld({ profile: 'v6.18' });
    w.write('enabled', 'never');
    const processes = ['B', 'A', 'C'].map((name, i) => ({ name, ...makeProcess(w, 0x10000 * (i + 1), 6 * N) }));
    for (const { mm, vma } of processes) {
      fill(w, vma, w.m.vma.start[vma], 6 * N);
      w.run(() => khugepagedEnter(w.k, mm));
    }
    w.write('enabled', 'always');
    const huge = (): string => processes.map(({ name, mm }) => `${name}${w.m.mm.anonThps[mm]}`).join(' ');
    runUntil(w, 5);
    expect(huge()).toBe('B6 A2 C0');
    runUntil(w, 15);
    expect(huge()).toBe('B6 A6 C4');
    runUntil(w, 25);
    expect(huge()).toBe('B6 A6 C6');
  });
});

describe('a failed allocation', () => {
  /** A machine whose free memory has no block of 2 MiB: every allocation of order 9 fails. */
  function poorWorld(): SchedulerWorld {
    const w = makeSchedulerWorld();
    w.write('khugepaged/defrag', '0');
    injectAllocationFailure(w.m, { order: 9, nth: 1 });
    const { mm, vma } = makeProcess(w, 0x10000, 4 * N);
    fill(w, vma, 0x10000, 4 * N);
    w.write('enabled', 'always');
    w.run(() => khugepagedEnter(w.k, mm));
    return w;
  }

  it('makes khugepaged wait once for a minute, and leave the pass when it fails again', () => {
    const w = poorWorld();
    runUntil(w, 59);
    expect(w.k.t.khugepaged.rangesScanned[0]).toBe(1);
    runUntil(w, 61);
    expect(w.k.t.khugepaged.rangesScanned[0]).toBe(2);
    expect(w.k.t.khugepaged.fullScans[0]).toBe(0);
  });

  it('is waited out no longer when anything wakes the queue, such as a write to a sleep file', () => {
    const w = poorWorld();
    runUntil(w, 5);
    w.write('khugepaged/alloc_sleep_millisecs', '60000');
    runUntil(w, 6);
    expect(w.k.t.khugepaged.rangesScanned[0]).toBe(2);
  });
});

/** Mapped pages by the order of their folio. */
function mappedOrders(w: SchedulerWorld, mm: MmId): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const vma of vmasOf(w.m, mm)) {
    for (let page = w.m.vma.start[vma]; page < w.m.vma.end[vma]; page++) {
      const pfn = frameAt(w.m, mm, page as Vpn);
      if (pfn > 0) counts[folioOrder(w.m, pfn)] = (counts[folioOrder(w.m, pfn)] ?? 0) + 1;
    }
  }
  return counts;
}

function frameAt(m: Machine, mm: MmId, page: Vpn): number {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return 0;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) return pmdPfn(m, entry) + slotOf(m, page);
  return pmdType(entry) === PMD.table ? Math.max(0, ptePfn(m, pmdTable(entry), slotOf(m, page))) : 0;
}
