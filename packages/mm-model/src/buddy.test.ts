import { asBrand } from '@thplab/arena';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pfn } from './brands.js';
import { freeBlock, freeBlocks, hasFree, initBuddy, relabelBlock, takeBlock, takeExact } from './buddy.js';
import { checkMachine } from './check.js';
import { PAGE } from './flags.js';
import { folioOrder } from './folio.js';
import { createMachine, type Machine } from './machine.js';

/** A free-page bitmap: what the buddy allocator has to say the same as. */
class Bitmap {
  readonly free: boolean[];
  readonly #maxOrder: number;

  constructor(frames: number, maxOrder: number) {
    this.free = Array.from({ length: frames }, (_, pfn) => pfn !== 0);
    this.#maxOrder = maxOrder;
  }

  isFree(pfn: number, order: number): boolean {
    for (let i = pfn; i < pfn + (1 << order); i++) if (this.free[i] !== true) return false;
    return true;
  }

  set(pfn: number, order: number, free: boolean): void {
    this.free.fill(free, pfn, pfn + (1 << order));
  }

  /** Blocks by order: the largest aligned free ones that do not lie in a larger one. */
  blocks(from: number, to: number): number[] {
    const counts = new Array<number>(this.#maxOrder + 1).fill(0);
    for (let pfn = from; pfn < to; ) {
      let order = -1;
      while (order < this.#maxOrder && pfn % 2 ** (order + 1) === 0 && pfn + 2 ** (order + 1) <= to) {
        if (!this.isFree(pfn, order + 1)) break;
        order++;
      }
      if (order >= 0) counts[order]++;
      pfn += order >= 0 ? 1 << order : 1;
    }
    return counts;
  }
}

const NODES = [77, 64, 50];

function machine(): Machine {
  const m = createMachine({ nodePages: NODES, geometry: { pageShift: 12, pmdOrder: 3 } });
  initBuddy(m, NODES);
  return m;
}

function freeCounts(m: Machine, node: number): number[] {
  return Array.from({ length: m.maxOrder + 1 }, (_, order) => freeBlocks(m, node, order));
}

describe('the buddy allocator', () => {
  it('starts with every frame but the zero page free, in the largest aligned blocks that fit the node', () => {
    const m = machine();
    expect(freeCounts(m, 0)).toEqual([2, 1, 2, 2, 1, 1, 0, 0, 0, 0, 0]);
    expect([...m.node.freePages]).toEqual([76, 64, 50]);
    expect(checkMachine(m)).toEqual([]);
  });

  it('gives and merges exactly as a bitmap of free pages says, whatever the order of operations', () => {
    const operation = fc.tuple(fc.constantFrom('take', 'exact', 'free'), fc.nat(190), fc.nat(5));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const m = machine();
        const bitmap = new Bitmap(191, m.maxOrder);
        const held: { pfn: Pfn; order: number }[] = [];
        for (const [kind, n, order] of operations) {
          if (kind === 'take') {
            const node = n % NODES.length;
            const possible = bitmap
              .blocks(m.node.firstPfn[node], m.node.endPfn[node])
              .some((count, o) => o >= order && count > 0);
            expect(hasFree(m, node, order)).toBe(possible);
            const pfn = takeBlock(m, node, order);
            expect(pfn !== 0).toBe(possible);
            if (pfn === 0) continue;
            expect(pfn % (1 << order)).toBe(0);
            expect(bitmap.isFree(pfn, order)).toBe(true);
            bitmap.set(pfn, order, false);
            held.push({ pfn, order });
          } else if (kind === 'exact') {
            const pfn = asBrand<Pfn>(n - (n % (1 << order)));
            const possible = withinOneNode(m, pfn, order) && bitmap.isFree(pfn, order);
            expect(takeExact(m, pfn, order)).toBe(possible);
            if (!possible) continue;
            bitmap.set(pfn, order, false);
            held.push({ pfn, order });
          } else if (held.length > 0) {
            const [block] = held.splice(n % held.length, 1);
            m.frame.refcount[block.pfn] = 0;
            freeBlock(m, block.pfn, block.order);
            bitmap.set(block.pfn, block.order, true);
          }
        }
        for (let node = 0; node < NODES.length; node++) {
          const counts = freeCounts(m, node);
          expect(counts).toEqual(bitmap.blocks(m.node.firstPfn[node], m.node.endPfn[node]));
          expect(m.node.freePages[node]).toBe(counts.reduce((sum, count, order) => sum + (count << order), 0));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('takes a block of the very order first, then splits the next larger one from its lower end', () => {
    const m = machine();
    // Node 1 has frames 77 to 140: one block of order 3, and the next larger one begins at 80.
    expect([takeBlock(m, 1, 3), takeBlock(m, 1, 3), takeBlock(m, 1, 3)]).toEqual([128, 80, 88]);
  });

  it('makes small allocated blocks of a large one without losing the flags of their frames', () => {
    const m = machine();
    const pfn = takeBlock(m, 1, 3) as Pfn;
    m.frame.flags[pfn + 5] |= PAGE.HWPOISON;
    relabelBlock(m, pfn, 3, 1);
    for (let i = 0; i < 8; i++) expect(folioOrder(m, pfn + i)).toBe(1);
    expect(m.frame.flags[pfn + 5]).toBe(PAGE.ALLOCATED | PAGE.HWPOISON | 1);
    for (let i = 0; i < 8; i += 2) freeBlock(m, asBrand<Pfn>(pfn + i), 1);
    m.frame.refcount.fill(0);
    expect(checkMachine(m)).toEqual([]);
  });
});

function withinOneNode(m: Machine, pfn: number, order: number): boolean {
  for (let node = 0; node < NODES.length; node++) {
    if (pfn >= m.node.firstPfn[node]) {
      if (pfn < m.node.endPfn[node]) return pfn + (1 << order) <= m.node.endPfn[node];
    }
  }
  return false;
}
