import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMachine, type Machine } from './machine.js';
import { swapAlloc, swapAllocRange, swapDuplicate, swapFree, swapFreeSlots } from './swap-slots.js';

function device(slots: number): Machine {
  return createMachine({ nodePages: [64], swapPages: slots, geometry: { pageShift: 12, pmdOrder: 3 } });
}

describe('the swap device', () => {
  it('has as many slots as it was made with, and never gives slot 0', () => {
    const m = device(5);
    expect([1, 2, 3, 4, 5, 6].map((stamp) => swapAlloc(m, stamp))).toEqual([1, 2, 3, 4, 5, 0]);
    expect(swapFreeSlots(m)).toBe(0);
  });

  it('without slots gives none', () => {
    expect(swapAlloc(device(0), 1)).toBe(0);
  });

  it('keeps a slot until nothing counts it any more', () => {
    const m = device(1);
    const slot = swapAlloc(m, 7);
    swapDuplicate(m, slot);
    swapFree(m, slot);
    expect(swapAlloc(m, 8)).toBe(0);
    expect(m.swap.stamp[slot]).toBe(7);
    swapFree(m, slot);
    expect(swapAlloc(m, 8)).toBe(slot);
    swapFree(m, slot);
    expect(() => swapFree(m, slot)).toThrow(/freed more often/);
  });

  it('gives large folios aligned neighbouring slots, and nothing if it is too fragmented', () => {
    const m = device(31);
    const single = swapAlloc(m, 1);
    expect([single, swapAllocRange(m, 8), swapAllocRange(m, 8), swapAllocRange(m, 8)]).toEqual([1, 8, 16, 24]);
    expect(swapFreeSlots(m)).toBe(6);
    expect(swapAllocRange(m, 8)).toBe(0);
    for (let slot = 8; slot < 16; slot++) swapFree(m, slot);
    expect(swapAllocRange(m, 8)).toBe(8);
  });

  it('gives slots that are free, aligned and disjoint, and all of them in the end', () => {
    const operation = fc.tuple(fc.boolean(), fc.nat(40), fc.nat(3));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const m = device(40);
        const held: { slot: number; pages: number }[] = [];
        const used = new Set<number>();
        for (const [take, n, order] of operations) {
          const pages = 1 << order;
          if (take) {
            const slot = swapAllocRange(m, pages);
            if (slot === 0) {
              const possible = Array.from({ length: 41 }, (_, s) => s).some(
                (s) =>
                  s >= pages &&
                  s % pages === 0 &&
                  s + pages <= 41 &&
                  [...Array(pages).keys()].every((i) => !used.has(s + i)),
              );
              expect(possible).toBe(false);
              continue;
            }
            expect(slot % pages).toBe(0);
            for (let i = slot; i < slot + pages; i++) {
              expect(used.has(i)).toBe(false);
              used.add(i);
            }
            held.push({ slot, pages });
          } else if (held.length > 0) {
            const [{ slot, pages: count }] = held.splice(n % held.length, 1);
            for (let i = slot; i < slot + count; i++) {
              swapFree(m, i);
              used.delete(i);
            }
          }
          expect(swapFreeSlots(m)).toBe(40 - used.size);
        }
      }),
    );
  });
});
