/**
 * Collapses of one shared object by several processes at once, against everything else that they do to it: faults, writes to
 * private copies, munmap and mmap, MADV_DONTNEED, mprotect, mremap, fork, exit, pins, truncation with the last mapping.
 * `lockOperationNs` makes every lock a place where others get their turn. Each process checks that it reads what was written.
 */
import { Random } from '@thplab/arena';
import {
  bootMachine,
  checkMachine,
  createFile,
  dupMm,
  type FileId,
  folioDrop,
  folioGet,
  folioHead,
  folioOrder,
  folioTrylock,
  folioUnlock,
  gupFastGet,
  handleMmFault,
  lruAddDrainAll,
  MADV,
  type Machine,
  type MmId,
  madvise,
  mmAlloc,
  mmap,
  mmapReadUnlock,
  mmput,
  mremap,
  munmap,
  pageCacheLookup,
  placeSwappedFilePages,
  splitFolioToOrder,
  userfaultfdRegister,
  VM,
  VMA_KIND,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { acquire, type Procedure, preempt, READ, SequentialExecutor, sleep } from '@thplab/sync';
import { SHMEM_ENABLED, settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { type CollapseContext, createCollapseContext } from '../collapse-context.js';
import { khugepagedControl } from '../collapse-control.js';
import { collapseSinglePmd } from '../collapse-single-pmd.js';
import type { Generation } from '../generations/generation.js';
import { legacy618 } from '../generations/legacy-6-18.js';
import { merged } from '../generations/merged.js';
import { installMadviseCollapse } from '../madvise-collapse.js';
import { scanResultName } from '../results.js';

const PTES = 8;
const RANGES = 3;
const START = 64;
const STEPS = 40;
const PLACES = [START, START + 128] as const;

class FileStorm {
  readonly m: Machine;
  readonly ctx: CollapseContext;
  readonly executor: SequentialExecutor;
  readonly random: Random;
  readonly file: FileId;
  readonly results = new Map<string, number>();
  readonly mms: MmId[] = [];
  living = 0;

  constructor(seed: number, generation: Generation) {
    this.random = new Random(seed);
    this.m = bootMachine({
      nodePages: [512],
      swapPages: 64,
      cpus: 3,
      geometry: { pageShift: 12, pmdOrder: 3 },
      limits: { mms: 32, vmas: 512, pageTables: 512, directories: 256, files: 8, pageCache: 256 },
    }).machine;
    const { value } = this.m.setting;
    value[settingIndex('enabled')] = 0;
    value[settingIndex('shmem_enabled')] = SHMEM_ENABLED.always;
    value[settingIndex('khugepaged.max_ptes_none')] = PTES - 1;
    value[settingIndex('khugepaged.max_ptes_swap')] = 4;
    this.executor = new SequentialExecutor(this.m.domain, { cpus: 3, seed, lockdep: true, lockOperationNs: 40 });
    this.m.current = this.executor.current;
    this.ctx = createCollapseContext({ machine: this.m, generation });
    installMadviseCollapse(this.ctx);
    this.file = createFile(this.m, { pages: RANGES * PTES - this.below(3), shmem: true });
    placeSwappedFilePages(this.m, this.file, 5, 2);
  }

  below(n: number): number {
    return this.random.below(n);
  }

  start(): void {
    for (let i = 0; i < 3; i++) {
      const mm = mmAlloc(this.m);
      this.executor.spawn(`user ${mm}`, () => this.user(mm, 0));
    }
    this.executor.spawn('khugepaged', () => this.khugepaged());
    this.executor.spawn('gup', () => this.lockless());
  }

  *user(mm: MmId, generation: number): Procedure<void> {
    this.living++;
    this.mms.push(mm);
    for (let step = 0; step < STEPS; step++) {
      yield* this.userStep(mm, generation);
      yield sleep(this.below(400));
    }
    this.mms.splice(this.mms.indexOf(mm), 1);
    yield* mmput(this.m, mm);
    this.living--;
  }

  *userStep(mm: MmId, generation: number): Procedure<void> {
    const { m } = this;
    const at = (PLACES[this.below(2)] + this.below(RANGES * PTES)) as Vpn;
    const pages = Math.min(1 + this.below(12), PLACES[1] + 64 - at);
    switch (this.below(14)) {
      case 0:
      case 1:
        yield* this.map(mm);
        return;
      case 2:
        yield* munmap(m, mm, at, pages);
        return;
      case 3:
        yield* madvise(m, mm, at, pages, MADV.DONTNEED);
        return;
      case 4:
      case 5:
        yield* madvise(m, mm, PLACES[this.below(2)] as Vpn, RANGES * PTES, MADV.COLLAPSE);
        return;
      case 6:
        if (generation === 0 && this.living < 7) {
          const child = yield* dupMm(m, mm);
          if (child !== 0) this.executor.spawn(`child ${child}`, () => this.user(child, 1));
        }
        return;
      case 7:
        yield* mremap(m, mm, PLACES[0] as Vpn, PTES * RANGES, PTES * RANGES, { mayMove: true, to: PLACES[1] as Vpn });
        return;
      case 8:
        yield* userfaultfdRegister(m, mm, at, pages, this.below(2) === 0 ? VM.UFFD_MISSING : VM.UFFD_WP);
        return;
      case 9:
        yield* madvise(m, mm, at, pages, MADV.GUARD_INSTALL);
        return;
      default:
        yield* handleMmFault(m, mm, at, { write: this.below(2) === 0 });
    }
  }

  *map(mm: MmId): Procedure<void> {
    const shared = this.below(3) > 0 ? VM.SHARED : 0;
    yield* mmap(this.m, mm, {
      at: PLACES[this.below(2)] as Vpn,
      fixed: 'replace',
      pages: RANGES * PTES,
      kind: VMA_KIND.shmem,
      file: this.file,
      flags: VM.READ | VM.WRITE | shared,
    });
  }

  /** Visits the address spaces as khugepaged does. */
  *khugepaged(): Procedure<void> {
    const cc = khugepagedControl(this.ctx);
    for (let turn = 0; turn < 60; turn++) {
      yield sleep(500);
      yield* lruAddDrainAll(this.m);
      const mm = this.mms[this.below(Math.max(1, this.mms.length))];
      if (mm === undefined) continue;
      yield acquire(this.m.locks.mmapLock.ref(mm), READ);
      const page = (PLACES[this.below(2)] + PTES * this.below(RANGES)) as Vpn;
      const vma = vmaAt(this.m, mm, page);
      const fits =
        vma !== 0 && this.m.vma.end[vma] >= page + PTES && (this.m.vma.pgoff[vma] - this.m.vma.start[vma]) % PTES === 0;
      const outcome = fits ? yield* collapseSinglePmd(this.ctx, cc, vma, page) : undefined;
      if (outcome !== undefined) {
        const name = scanResultName(outcome.result);
        this.results.set(name, (this.results.get(name) ?? 0) + 1);
      }
      if (outcome?.lockDropped !== true) yield* mmapReadUnlock(this.m, mm);
    }
  }

  /** Takes references without any lock, for a while. */
  *lockless(): Procedure<void> {
    for (let turn = 0; turn < 30; turn++) {
      yield sleep(700);
      const mm = this.mms[this.below(Math.max(1, this.mms.length))];
      if (mm === undefined) continue;
      const pfn = yield* gupFastGet(this.m, mm, (PLACES[0] + this.below(RANGES * PTES)) as Vpn);
      yield preempt();
      yield sleep(300);
      if (pfn !== 0) folioDrop(this.m, folioHead(this.m, pfn));
      yield* this.split();
    }
  }

  /** Splits the huge folio of a range, so that there is something to collapse again. */
  *split(): Procedure<void> {
    const { m } = this;
    const pfn = pageCacheLookup(m, this.file, PTES * this.below(RANGES));
    if (pfn === 0) return;
    const head = folioHead(m, pfn);
    if (folioOrder(m, head) === 0 || !folioTrylock(m, head)) return;
    folioGet(m, head);
    yield* splitFolioToOrder(m, head, this.below(2) * 2);
    folioUnlock(m, head);
    folioDrop(m, head);
  }
}

describe('collapses of shared memory against everything else', () => {
  it.each([merged, legacy618])('lose no page, reference, lock or frame in any of 30 storms ($name)', (generation) => {
    const results = new Map<string, number>();
    for (let seed = 1; seed <= 30; seed++) {
      const storm = new FileStorm(seed, generation);
      storm.start();
      const outcome = storm.executor.run({ maxSteps: 400_000 });
      const error = outcome.failure?.error;
      const stack = error instanceof Error ? error.stack : undefined;
      expect(`${outcome.end} ${stack ?? ''}`, `seed ${seed}`).toBe('idle ');
      const drain = new SequentialExecutor(storm.m.domain);
      drain.spawn('drain', () => lruAddDrainAll(storm.m));
      drain.run();
      expect(checkMachine(storm.m), `seed ${seed}`).toEqual([]);
      for (const [name, count] of storm.results) results.set(name, (results.get(name) ?? 0) + count);
    }
    // It was a storm: collapses succeeded, and the rare ends came up too.
    for (const name of ['SUCCEED', 'EXCEED_NONE_PTE', 'PAGE_FILLED', 'PTE_NON_PRESENT', 'FAIL'])
      expect(results.get(name) ?? 0, name).toBeGreaterThan(0);
  });
});
