import { acquire, type Procedure, release } from '@thplab/sync';
import { settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { Pfn, Vpn } from './brands.js';
import { takeBlock } from './buddy.js';
import { deferredQueueRemove } from './deferred-queue.js';
import { FOLIO } from './flags.js';
import { clearFrameFlags, folioHas } from './folio.js';
import { folioDrop, folioTrylock, folioUnlock } from './folio-hold.js';
import { folioPut } from './folio-lifetime.js';
import { dupMm } from './fork.js';
import { gupFastGet } from './gup.js';
import { migrateFolio } from './migrate.js';
import { vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, headAt, smallWorld, tableOf } from './testing/folios.js';
import { contents, frameOf } from './testing/pages.js';
import type { World } from './testing/world.js';

/** Moves the folio of a page elsewhere; the old frames are given back. */
function move(w: World, page: number, order: number): boolean {
  const head = headAt(w, page);
  const target = takeBlock(w.m, 0, order) as Pfn;
  const moved = migrateFolio(w.m, head, target);
  folioFree(w, moved ? head : target);
  return moved;
}

function folioFree(w: World, pfn: Pfn): void {
  w.m.frame.refcount[pfn] = 1;
  folioPut(w.m, pfn);
}

describe('migration of a folio', () => {
  it.each([0, 2, 3])('moves a folio of order %i with counts, content and queue facts', (order) => {
    const w = smallWorld(order);
    fill(w, 16);
    const before = contents(w, BASE, BASE + 16);
    const old = headAt(w, BASE);
    expect(move(w, BASE, order)).toBe(true);
    expect(headAt(w, BASE)).not.toBe(old);
    expect(contents(w, BASE, BASE + 16)).toEqual(before);
    expect(vmstat(w, 'pgmigrate_success')).toBe(1 << order);
    expectSound(w);
  });

  it('moves a huge page mapped by PMDs of two processes', () => {
    const w = smallWorld(4);
    fill(w, 16);
    const child = w.run(dupMm(w.m, w.mm));
    const head = headAt(w, BASE);
    deferredQueueRemove(w.m, head);
    expect(move(w, BASE, 4)).toBe(true);
    expect(frameOf(w, BASE + 5, child)).toBe(frameOf(w, BASE + 5));
    expectSound(w);
  });

  it('does not move a folio on the deferred-split queue, whose links lie in its frames', () => {
    const w = smallWorld(4);
    w.m.setting.value[settingIndex('shrink_underused')] = 1;
    fill(w, 16);
    expect(folioHas(w.m, headAt(w, BASE), FOLIO.DEFERRED)).toBe(true);
    expect(move(w, BASE, 4)).toBe(false);
    expectSound(w);
  });

  it.each<[string, (w: World, head: Pfn) => () => void]>([
    [
      'locked',
      (w, head) => {
        folioTrylock(w.m, head);
        return () => folioUnlock(w.m, head);
      },
    ],
    [
      'held by somebody else',
      (w, head) => {
        w.run(gupFastGet(w.m, w.mm, BASE as Vpn));
        return () => folioDrop(w.m, head);
      },
    ],
    [
      'off the LRU',
      (w, head) => {
        clearFrameFlags(w.m, head, FOLIO.LRU);
        return () => undefined;
      },
    ],
  ])('leaves a folio that is %s', (_, hold) => {
    const w = smallWorld();
    fill(w, 4);
    const letGo = hold(w, headAt(w, BASE));
    const head = headAt(w, BASE);
    expect(move(w, BASE, 0)).toBe(false);
    expect(headAt(w, BASE)).toBe(head);
    letGo();
  });

  it('fails while somebody works on a table that maps the folio', () => {
    const w = smallWorld();
    fill(w, 4);
    const lock = w.m.locks.pteLock.ref(tableOf(w, BASE));
    function* underLock(): Procedure<boolean> {
      yield acquire(lock);
      const moved = move(w, BASE, 0);
      yield release(lock);
      return moved;
    }
    expect(w.run(underLock())).toBe(false);
    expect(vmstat(w, 'pgmigrate_fail')).toBe(1);
    expect(move(w, BASE, 0)).toBe(true);
  });
});
