import { acquire, HeldLocks, type LockMode, type LockRef, type Procedure, READ, runToEnd, WRITE } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { anonVmaLock } from '../anon-vma.js';
import type { AnonVmaId, Vpn } from '../brands.js';
import { FOLIO } from '../flags.js';
import { folioHead, setFrameFlags } from '../folio.js';
import { findPmd, findTable, type PmdRef, ptePfn, slotOf } from '../page-table.js';
import { makeWorld, mapAt, touch, type World } from '../testing/world.js';
import { detachedTableDefects } from './detached-table.js';

const BASE = 512 as Vpn;

/** A process with pages, whose table is out of its PMD, and what is said of that by a task with these locks. */
function said(holding: (w: World) => readonly (readonly [LockRef, LockMode])[], change?: (w: World) => void): string[] {
  const w = makeWorld();
  mapAt(w, BASE, 8);
  expect(touch(w, w.mm, BASE, BASE + 4)).toEqual([]);
  const held = new HeldLocks();
  for (const [lock, mode] of holding(w)) {
    runToEnd(w.m.domain, taking(lock, mode));
    held.push(lock, mode, 0);
  }
  change?.(w);
  w.m.directory.entry[findPmd(w.m, w.mm, BASE) as PmdRef] = 0;
  return detachedTableDefects(w.m, held).map((line) => line.replace(/table \d+ of mm \d+ /, ''));
}

function* taking(lock: LockRef, mode: LockMode): Procedure<void> {
  yield acquire(lock, mode);
}

const mmap = (w: World, mode: LockMode) => [w.m.locks.mmapLock.ref(w.mm), mode] as const;
const anonVma = (w: World) => [anonVmaLock(w.m, w.m.vma.anonVma[1] as AnonVmaId), WRITE] as const;

describe('a table that maps pages, out of its PMD (I3)', () => {
  it('needs mmap_lock for writing, and the anon_vma or all folios locked', () => {
    expect(said((w) => [mmap(w, READ)])).toEqual(['I3: is out of its PMD without mmap_lock held for writing']);
    expect(said((w) => [mmap(w, WRITE)])).toEqual([
      'I3: is out of its PMD without the anon_vma lock, and with folios in it that are not locked',
    ]);
    expect(said((w) => [mmap(w, WRITE), anonVma(w)])).toEqual([]);
    const lockAll = (w: World): void => {
      const table = findTable(w.m, w.mm, BASE);
      if (table === 0) throw new Error('no table');
      for (let page = 0; page < 4; page++) {
        const pfn = ptePfn(w.m, table, slotOf(w.m, (BASE + page) as Vpn));
        setFrameFlags(w.m, folioHead(w.m, pfn), FOLIO.LOCKED);
      }
    };
    expect(said((w) => [mmap(w, WRITE)], lockAll)).toEqual([]);
  });

  it('is the business of who holds a lock of the address space', () => {
    expect(said(() => [])).toEqual([]);
  });
});
