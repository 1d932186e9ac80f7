/** Quirks H6, H9 and H14 (khugepaged spec 17.4): VMAs and address spaces that end while hints for them wait. */
import { mmap, mmput, munmap, VM, type VmaId, type Vpn, vmaAt } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { khugepagedExit } from '../slots.js';
import { first, type HintedProcess, type HintWorld, makeHinted, makeHintWorld, N } from '../testing/hint-world.js';
import { fill } from '../testing/scheduler-world.js';

const FLAGS = VM.READ | VM.WRITE;

/** Unmaps all of a process and maps as much again at `at`. Gives the new VMA. */
function mapAnew(w: HintWorld, { mm, start }: HintedProcess, ranges: number, at: number): VmaId {
  w.run(() => munmap(w.m, mm, start as Vpn, (ranges + 1) * N));
  w.run(() => mmap(w.m, mm, { at: at as Vpn, pages: (ranges + 1) * N, fixed: 'replace', flags: FLAGS }));
  const vma = vmaAt(w.m, mm, at) as VmaId;
  fill(w, vma, at, N);
  return vma;
}

describe('H6: the identity of a VMA', () => {
  function reused(policy: string): { w: HintWorld; a: HintedProcess } {
    const w = makeHintWorld(policy);
    const a = makeHinted(w, 1, { full: [0] });
    w.hint(a, 0);
    expect(mapAnew(w, a, 1, a.start), 'the row comes back at once, as an object of a slab does').toBe(a.vma);
    return { w, a };
  }

  it('is its address, so that a hint for a VMA that is gone is served in the next one at its place (ABA)', () => {
    const { w, a } = reused('as-posted');
    w.visit();
    expect(w.served).toEqual([`${a.mm}.0 succeed`]);
  });

  it('tells another VMA apart, and nothing mapped at all', () => {
    const w = makeHintWorld();
    const [a, b] = [makeHinted(w, 2), makeHinted(w, 1)];
    for (const range of [0, 1]) w.hint(a, range);
    w.run(() => munmap(w.m, a.mm, a.start as Vpn, N));
    w.hint(a, 1, { vma: b.vma });
    w.visit();
    // munmap of the head splits the VMA, and the tail is a new one: its hint is lost too.
    expect(w.dropped).toEqual([`${a.mm}.0 vma_gone`, `${a.mm}.1 vma_changed`, `${a.mm}.1 vma_changed`]);
  });

  it('is cured by checked: the row has been a VMA once more than the hint says', () => {
    const { w, a } = reused('checked');
    w.visit();
    expect(w.dropped).toEqual([`${a.mm}.0 vma_changed`]);
    expect(w.served).toEqual([]);
  });
});

describe('H9: the reference on mm_users', () => {
  /** A process ends while khugepaged collapses a range of it for a hint. Gives who ran its exit, and when. */
  function exitUnderDrain(policy: string): { w: HintWorld; a: HintedProcess; exits: string[] } {
    const w = makeHintWorld(policy, { cpus: 2 });
    const a = makeHinted(w, 2, { full: [0, 1] });
    for (const range of [0, 1]) w.hint(a, range);
    const exits: string[] = [];
    const { m, executor } = w;
    m.hooks.khugepagedExit = function* (mm) {
      const task = executor.tasks.find(({ id }) => id === executor.current.task);
      exits.push(task?.name ?? '');
      yield* khugepagedExit(w.k, mm);
    };
    executor.spawn('app', () => mmput(m, a.mm), { startNs: executor.current.nowNs + 50_000, cpu: 1 });
    return { w, a, exits };
  }

  it('makes the whole exit run in khugepaged, after the last hint', () => {
    const { w, a, exits } = exitUnderDrain('as-posted');
    w.pass();
    expect(exits).toEqual(['test']);
    expect(w.served, 'the drain went on: the reference keeps the address space alive').toEqual([
      `${a.mm}.0 succeed`,
      `${a.mm}.1 succeed`,
    ]);
    expect(w.m.mm.pool.live).toBe(0);
    expect(w.k.slots.isEmpty(0)).toBe(true);
  });

  it('is no deadlock when that address space is under the cursor too: the slot waits for collect', () => {
    const { w, a, exits } = exitUnderDrain('as-posted');
    w.k.t.khugepaged.cursorSlot[0] = w.k.t.mmSlotIndex.slot[a.mm];
    w.k.t.khugepaged.roundAt[0] = w.k.t.khugepaged.cursorSlot[0];
    w.pass();
    expect(exits).toEqual(['test']);
    expect(w.m.mm.pool.live).toBe(0);
    expect(w.k.slots.isEmpty(0)).toBe(true);
  });

  it('is cured by lastPut=async: another thread pays', () => {
    const { w, exits } = exitUnderDrain('as-posted:lastPut=async');
    w.pass();
    w.executor.run({ untilNs: w.executor.current.nowNs + 1e9 });
    expect(exits).toEqual(['mmput_async']);
    expect(w.m.mm.pool.live).toBe(0);
  });
});

describe('H14: freeing the hints of a dying address space', () => {
  const HINTS = 1000;

  /** The longest time that khugepaged_mm_lock is held while an address space with many hints goes. */
  function holdNs(policy: string, underCursor: boolean): number {
    const w = makeHintWorld(policy);
    const a = makeHinted(w, 1);
    for (const _ of first(HINTS)) w.hint(a, 0);
    if (underCursor) {
      w.k.t.khugepaged.cursorSlot[0] = w.k.t.mmSlotIndex.slot[a.mm];
      w.k.t.khugepaged.roundAt[0] = w.k.t.khugepaged.cursorSlot[0];
    }
    w.run(() => mmput(w.m, a.mm));
    w.visit();
    expect(w.dropped).toHaveLength(HINTS);
    expect(new Set(w.dropped)).toEqual(new Set([`${a.mm}.0 slot_freed`]));
    expect(w.k.t.hint.pool.live).toBe(0);
    const holds = w.executor.statistics?.classes().find(({ name }) => name === 'khugepaged_mm_lock');
    return holds?.write.holdMaxNs ?? Number.NaN;
  }

  it('happens under khugepaged_mm_lock in collect, and outside of it in exit', () => {
    expect(holdNs('as-posted', true)).toBeGreaterThan(HINTS * 20);
    expect(holdNs('as-posted', false)).toBeLessThan(HINTS);
  });

  it('is cured by freesUnderLock=false', () => {
    expect(holdNs('as-posted:freesUnderLock=false', true)).toBeLessThan(HINTS);
  });
});
