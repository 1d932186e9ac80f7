import { nodeOf, type Pfn, PTE_YOUNG, placeBasePages, type Vpn } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { SCAN } from '../results.js';
import { BASE, CollapseWorld, type CollapseWorldOptions } from '../testing/collapse-world.js';
import { fallbackNodes, targetNode } from './table-scan.js';

function world(onNode0: number, onNode1: number, options: CollapseWorldOptions = {}): CollapseWorld {
  const w = new CollapseWorld({ nodePages: [4096, 4096, 4096], ...options });
  w.map();
  placeBasePages(w.m, w.vma(), BASE, onNode0, PTE_YOUNG, 0);
  placeBasePages(w.m, w.vma(), (BASE + onNode0) as Vpn, onNode1, PTE_YOUNG, 1);
  return w;
}

describe('memory nodes (khugepaged spec 7.3)', () => {
  it('the new folio comes from the node that most entries lie on', () => {
    const w = world(200, 300);
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect(nodeOf(w.m, w.frame(BASE) as Pfn)).toBe(1);
    expect([...w.khugepaged.scan.nodeLoad]).toEqual([200, 300, 0]);
  });

  it('of several with as many entries the lowest; the others may help out', () => {
    const w = world(250, 250);
    w.range();
    expect(targetNode(w.khugepaged.scan)).toBe(0);
    expect(fallbackNodes(w.khugepaged.scan)).toBe(0b011);
  });

  it('a table whose pages lie too far apart is given up if node reclaim is on', () => {
    const nodeReclaim = { distance: (a: number, b: number) => (a === b ? 10 : 40), maxDistance: 30 };
    const w = world(200, 300, { nodeReclaim });
    expect(w.range()).toBe(SCAN.SCAN_ABORT);
    expect(w.khugepaged.progress).toBe(201);
    expect(world(200, 300, { nodeReclaim: { ...nodeReclaim, maxDistance: 40 } }).range()).toBe(SCAN.SUCCEED);
  });
});
