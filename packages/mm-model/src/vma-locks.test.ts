/**
 * Who waits for whom: a change of a VMA waits for those who hold its own lock (page faults do), and nobody sees a VMA
 * change under that lock.
 */
import { type Procedure, preempt, SequentialExecutor, sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import type { MmId, VmaId, Vpn } from './brands.js';
import { VM } from './flags.js';
import type { Machine } from './machine.js';
import { type Advice, MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mlock } from './mlock.js';
import { mmap } from './mmap.js';
import { mprotect } from './mprotect.js';
import { mremap } from './mremap.js';
import { munmap } from './munmap.js';
import { findTable } from './page-table.js';
import { withPteLock } from './pte-range.js';
import { makeWorld, mapAt, touch } from './testing/world.js';
import { userfaultfdRegister } from './userfaultfd.js';
import { vmaEndRead, vmaStartRead } from './vma-locks.js';

type Call = (m: Machine, mm: MmId) => Procedure<number>;

const HOLD_NS = 1_000_000;
const RW = VM.READ | VM.WRITE;

/** When the call ends if somebody holds the lock of the VMA at `page` for a millisecond; memory: [512, 544) RW, [544, 576) R. */
function endOf(page: number, call: Call): number {
  const w = makeWorld();
  // Without reserve, so that none is charged: charged memory does not merge with other.
  mapAt(w, 512, 32, { flags: RW | VM.NORESERVE });
  mapAt(w, 544, 32, { flags: VM.READ | VM.NORESERVE });
  touch(w, w.mm, 512, 544);
  const executor = new SequentialExecutor(w.m.domain, { cpus: 2, rethrow: true });
  w.m.current = executor.current;
  let ended = 0;
  executor.spawn('holder', function* () {
    const vma = yield* vmaStartRead(w.m, w.mm, page as Vpn);
    const before = factsOf(w.m, vma as VmaId);
    yield sleep(HOLD_NS);
    expect(factsOf(w.m, vma as VmaId)).toEqual(before);
    yield* vmaEndRead(w.m, vma as VmaId);
  });
  executor.spawn(
    'caller',
    function* () {
      yield* call(w.m, w.mm);
      ended = executor.current.nowNs;
    },
    { startNs: 1000 },
  );
  executor.run();
  return ended;
}

/** What a holder of the lock relies on. */
function factsOf(m: Machine, vma: VmaId): number[] {
  const { mm, start, end, flags, pgoff, file } = m.vma;
  return [mm, start, end, flags, pgoff, file].map((column) => column[vma]);
}

const at = (page: number): Vpn => page as Vpn;

describe('a reader of a VMA', () => {
  it.each<[string, number, Call]>([
    ['mprotect of all of it', 520, (m, mm) => mprotect(m, mm, at(512), 32, 0)],
    ['mprotect of a part that becomes a VMA', 520, (m, mm) => mprotect(m, mm, at(530), 4, 0)],
    ['mprotect that moves the boundary, of the one that shrinks', 520, (m, mm) => mprotect(m, mm, at(540), 4, VM.READ)],
    ['mprotect that moves the boundary, of the one that grows', 560, (m, mm) => mprotect(m, mm, at(540), 4, VM.READ)],
    ['mprotect that makes two VMAs one, of the one that grows', 520, (m, mm) => mprotect(m, mm, at(544), 32, RW)],
    ['mprotect that makes two VMAs one, of the one that goes', 560, (m, mm) => mprotect(m, mm, at(544), 32, RW)],
    [
      'mmap next to it that makes it grow',
      560,
      (m, mm) => mmap(m, mm, { at: at(576), pages: 4, flags: VM.READ | VM.NORESERVE }),
    ],
    ['mmap over a part of it', 520, (m, mm) => mmap(m, mm, { at: at(520), pages: 4, fixed: 'replace' })],
    ['munmap', 520, (m, mm) => munmap(m, mm, at(512), 32)],
    ['munmap of a part', 520, (m, mm) => munmap(m, mm, at(512), 4)],
    ['mremap to another place', 520, (m, mm) => mremap(m, mm, at(512), 32, 32, { mayMove: true, to: at(1024) })],
    [
      'mremap that moves and keeps it',
      520,
      (m, mm) => mremap(m, mm, at(512), 32, 32, { mayMove: true, dontUnmap: true }),
    ],
    ['mlock', 520, (m, mm) => mlock(m, mm, at(512), 32)],
    ['MADV_HUGEPAGE', 520, (m, mm) => madvise(m, mm, at(512), 32, MADV.HUGEPAGE)],
    ['registering a userfaultfd', 520, (m, mm) => userfaultfdRegister(m, mm, at(512), 32, VM.UFFD_WP)],
  ])('holds up %s', (_name, page, call) => {
    expect(endOf(page, call)).toBeGreaterThan(HOLD_NS);
  });

  it.each<[string, Advice]>([
    ['MADV_DONTNEED', MADV.DONTNEED],
    ['MADV_FREE', MADV.FREE],
    ['MADV_COLD', MADV.COLD],
    ['MADV_POPULATE_WRITE', MADV.POPULATE_WRITE],
  ])('does not hold up %s', (_name, advice) => {
    expect(endOf(520, (m, mm) => madvise(m, mm, at(512), 32, advice))).toBeLessThan(HOLD_NS);
  });

  it('does not hold up changes of other VMAs', () => {
    expect(endOf(520, (m, mm) => munmap(m, mm, at(544), 32))).toBeLessThan(HOLD_NS);
    expect(endOf(560, (m, mm) => mprotect(m, mm, at(512), 16, 0))).toBeLessThan(HOLD_NS);
  });
});

describe('a PTE table that was found without a lock', () => {
  it('is locked only if it still maps the page', () => {
    const w = makeWorld();
    mapAt(w, 512, 512);
    touch(w, w.mm, 512, 513);
    const table = findTable(w.m, w.mm, at(512));
    if (table === 0) throw new Error('no table');
    const change = (): Procedure<number> => withPteLock(w.m, w.mm, at(512), table, () => 3);
    function* late(): Procedure<number> {
      const locker = change();
      let step = locker.next(0);
      yield* madvise(w.m, w.mm, at(512), 512, MADV.DONTNEED);
      yield preempt();
      while (step.done !== true) step = locker.next(yield step.value);
      return step.value;
    }
    expect(w.run(change())).toBe(3);
    expect(w.run(late())).toBe(-1);
  });
});
