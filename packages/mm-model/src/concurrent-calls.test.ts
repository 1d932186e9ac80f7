/**
 * System calls of several threads at once, under the executor with lockdep: the order of locks, waits and retries, and
 * that nothing is lost or leaked whatever the interleaving. `lockOperationNs` makes every lock a place to switch.
 */
import { type Procedure, runToEnd, SequentialExecutor, spend } from '@thplab/sync';
import { settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { bootMachine } from './boot.js';
import type { MmId, Vpn } from './brands.js';
import { checkMachine } from './check.js';
import { handleMmFault } from './fault.js';
import { VM } from './flags.js';
import { dupMm } from './fork.js';
import type { Machine } from './machine.js';
import { type Advice, MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { mlock, munlock } from './mlock.js';
import { mmAlloc, mmget, mmput } from './mm.js';
import { mmap } from './mmap.js';
import { mprotect } from './mprotect.js';
import { mremap } from './mremap.js';
import { munmap } from './munmap.js';
import { userfaultfdRegister, userfaultfdUnregister, userfaultfdWriteProtect } from './userfaultfd.js';

const LOW = 64;
const PAGES = 64;
const ADVICE: readonly Advice[] = [
  MADV.DONTNEED,
  MADV.FREE,
  MADV.COLD,
  MADV.PAGEOUT,
  MADV.HUGEPAGE,
  MADV.NOHUGEPAGE,
  MADV.POPULATE_WRITE,
  MADV.GUARD_INSTALL,
  MADV.GUARD_REMOVE,
];

/** A small generator of its own, so that a run is its seed. */
function dice(seed: number): (n: number) => number {
  let x = (seed * 2_654_435_761 + 1) >>> 0;
  return (n) => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((x / 2 ** 32) * n);
  };
}

function makeMachine(thp: keyof typeof THP_ENABLED): Machine {
  const { machine } = bootMachine({
    nodePages: [2048],
    swapPages: 1024,
    cpus: 3,
    geometry: { pageShift: 12, pmdOrder: 3 },
    limits: { mms: 16, vmas: 512, pageTables: 512, directories: 256, files: 4, pageCache: 16 },
  });
  machine.setting.value[settingIndex('enabled')] = THP_ENABLED[thp];
  return machine;
}

/** One random system call or access. */
function* randomCall(m: Machine, mm: MmId, roll: (n: number) => number): Procedure<void> {
  const start = (LOW + roll(PAGES)) as Vpn;
  const pages = 1 + roll(20);
  const access = [0, VM.READ, VM.READ | VM.WRITE][roll(3)];
  switch (roll(14)) {
    case 0:
      yield* mmap(m, mm, { at: start, pages, fixed: 'replace' });
      return;
    case 1:
      yield* munmap(m, mm, start, pages);
      return;
    case 2:
      yield* mprotect(m, mm, start, pages, access);
      return;
    case 3:
      yield* mremap(m, mm, start, pages, pages, { mayMove: true, to: (LOW + 200 + roll(PAGES)) as Vpn });
      return;
    case 4:
      yield* mlock(m, mm, start, pages);
      return;
    case 5:
      yield* munlock(m, mm, start, pages);
      return;
    case 6:
      yield* userfaultfdRegister(m, mm, start, pages, [VM.UFFD_WP, VM.UFFD_MISSING][roll(2)]);
      yield* userfaultfdWriteProtect(m, mm, start, pages, roll(2) === 0, { unpopulated: roll(2) === 0 });
      yield* userfaultfdUnregister(m, mm, (LOW - 10) as Vpn, PAGES + 40);
      return;
    case 7: {
      const child = yield* dupMm(m, mm);
      for (let i = 0; i < 5; i++) yield* handleMmFault(m, child, (LOW + roll(PAGES)) as Vpn, { write: roll(2) === 0 });
      yield* mmput(m, child);
      return;
    }
    case 8:
    case 9:
      yield* madvise(m, mm, start, pages, ADVICE[roll(ADVICE.length)]);
      return;
    default:
      for (let i = 0; i < pages; i++) yield* handleMmFault(m, mm, (start + i) as Vpn, { write: roll(3) > 0 });
  }
}

function* thread(m: Machine, mm: MmId, seed: number): Procedure<void> {
  const roll = dice(seed);
  for (let i = 0; i < 25; i++) {
    yield* randomCall(m, mm, roll);
    yield spend(100 + roll(2000));
  }
  yield* mmput(m, mm);
}

describe('several threads in one address space', () => {
  it.each(['never', 'always'] as const)(
    'keep the lock order, come to an end, and leave nothing behind (huge pages %s)',
    (thp) => {
      for (let seed = 1; seed <= 30; seed++) {
        const m = makeMachine(thp);
        const executor = new SequentialExecutor(m.domain, { cpus: 3, seed, lockOperationNs: 40, rethrow: true });
        m.current = executor.current;
        const mm = mmAlloc(m);
        for (let t = 0; t < 4; t++) {
          mmget(m, mm);
          executor.spawn(`thread ${t}`, () => thread(m, mm, seed * 10 + t), { startNs: 1 + t * 500 });
        }
        expect(executor.run()).toMatchObject({ end: 'idle' });
        expect({ seed, wrong: checkMachine(m) }).toEqual({ seed, wrong: [] });
        runToEnd(m.domain, mmput(m, mm));
        const left = [m.mm, m.vma, m.pte, m.directory, m.anonVma, m.avc].map((table) => table.pool.live);
        expect({ seed, left }).toEqual({ seed, left: [0, 0, 0, 0, 0, 0] });
        const batched = [0, 1, 2].reduce((sum, cpu) => sum + m.cpu.batchCount[cpu], 0);
        expect({ seed, free: m.node.freePages[0] + batched }).toEqual({ seed, free: 2047 });
      }
    },
  );
});
