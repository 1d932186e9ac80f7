import { type Procedure, WRITE } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { anonVmaFork, anonVmaPrepare, folioLockAnonVma, hasSingleChain, unlinkAnonVmas } from './anon-vma.js';
import type { MmId, Pfn, VmaId, Vpn } from './brands.js';
import { VM } from './flags.js';
import { mmAlloc, mmput } from './mm.js';
import { mprotect } from './mprotect.js';
import { munmap } from './munmap.js';
import { vmasOfAnonVma } from './rmap.js';
import { frameOf } from './testing/pages.js';
import { makeWorld, mapAt, onlyVma, ranges, spy, touch, type World } from './testing/world.js';
import { vmaDup, vmaFree } from './vma/vma-rows.js';
import { insertVma, removeVma, vmaAt } from './vma-tree.js';

/** The child's copy of a VMA, without pages. */
function forkVma(w: World, source: VmaId): { mm: MmId; vma: VmaId } {
  const mm = mmAlloc(w.m);
  const vma = vmaDup(w.m, source, mm);
  w.run(anonVmaFork(w.m, vma, source));
  insertVma(w.m, vma);
  return { mm, vma };
}

function dropVma(w: World, vma: VmaId): void {
  w.run(unlinkAnonVmas(w.m, vma));
  removeVma(w.m, vma);
  vmaFree(w.m, vma);
}

function parentVma(w: World): VmaId {
  mapAt(w, 512, 8);
  const vma = onlyVma(w);
  w.run(anonVmaPrepare(w.m, vma));
  return vma;
}

/** VMAs that pages of the VMA's anon_vma may be mapped in. */
const family = (w: World, vma: VmaId): VmaId[] => [...vmasOfAnonVma(w.m, w.m.vma.anonVma[vma])];

describe('anon_vmas across fork', () => {
  it('pages of a parent are looked for in all its descendants, pages of a child in the child and its own', () => {
    const w = makeWorld();
    const parent = parentVma(w);
    const child = forkVma(w, parent).vma;
    const grandchild = forkVma(w, child).vma;
    const second = forkVma(w, parent).vma;
    expect(family(w, parent)).toEqual([parent, child, grandchild, second]);
    expect(family(w, child)).toEqual([child, grandchild]);
    expect(family(w, grandchild)).toEqual([grandchild]);
    expect(family(w, second)).toEqual([second]);
  });

  it('the family has one root, whose lock is everybody’s', () => {
    const w = makeWorld();
    const parent = parentVma(w);
    const child = forkVma(w, parent).vma;
    const grandchild = forkVma(w, child).vma;
    const root = w.m.vma.anonVma[parent];
    expect([parent, child, grandchild].map((vma) => w.m.anonVma.root[w.m.vma.anonVma[vma]])).toEqual([
      root,
      root,
      root,
    ]);
    expect(w.m.anonVma.parent[w.m.vma.anonVma[grandchild]]).toBe(w.m.vma.anonVma[child]);
  });

  it('a VMA without anonymous pages gives its child nothing', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    const { vma } = forkVma(w, onlyVma(w));
    expect(w.m.vma.anonVma[vma]).toBe(0);
    expect(w.m.vma.avcFirst[vma]).toBe(0);
  });

  it('a root outlives its own VMA while a child needs its lock, and everything is free at the end, in any order', () => {
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const w = makeWorld();
      const parent = parentVma(w);
      const child = forkVma(w, parent).vma;
      const vmas = [parent, child, forkVma(w, child).vma];
      for (const i of order) {
        expect(w.m.anonVma.pool.live).toBeGreaterThan(0);
        dropVma(w, vmas[i]);
      }
      expect(w.m.anonVma.pool.live).toBe(0);
      expect(w.m.avc.pool.live).toBe(0);
    }
  });

  it('a process that forks and exits its parent again and again does not grow: an idle anon_vma is taken over', () => {
    const w = makeWorld();
    let vma = parentVma(w);
    for (let generation = 0; generation < 30; generation++) {
      const next = forkVma(w, vma).vma;
      dropVma(w, vma);
      vma = next;
    }
    expect(w.m.anonVma.pool.live).toBeLessThanOrEqual(3);
    expect(w.m.avc.pool.live).toBeLessThanOrEqual(3);
  });

  it('an anon_vma whose lock somebody waits for outlives the VMA and the root’s last user', () => {
    const w = makeWorld();
    mapAt(w, 512, 1);
    touch(w, w.mm, 512, 513);
    const head = frameOf(w, 512) as Pfn;
    function* late(): Procedure<number> {
      const locker = folioLockAnonVma(w.m, head, WRITE);
      let step = locker.next(0);
      yield* munmap(w.m, w.mm, 512 as Vpn, 1);
      expect(w.m.anonVma.pool.live).toBe(1);
      while (step.done !== true) step = locker.next(yield step.value);
      return step.value;
    }
    expect(w.run(late())).toBe(0);
    expect(w.m.anonVma.pool.live).toBe(0);
  });

  it('a child linked to its parent’s pages has more than one chain', () => {
    const w = makeWorld();
    const parent = parentVma(w);
    expect(hasSingleChain(w.m, parent)).toBe(true);
    expect(hasSingleChain(w.m, forkVma(w, parent).vma)).toBe(false);
  });
});

describe('the first anonymous page of a VMA', () => {
  it('makes an anon_vma', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    expect(w.m.vma.anonVma[onlyVma(w)]).toBe(0);
    expect(touch(w, w.mm, 512, 513)).toEqual([]);
    expect(w.m.vma.anonVma[onlyVma(w)]).not.toBe(0);
  });

  it('takes the anon_vma of a neighbour that differs in access rights only, so that the two can become one again', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    touch(w, w.mm, 512, 513);
    w.run(mprotect(w.m, w.mm, 520 as Vpn, 8, VM.READ));
    const [low, high] = [vmaAt(w.m, w.mm, 512), vmaAt(w.m, w.mm, 520)] as VmaId[];
    expect(w.m.vma.anonVma[high]).toBe(w.m.vma.anonVma[low]);
    w.run(mprotect(w.m, w.mm, 520 as Vpn, 8, VM.READ | VM.WRITE));
    expect(ranges(w)).toEqual([[512, 528]]);
  });

  it('does not take it over a gap', () => {
    const w = makeWorld();
    mapAt(w, 512, 4);
    mapAt(w, 520, 4);
    touch(w, w.mm, 512, 513);
    touch(w, w.mm, 520, 521);
    const [low, high] = [vmaAt(w.m, w.mm, 512), vmaAt(w.m, w.mm, 520)] as VmaId[];
    expect(w.m.vma.anonVma[high]).not.toBe(w.m.vma.anonVma[low]);
  });
});

describe('the end of an address space', () => {
  it('frees every VMA, table, directory, anon_vma and frame', () => {
    const w = makeWorld();
    const { m } = w;
    const free = m.node.freePages[0];
    mapAt(w, 512, 1024);
    mapAt(w, 4096, 700, { flags: VM.READ | VM.WRITE | VM.EXEC });
    touch(w, w.mm, 512, 1300);
    touch(w, w.mm, 4100, 4300);
    touch(w, w.mm, 4400, 4500, false);
    w.run(munmap(m, w.mm, 600 as Vpn, 50));
    w.run(mprotect(m, w.mm, 4200 as Vpn, 30, VM.READ));
    w.run(mmput(m, w.mm));
    for (const table of [m.mm, m.vma, m.pte, m.directory, m.anonVma, m.avc]) expect(table.pool.live).toBe(0);
    expect(m.node.freePages[0]).toBe(free);
  });

  it('comes when the last user leaves; khugepaged is told before any page goes', () => {
    const w = makeWorld();
    const seen: number[] = [];
    w.m.hooks.khugepagedExit = spy((mm: MmId) => seen.push(mm, w.m.mm.users[mm], w.m.mm.rssAnon[mm]));
    mapAt(w, 512, 4);
    touch(w, w.mm, 512, 516);
    w.m.mm.users[w.mm]++;
    w.run(mmput(w.m, w.mm));
    expect(seen).toEqual([]);
    w.run(mmput(w.m, w.mm));
    expect(seen).toEqual([w.mm, 0, 4]);
  });
});
