/**
 * Faults, fork, pins and exit of some processes against everything that the kernel does to their folios at the same time:
 * swap-out, reclaim, splitting, deferred splitting, compaction, lockless GUP. `lockOperationNs` makes every lock a place
 * where others get their turn. Each process checks after each step that it still reads what it wrote.
 */
import { Random } from '@thplab/arena';
import { type Procedure, preempt, SequentialExecutor, sleep } from '@thplab/sync';
import { HUGEPAGES_ENABLED, settingIndex, THP_DEFRAG, THP_ENABLED } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { bootMachine } from './boot.js';
import type { MmId, Pfn, Vpn } from './brands.js';
import { checkMachine } from './check.js';
import { tryToCompact } from './compaction.js';
import { deferredSplitScan } from './deferred-split.js';
import { handleMmFault } from './fault.js';
import { FOLIO, PAGE } from './flags.js';
import { folioHas, folioHead, folioOrder } from './folio.js';
import { folioDrop, folioTrylock, folioUnlock } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { dupMm } from './fork.js';
import { gupFastGet, pinPages, unpinPages } from './gup.js';
import { lruAddDrainAll } from './lru.js';
import type { Machine } from './machine.js';
import { type Advice, MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mmAlloc, mmput } from './mm.js';
import { mmap } from './mmap.js';
import { mremap } from './mremap.js';
import { shrinkNode } from './reclaim.js';
import { splitFolioToOrder } from './split.js';
import { swapOutFolio } from './swap-out.js';
import { readPage } from './testing/page-contents.js';

const PAGES = 48;
const STEPS = 25;

class Storm {
  readonly m: Machine;
  readonly random: Random;
  readonly executor: SequentialExecutor;
  /** Processes that have not left yet. */
  living = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.m = bootMachine({
      nodePages: [[256], [160]][this.below(2)],
      swapPages: [128, 256][this.below(2)],
      cpus: 3,
      geometry: { pageShift: 12, pmdOrder: 3 },
      limits: { mms: 32, vmas: 512, pageTables: 512, directories: 256, files: 4, pageCache: 16 },
    }).machine;
    const { value } = this.m.setting;
    value[settingIndex('enabled')] = THP_ENABLED.always;
    value[settingIndex('defrag')] = THP_DEFRAG.always;
    value[settingIndex('hugepages.enabled', 2)] = HUGEPAGES_ENABLED.always;
    value[settingIndex('hugepages.enabled', 3)] = HUGEPAGES_ENABLED.always;
    value[settingIndex('khugepaged.max_ptes_none')] = 3;
    this.executor = new SequentialExecutor(this.m.domain, { cpus: 3, seed, lockdep: true, lockOperationNs: 40 });
    this.m.current = this.executor.current;
  }

  below(n: number): number {
    return this.random.below(n);
  }

  start(): void {
    for (let i = 0; i < 3; i++) {
      const mm = mmAlloc(this.m);
      this.executor.spawn(`user ${mm}`, () => this.user(mm, new Map(), 0));
    }
    for (let i = 0; i < 2; i++) this.executor.spawn(`kernel ${i}`, () => this.kernel());
  }

  *user(mm: MmId, expected: Map<number, number>, generation: number): Procedure<void> {
    this.living++;
    if (generation === 0) yield* mmap(this.m, mm, { at: 64 as Vpn, pages: PAGES, fixed: 'replace' });
    for (let step = 0; step < STEPS; step++) {
      const done = yield* this.userStep(mm, expected, generation);
      for (const [page, stamp] of expected) {
        const read = readPage(this.m, mm, page);
        if (read !== stamp) throw new Error(`${done}: mm ${mm} wrote ${stamp} to page ${page} and reads ${read}`);
      }
    }
    yield* mmput(this.m, mm);
    this.living--;
  }

  *userStep(mm: MmId, expected: Map<number, number>, generation: number): Procedure<string> {
    const page = (64 + this.below(PAGES)) as Vpn;
    const pages = Math.min(1 + this.below(8), 64 + PAGES - page);
    switch (this.below(8)) {
      case 0:
        if (generation > 1 || this.living >= 8) return 'nothing';
        yield* this.fork(mm, expected, generation);
        return 'fork';
      case 1: {
        const write = this.below(2) === 0;
        const got = yield* pinPages(this.m, mm, page, pages, { write });
        got.frames.forEach((_, i) => {
          expected.set(page + i, readPage(this.m, mm, page + i));
        });
        yield sleep(2000);
        got.frames.forEach((pfn, i) => {
          if (pfn !== 0 && this.m.frame.stamp[pfn] !== readPage(this.m, mm, page + i))
            throw new Error('pin lost its page');
        });
        unpinPages(this.m, got.frames);
        return 'pin';
      }
      case 2: {
        const advice: Advice = [MADV.DONTNEED, MADV.PAGEOUT, MADV.COLD][this.below(3)];
        yield* madvise(this.m, mm, page, pages, advice);
        if (advice === MADV.DONTNEED) for (let i = 0; i < pages; i++) expected.set(page + i, 0);
        return `madvise ${advice}`;
      }
      case 3: {
        // There and back again: the pages are the same afterwards.
        yield* mremap(this.m, mm, page, pages, pages, { mayMove: true, to: (page + 200) as Vpn });
        yield* mremap(this.m, mm, (page + 200) as Vpn, pages, pages, { mayMove: true, to: page });
        return 'mremap';
      }
      default:
        for (let i = 0; i < pages; i++) {
          const write = this.below(3) > 0;
          yield* handleMmFault(this.m, mm, (page + i) as Vpn, { write });
          expected.set(page + i, readPage(this.m, mm, page + i));
        }
        return 'touch';
    }
  }

  *fork(mm: MmId, expected: Map<number, number>, generation: number): Procedure<void> {
    const child = yield* dupMm(this.m, mm);
    if (child === 0) return;
    const inherited = new Map(expected);
    this.executor.spawn(`user ${child}`, () => this.user(child, inherited, generation + 1));
  }

  *kernel(): Procedure<void> {
    for (let quiet = 0; quiet < 2; quiet = this.living === 0 ? quiet + 1 : 0) {
      yield* this.kernelStep();
      yield sleep(1000 * (1 + this.below(20)));
    }
  }

  *kernelStep(): Procedure<void> {
    const { m } = this;
    const head = this.someFolio();
    switch (this.below(8)) {
      case 0:
        yield* shrinkNode(m, 0, 1 + this.below(16));
        return;
      case 1:
        yield* tryToCompact(m, 0, 2 + this.below(3));
        return;
      case 2:
        yield* deferredSplitScan(m, 0, 4);
        return;
      case 3:
        yield* lruAddDrainAll(m);
        return;
      case 4: {
        const pfn = yield* gupFastGet(m, (1 + this.below(6)) as MmId, (64 + this.below(PAGES)) as Vpn);
        yield preempt();
        if (pfn !== 0) folioDrop(m, folioHead(m, pfn));
        return;
      }
      case 5:
        if (head !== 0 && folioOrder(m, head) > 0) yield* this.split(head);
        return;
      default:
        if (head !== 0) yield* swapOutFolio(m, head);
    }
  }

  *split(head: Pfn): Procedure<void> {
    if (!folioTrylock(this.m, head)) return;
    folioGet(this.m, head);
    updateMirrors(this.m, head);
    yield* splitFolioToOrder(this.m, head, [0, 0, 2][this.below(3)]);
    folioUnlock(this.m, head);
    folioDrop(this.m, head);
  }

  someFolio(): Pfn | 0 {
    const heads: Pfn[] = [];
    for (let pfn = 1; pfn < this.m.frame.capacity; pfn++) {
      const head = folioHead(this.m, pfn);
      const anon = (this.m.frame.flags[pfn] & PAGE.ALLOCATED) !== 0 && folioHas(this.m, head, FOLIO.ANON);
      if (head === pfn && anon && this.m.frame.refcount[pfn] > 0) heads.push(head);
    }
    return heads.length === 0 ? 0 : heads[this.below(heads.length)];
  }
}

describe('processes and the kernel at once', () => {
  it('lose no content, no frame and no lock in any of 40 storms', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const storm = new Storm(seed);
      storm.start();
      const outcome = storm.executor.run({ maxSteps: 400_000 });
      const error = outcome.failure?.error;
      const stack = error instanceof Error ? error.stack : undefined;
      expect(`${outcome.end} ${stack ?? ''}`, `seed ${seed}`).toBe('idle ');
      lruDrained(storm.m);
      expect(checkMachine(storm.m), `seed ${seed}`).toEqual([]);
      expect(storm.m.node.freePages[0], `seed ${seed}`).toBe(storm.m.frame.capacity - 1);
      expect(storm.m.swap.cache[0], `seed ${seed}: swap slots in use`).toBe(0);
    }
  });
});

function lruDrained(m: Machine): void {
  const executor = new SequentialExecutor(m.domain);
  executor.spawn('drain', () => lruAddDrainAll(m));
  executor.run();
}
