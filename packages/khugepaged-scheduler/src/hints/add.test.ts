import { TableFullError } from '@thplab/arena';
import { MMF, type MmId, mmput, VM, type Vpn } from '@thplab/mm-model';
import { acquire, release, sleep, spend } from '@thplab/sync';
import { traceSizes } from '@thplab/trace';
import { describe, expect, it } from 'vitest';
import { HINT_ADD, khugepagedAddHint, khugepagedSizes } from '../index.js';
import { addHint, first, makeHinted, makeHintWorld, N } from '../testing/hint-world.js';
import { fill, makeProcess, makeSchedulerWorld } from '../testing/scheduler-world.js';
import { HINT_PRIORITIES } from './tables.js';

describe('adding a hint', () => {
  it('is refused without an address space, a VMA, or a priority that there is', () => {
    const w = makeHintWorld();
    const { mm, vma, start } = makeHinted(w, 1);
    const page = start as Vpn;
    const good = { mm, vma, page, priority: 0, maxOrder: 0 };
    for (const bad of [{ mm: 0 as const }, { vma: 0 as const }, { priority: -1 }, { priority: HINT_PRIORITIES }]) {
      expect(w.run(() => khugepagedAddHint(w.k, { ...good, ...bad }))).toBe(HINT_ADD.bad_arguments);
    }
  });

  it('is refused if nothing larger than what is mapped already is allowed; nothing allowed counts as order -1', () => {
    const w = makeHintWorld();
    const a = makeHinted(w, 1);
    expect(w.hint(a, 0, { maxOrder: 9 })).toBe('mapped_large_enough');
    expect(w.hint(a, 0, { maxOrder: 8 })).toBe('queued');
    w.m.vma.flags[a.vma] |= VM.NOHUGEPAGE;
    expect(w.hint(a, 0, { maxOrder: 0 })).toBe('mapped_large_enough');
    expect(w.hint(a, 0, { maxOrder: -1 })).toBe('mapped_large_enough');
  });

  it('registers the address space first', () => {
    const w = makeHintWorld();
    const { mm, vma } = makeProcess(w, 0x10000, 2 * N);
    fill(w, vma, 0x10000, 1);
    expect(w.k.slots.isEmpty(0)).toBe(true);
    expect(w.hint({ mm, vma, start: 0x10000 }, 0)).toBe('queued');
    expect([...w.k.slots.rows(0)].map((slot) => w.k.t.mmSlot.mm[slot])).toEqual([mm]);
  });

  it('is refused if that fails', () => {
    const w = makeHintWorld('as-posted', { extraSizes: { ...traceSizes(16), ...khugepagedSizes(256), mmSlots: 1 } });
    makeHinted(w, 1);
    const { mm, vma } = makeProcess(w, 0x10000, 2 * N);
    fill(w, vma, 0x10000, 1);
    expect(w.hint({ mm, vma, start: 0x10000 }, 0)).toBe('not_registered');
  });

  it('is refused while another holds khugepaged_mm_lock, and leaves nothing behind', () => {
    const w = makeHintWorld('as-posted', { cpus: 2 });
    const a = makeHinted(w, 1);
    w.executor.spawn('holder', function* () {
      yield acquire(w.k.mmLock);
      // A spinlock is held over work, not over a sleep.
      for (const _ of first(100)) yield spend(100);
      yield release(w.k.mmLock);
    });
    const outcomes: number[] = [];
    w.executor.spawn(
      'producer',
      function* () {
        outcomes.push(yield* addHint(w, a, 0));
        yield sleep(1e6);
        outcomes.push(yield* addHint(w, a, 0));
      },
      { startNs: w.executor.current.nowNs + 1000 },
    );
    w.executor.run();
    expect(outcomes).toEqual([HINT_ADD.contended, HINT_ADD.queued]);
    expect(w.k.t.hint.pool.live).toBe(1);
  });

  it('is refused if the address space exited meanwhile', () => {
    const w = makeHintWorld();
    const a = makeHinted(w, 1);
    w.m.mm.count[a.mm]++;
    w.run(() => mmput(w.m, a.mm));
    w.m.mm.flags[a.mm] |= MMF.VM_HUGEPAGE;
    const page = a.start as Vpn;
    // The VMA's row is free by now: its facts are read without a lock, as the kernel does, and say what they say.
    const vma = makeHinted(w, 1).vma;
    const hint = { mm: a.mm as MmId, vma, page, priority: 0, maxOrder: 0 };
    expect(w.run(() => khugepagedAddHint(w.k, hint))).toBe(HINT_ADD.exited);
    expect(w.k.t.hint.pool.live).toBe(0);
  });

  it('fails with the table and the limit to raise when the table is full, or is refused as without memory', () => {
    const extraSizes = { ...traceSizes(16), ...khugepagedSizes(256, 2) };
    const hintThrice = (whenFull: 'error' | 'drop'): unknown[] => {
      const w = makeHintWorld('as-posted', { extraSizes, whenFull });
      const a = makeHinted(w, 3);
      const outcomes: unknown[] = [];
      w.executor.spawn('producer', function* () {
        for (const range of first(3)) outcomes.push(yield* addHint(w, a, range));
      });
      outcomes.push(w.executor.run().failure?.error);
      return outcomes;
    };
    const [, , error] = hintThrice('error') as [unknown, unknown, Error];
    expect(error).toBeInstanceOf(TableFullError);
    expect(error.message).toBe("table 'hint' is full: all 2 rows are in use; raise the limit 'hints'");
    expect(hintThrice('drop')).toEqual([HINT_ADD.queued, HINT_ADD.queued, HINT_ADD.no_memory, undefined]);
  });

  it('does nothing on a kernel without a queue', () => {
    const w = makeSchedulerWorld();
    const { mm, vma } = makeProcess(w, 0x10000, N);
    fill(w, vma, 0x10000, 1);
    expect(w.run(() => addHint(w, { mm, vma, start: 0x10000 }, 0))).toBe(HINT_ADD.no_queue);
  });

  it('is traced, and so is what becomes of it', () => {
    const w = makeHintWorld();
    const a = makeHinted(w, 2, { full: [0] });
    w.hint(a, 0);
    w.hint(a, 1, { vma: makeHinted(w, 1).vma, priority: 1, maxOrder: 2 });
    w.visit();
    const address = a.start * 4096;
    const events = [...w.tracer.reader().events()].filter(({ name }) => name.startsWith('khugepaged_hint'));
    expect(events.map(({ name, args }) => [name, ...Object.values(args)])).toEqual([
      ['khugepaged_hint_add', a.mm, address, 0, 0, HINT_ADD.queued],
      ['khugepaged_hint_add', a.mm, address + 2 ** 21, 1, 2, HINT_ADD.queued],
      ['khugepaged_hint_drain', a.mm, address, 0, 1, 1 + N, 0],
      ['khugepaged_hint_drop', a.mm, address + 2 ** 21, 1, 1],
    ]);
  });
});
