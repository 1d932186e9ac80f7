import { TVA, VM, VMA_KIND } from '@thplab/mm-model';
import { HUGEPAGES_ENABLED, settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
import { v4 } from './generations/v4.js';
import { orderRange } from './orders.js';
import { collapsePossible, collapsePossibleOrders, hugepageEnabled } from './possible-orders.js';
import { BASE, CollapseWorld } from './testing/collapse-world.js';

function world(generation = merged): CollapseWorld {
  const w = new CollapseWorld({ generation });
  w.map(2);
  w.enableOrders(2, 3, 4, 5, 6, 7, 8, 9);
  w.place(0, 1);
  return w;
}

describe('possible orders (khugepaged spec 4.1)', () => {
  it.each([
    [merged, TVA.khugepaged, orderRange(2, 9)],
    [merged, TVA.forcedCollapse, 1 << 9],
    [legacy618, TVA.khugepaged, 1 << 9],
    [legacy618, TVA.forcedCollapse, 1 << 9],
    [v4, TVA.forcedCollapse, orderRange(2, 9)],
  ])('$name, type $1: $2', (generation, type, orders) => {
    const w = world(generation);
    expect(collapsePossibleOrders(w.ctx, w.vma(), type)).toBe(orders);
  });

  it('a VMA smaller than a huge page allows what fits, and MADV_COLLAPSE nothing', () => {
    const w = new CollapseWorld();
    w.map(1, { pages: 100 });
    w.enableOrders(2, 6, 7, 9);
    w.place(0, 1);
    expect(collapsePossibleOrders(w.ctx, w.vma(), TVA.khugepaged)).toBe((1 << 2) | (1 << 6));
    expect(collapsePossible(w.ctx, w.vma(), TVA.forcedCollapse)).toBe(false);
  });

  it('shared memory is asked for the PMD order', () => {
    const w = new CollapseWorld();
    w.map(1, { kind: VMA_KIND.shmem });
    expect(collapsePossibleOrders(w.ctx, w.vma(), TVA.forcedCollapse)).toBe(1 << 9);
  });

  it('flags to come may be judged instead of the present ones', () => {
    const w = world();
    expect(collapsePossible(w.ctx, w.vma(), TVA.khugepaged, VM.READ | VM.NOHUGEPAGE)).toBe(false);
  });

  it('where types are compared by bit-and, a forced collapse gets small orders too (case B19)', () => {
    const w = new CollapseWorld({ generation: { ...merged, tvaBitTest: true }, profile: 'merged' });
    w.map(1);
    w.place(0, 1);
    expect(collapsePossibleOrders(w.ctx, w.vma(BASE), TVA.forcedCollapse)).toBe(orderRange(2, 9));
  });
});

describe('hugepageEnabled (khugepaged spec 4.3)', () => {
  it.each([
    [merged, true],
    [legacy618, false],
  ])('$name: with 64 kB pages alone there is work: $1', (generation, works) => {
    const w = new CollapseWorld({ generation });
    w.set('enabled', 2);
    w.enableOrders();
    expect(hugepageEnabled(w.ctx)).toBe(false);
    w.m.setting.value[settingIndex('hugepages.enabled', 4)] = HUGEPAGES_ENABLED.madvise;
    expect(hugepageEnabled(w.ctx)).toBe(works);
  });
});
