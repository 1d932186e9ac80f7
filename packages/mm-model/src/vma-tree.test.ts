import { type Procedure, runToEnd } from '@thplab/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MmId, VmaId, Vpn } from './brands.js';
import type { Machine } from './machine.js';
import { createMachine } from './machine.js';
import { mmAlloc } from './mm.js';
import { vmaAlloc, vmaFree } from './vma/vma-rows.js';
import { mmapWriteLock, mmapWriteUnlock, vmaEndRead, vmaStartRead, vmaStartWrite } from './vma-locks.js';
import {
  findVma,
  firstVma,
  insertVma,
  nextVma,
  prevVma,
  removeVma,
  treeOrder,
  vmaAt,
  vmaBelow,
  vmaIntersecting,
  vmasOf,
} from './vma-tree.js';

const machine = (): Machine => createMachine({ nodePages: [1024] });

function add(m: Machine, mm: MmId, start: number, end: number): VmaId {
  const vma = vmaAlloc(m, mm, { start, end, flags: 0 });
  insertVma(m, vma);
  return vma;
}

describe('the VMAs of an address space', () => {
  it('equal a sorted array after any sequence of insertions and removals', () => {
    const step = fc.record({
      remove: fc.boolean(),
      start: fc.integer({ min: 0, max: 60 }),
      size: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const m = machine();
        const mm = mmAlloc(m);
        let model: { vma: VmaId; start: number; end: number }[] = [];
        for (const { remove, start, size } of steps) {
          const hit = model.find((entry) => entry.start < start + size && start < entry.end);
          if (remove && hit !== undefined) {
            removeVma(m, hit.vma);
            vmaFree(m, hit.vma);
            model = model.filter((entry) => entry !== hit);
          } else if (hit === undefined) {
            model.push({ vma: add(m, mm, start, start + size), start, end: start + size });
            model.sort((a, b) => a.start - b.start);
          }
        }
        const order = model.map((entry) => entry.vma);
        expect([...vmasOf(m, mm)]).toEqual(order);
        expect(treeOrder(m, mm)).toEqual(model.map((entry) => entry.start));
        expect(m.mm.vmaCount[mm]).toBe(order.length);
        expect(m.mm.vmaLast[mm]).toBe(order.at(-1) ?? 0);
        for (let page = 0; page < 66; page++) {
          const at = model.findIndex((entry) => entry.end > page);
          const found = at < 0 ? 0 : (order[at] as VmaId);
          expect(findVma(m, mm, page)).toBe(found);
          expect(vmaAt(m, mm, page)).toBe(found !== 0 && m.vma.start[found] <= page ? found : 0);
          expect(vmaBelow(m, mm, page)).toBe(at < 0 ? (order.at(-1) ?? 0) : (order[at - 1] ?? 0));
          expect(vmaIntersecting(m, mm, page, page + 3)).toBe(
            model.find((entry) => entry.end > page && entry.start < page + 3)?.vma ?? 0,
          );
        }
      }),
      { numRuns: 150 },
    );
  });

  it('stay shallow however they are inserted', () => {
    const m = machine();
    const mm = mmAlloc(m);
    for (let i = 0; i < 20_000; i++) add(m, mm, i * 2, i * 2 + 1);
    const depth = (at: number): number => (at === 0 ? 0 : 1 + Math.max(depth(m.vma.left[at]), depth(m.vma.right[at])));
    expect(depth(m.mm.vmaRoot[mm])).toBeLessThan(60);
  });

  it('are linked both ways', () => {
    const m = machine();
    const mm = mmAlloc(m);
    const high = add(m, mm, 20, 30);
    const low = add(m, mm, 10, 20);
    expect(firstVma(m, mm)).toBe(low);
    expect(nextVma(m, low)).toBe(high);
    expect(prevVma(m, high)).toBe(low);
    expect(nextVma(m, high)).toBe(0);
    expect(prevVma(m, low)).toBe(0);
  });

  it('never overlap: an insertion that would is refused and names both ranges', () => {
    const m = machine();
    const mm = mmAlloc(m);
    add(m, mm, 10, 20);
    expect(() => add(m, mm, 19, 25)).toThrow(/\[19, 25\) overlaps VMA \d+ \[10, 20\)/);
    expect(() => add(m, mm, 5, 11)).toThrow(/overlaps/);
  });
});

describe('the per-VMA lock', () => {
  it('turns readers away while the VMA is being changed, until mmap_lock is given back', () => {
    const m = machine();
    const mm = mmAlloc(m);
    const vma = add(m, mm, 10, 20);
    const page = 12 as Vpn;
    function* story(): Procedure<VmaId[]> {
      const found = [yield* vmaStartRead(m, mm, page)];
      yield* vmaEndRead(m, vma);
      yield* mmapWriteLock(m, mm);
      yield* vmaStartWrite(m, vma);
      found.push(yield* vmaStartRead(m, mm, page));
      yield* mmapWriteUnlock(m, mm);
      found.push(yield* vmaStartRead(m, mm, page));
      yield* vmaEndRead(m, vma);
      return found as VmaId[];
    }
    expect(runToEnd(m.domain, story())).toEqual([vma, 0, vma]);
    expect(m.vma.lock.slice(vma * 4, vma * 4 + 1)).toEqual(Int32Array.of(0));
  });

  it('is not kept by a reader who found the VMA before it left the tree, even when the row is another VMA by then', () => {
    const m = machine();
    const mm = mmAlloc(m);
    const vma = add(m, mm, 10, 20);
    function* late(between: () => void): Procedure<VmaId | 0> {
      const reader = vmaStartRead(m, mm, 12 as Vpn);
      let step = reader.next(0);
      between();
      while (step.done !== true) step = reader.next(yield step.value);
      return step.value;
    }
    expect(
      runToEnd(
        m.domain,
        late(() => removeVma(m, vma)),
      ),
    ).toBe(0);
    insertVma(m, vma);
    m.vma.lockSeq[vma] = 0;
    const reuse = (): void => {
      removeVma(m, vma);
      vmaFree(m, vma);
      expect(add(m, mm, 30, 40)).toBe(vma);
    };
    expect(runToEnd(m.domain, late(reuse))).toBe(0);
    expect(m.vma.lock[vma * 4]).toBe(0);
  });

  it('is not taken for a page without a VMA', () => {
    const m = machine();
    expect(runToEnd(m.domain, vmaStartRead(m, mmAlloc(m), 5 as Vpn))).toBe(0);
  });
});
