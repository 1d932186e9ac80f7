import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventHeap } from './event-heap.js';

interface Entry {
  readonly item: number;
  readonly time: number;
  readonly tie: number;
}

function sorted(model: Map<number, Entry>): Entry[] {
  return [...model.values()].sort((a, b) => a.time - b.time || a.tie - b.tie);
}

describe('EventHeap', () => {
  it('equals a sorted list under any sequence of set, remove and shift', () => {
    const step = fc.record({ what: fc.nat(3), item: fc.nat(20), time: fc.nat(8) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const heap = new EventHeap();
        const model = new Map<number, Entry>();
        for (const [tie, { what, item, time }] of steps.entries()) {
          if (what <= 1) {
            heap.set(item, time, tie);
            model.set(item, { item, time, tie });
          } else if (what === 2) {
            heap.remove(item);
            model.delete(item);
          } else {
            const first = sorted(model)[0];
            expect(heap.shift()).toBe(first?.item ?? -1);
            if (first !== undefined) model.delete(first.item);
          }
          const order = sorted(model);
          expect([heap.size, heap.first]).toEqual([order.length, order[0]?.item ?? -1]);
          expect([heap.firstTime, heap.secondTime]).toEqual([order[0]?.time ?? Infinity, order[1]?.time ?? Infinity]);
          expect(heap.has(item)).toBe(model.has(item));
          expect([...heap.all()].sort((a, b) => a - b)).toEqual([...model.keys()].sort((a, b) => a - b));
        }
      }),
    );
  });
});
