import { PMD, PTE_DIRTY, PTE_WRITE, PTE_YOUNG, placeBasePages } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
import { SCAN } from './results.js';
import { BASE, CollapseWorld } from './testing/collapse-world.js';

const USED = PTE_YOUNG | PTE_DIRTY | PTE_WRITE;

describe.each([merged, legacy618])('a full table of small pages, $name', (generation) => {
  it('becomes one huge page with the same contents, and nothing else changes', () => {
    const w = new CollapseWorld({ generation });
    const vma = w.map();
    placeBasePages(w.m, vma, BASE, w.m.ptes, USED);
    const before = w.contents(BASE, BASE + w.m.ptes);
    const free = w.m.node.freePages[0];
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect(w.pmd()).toBe(PMD.huge);
    expect(w.contents(BASE, BASE + w.m.ptes)).toEqual(before);
    expect(w.m.mm.rssAnon[w.mm]).toBe(w.m.ptes);
    expect(w.m.node.freePages[0]).toBe(free);
    expect(w.m.frame.refcount[w.frame(BASE)]).toBe(1);
    expect(w.vmstat('thp_collapse_alloc')).toBe(1);
    expect(w.vmstat('nr_anon_pages')).toBe(w.m.ptes);
    expect(w.vmstat('nr_isolated_anon')).toBe(0);
    expect(w.stat(w.m.pmdOrder, 'nr_anon')).toBe(1);
    expect(w.stat(w.m.pmdOrder, 'collapse_alloc')).toBe(generation === merged ? 1 : 0);
    expect(w.khugepaged.progress).toBe(w.m.ptes);
  });
});
