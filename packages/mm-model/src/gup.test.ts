import { SequentialExecutor } from '@thplab/sync';
import { settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { MmId, Pfn, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { injectAllocationFailure } from './fault-injection.js';
import { VM, ZERO_FRAME } from './flags.js';
import { folioHead, folioOrder, isAnonExclusive } from './folio.js';
import { folioDrop } from './folio-hold.js';
import { dupMm } from './fork.js';
import { folioMaybeDmaPinned, gupFastGet, type PinOptions, type Pins, pinPages, unpinPages } from './gup.js';
import { mmput } from './mm.js';
import { munmap } from './munmap.js';
import { swapOutFolio } from './swap-out.js';
import { BASE, expectSound, fill, headAt, smallWorld } from './testing/folios.js';
import { readPage } from './testing/page-contents.js';
import { frameOf, pteView } from './testing/pages.js';
import { mapAt, touch, type World } from './testing/world.js';

function pin(w: World, page: number, pages: number, options: PinOptions = { write: true }, mm: MmId = w.mm): Pins {
  return w.run(pinPages(w.m, mm, page as Vpn, pages, options));
}

describe('pinning', () => {
  it('adds 1024 references to a base page, and one and a count to a large folio', () => {
    const w = smallWorld();
    fill(w, 1);
    const base = pin(w, BASE, 1);
    expect(w.m.frame.refcount[base.frames[0]]).toBe(1 + 1024);
    expectSound(w, { pins: base.frames });
    const large = smallWorld(3);
    fill(large, 8);
    const { frames } = pin(large, BASE + 2, 3);
    expect(large.m.frame.refcount[folioHead(large.m, frames[0])]).toBe(8 + 3);
    expect(folioMaybeDmaPinned(large.m, headAt(large, BASE))).toBe(true);
    expectSound(large, { pins: frames });
    unpinPages(large.m, frames);
    expect(folioMaybeDmaPinned(large.m, headAt(large, BASE))).toBe(false);
    expectSound(large);
  });

  it('shows in the mirrors, so that a scan refuses the page', () => {
    const w = smallWorld();
    fill(w, 1);
    const { frames } = pin(w, BASE, 1);
    expect(pteView(w, BASE).bits).toContain('attention');
    unpinPages(w.m, frames);
    expect(pteView(w, BASE).bits).not.toContain('attention');
  });

  it('faults in what is not there: none, swapped, or not yet writable', () => {
    const w = smallWorld();
    fill(w, 2);
    w.run(swapOutFolio(w.m, headAt(w, BASE + 1)));
    mapAt(w, BASE + 2, 14);
    const got = pin(w, BASE, 4);
    expect(got).toMatchObject({ error: 0 });
    expect(got.frames).toEqual([0, 1, 2, 3].map((i) => frameOf(w, BASE + i)));
    expectSound(w, { pins: got.frames });
    unpinPages(w.m, got.frames);
    expectSound(w);
  });

  it('outlives the mapping: the frame stays until it is unpinned', () => {
    const w = smallWorld();
    fill(w, 4);
    const got = pin(w, BASE, 2);
    const free = w.m.node.freePages[0];
    w.run(munmap(w.m, w.mm, BASE as Vpn, 4));
    expect(w.m.node.freePages[0]).toBe(free + 2);
    expectSound(w, { pins: got.frames });
    unpinPages(w.m, got.frames);
    expect(w.m.node.freePages[0]).toBe(free + 4);
    expectSound(w);
  });

  it.each([
    ['outside of any VMA', BASE + 100, VM.READ | VM.WRITE, true],
    ['for writing where that is not allowed', BASE, VM.READ, true],
    ['where nothing is allowed', BASE, 0, false],
    ['in special memory', BASE, VM.READ | VM.WRITE | VM.PFNMAP, false],
  ])('%s fails with EFAULT, and tells how far it came', (_, page, flags, write) => {
    const w = smallWorld();
    mapAt(w, BASE, 4, { flags });
    mapAt(w, BASE + 99, 1);
    const got = pin(w, page === BASE ? BASE : BASE + 99, 3, { write });
    expect(got.error).toBe(-ERRNO.EFAULT);
    expect(got.frames.length).toBe(page === BASE ? 0 : 1);
    unpinPages(w.m, got.frames);
  });

  it('without memory fails with ENOMEM', () => {
    const w = smallWorld();
    mapAt(w, BASE, 4);
    injectAllocationFailure(w.m, { nth: 1 });
    expect(pin(w, BASE, 1).error).toBe(-ERRNO.ENOMEM);
  });

  it('does not count pins of the zero page, unless they are to last: then the page is made real first', () => {
    const w = smallWorld();
    w.m.setting.value[settingIndex('use_zero_page')] = 1;
    mapAt(w, BASE, 4);
    touch(w, w.mm, BASE, BASE + 2, false);
    const short = pin(w, BASE, 1, { write: false });
    expect(short.frames).toEqual([ZERO_FRAME]);
    expectSound(w, { pins: short.frames });
    unpinPages(w.m, short.frames);
    const long = pin(w, BASE + 1, 1, { write: false, longterm: true });
    expect(long.frames[0]).not.toBe(ZERO_FRAME);
    expect(readPage(w.m, w.mm, BASE + 1)).toBe(0);
    expectSound(w, { pins: long.frames });
    unpinPages(w.m, long.frames);
  });
});

describe('a read pin of a page that other processes share', () => {
  it.each([0, 3, 4])('gets a copy with the same content first, of a folio of order %i', (order) => {
    const w = smallWorld(order);
    fill(w, 16);
    const child = w.run(dupMm(w.m, w.mm));
    const before = readPage(w.m, w.mm, BASE + 2);
    const got = pin(w, BASE + 2, 1, { write: false }, child);
    expect(got.frames[0]).toBe(frameOf(w, BASE + 2, child));
    expect(got.frames[0]).not.toBe(frameOf(w, BASE + 2));
    expect(isAnonExclusive(w.m, got.frames[0])).toBe(true);
    expect(readPage(w.m, child, BASE + 2)).toBe(before);
    expectSound(w, { pins: got.frames });
    // A write by the process goes to the pinned page.
    touch(w, child, BASE + 2, BASE + 3);
    expect(frameOf(w, BASE + 2, child)).toBe(got.frames[0]);
    unpinPages(w.m, got.frames);
    expectSound(w);
  });

  it('takes the page over if the others have left', () => {
    const w = smallWorld();
    fill(w, 1);
    const child = w.run(dupMm(w.m, w.mm));
    const frame = frameOf(w, BASE);
    w.run(mmput(w.m, child));
    const got = pin(w, BASE, 1, { write: false });
    expect(got.frames).toEqual([frame]);
    unpinPages(w.m, got.frames);
    expectSound(w);
  });
});

describe('fork of a process with pinned pages', () => {
  it.each([0, 3, 4])('copies them for the child at once, for a folio of order %i', (order) => {
    const w = smallWorld(order);
    fill(w, 16);
    const got = pin(w, BASE + 1, 1);
    const child = w.run(dupMm(w.m, w.mm));
    expect(frameOf(w, BASE + 1)).toBe(got.frames[0]);
    expect(frameOf(w, BASE + 1, child)).not.toBe(got.frames[0]);
    expect(readPage(w.m, child, BASE + 1)).toBe(readPage(w.m, w.mm, BASE + 1));
    touch(w, w.mm, BASE + 1, BASE + 2);
    expect(frameOf(w, BASE + 1)).toBe(got.frames[0]);
    expectSound(w, { pins: got.frames });
    unpinPages(w.m, got.frames);
    expectSound(w);
  });
});

describe('lockless GUP', () => {
  it('takes one reference on a page that is mapped by a PTE or a huge PMD', () => {
    for (const order of [0, 3, 4]) {
      const w = smallWorld(order);
      fill(w, 16);
      const pfn = w.run(gupFastGet(w.m, w.mm, (BASE + 5) as Vpn)) as Pfn;
      expect(pfn).toBe(frameOf(w, BASE + 5));
      expectSound(w, { held: [pfn] });
      folioDrop(w.m, folioHead(w.m, pfn));
      expectSound(w);
    }
  });

  it('gives nothing for none, zero and swap entries', () => {
    const w = smallWorld();
    w.m.setting.value[settingIndex('use_zero_page')] = 1;
    fill(w, 1);
    mapAt(w, BASE + 1, 8);
    touch(w, w.mm, BASE + 1, BASE + 2, false);
    w.run(swapOutFolio(w.m, headAt(w, BASE)));
    for (const page of [BASE, BASE + 1, BASE + 2, BASE + 500]) {
      expect(w.run(gupFastGet(w.m, w.mm, page as Vpn))).toBe(0);
    }
  });

  it('drops its reference if the entry changed before the second look', () => {
    const w = smallWorld();
    fill(w, 1);
    const executor = new SequentialExecutor(w.m.domain, { cpus: 1 });
    w.m.current = executor.current;
    const gup = gupFastGet(w.m, w.mm, BASE as Vpn);
    // Step by hand: read the entry, take the reference; then the page goes.
    gup.next(0);
    gup.next(0);
    w.run(munmap(w.m, w.mm, BASE as Vpn, 1));
    expect(gup.next(0)).toEqual({ done: true, value: 0 });
    expectSound(w);
    expect(w.m.node.freePages[0]).toBe(511);
  });

  it('takes nothing from a frame that was freed before it could', () => {
    const w = smallWorld();
    fill(w, 1);
    const gup = gupFastGet(w.m, w.mm, BASE as Vpn);
    gup.next(0);
    w.run(munmap(w.m, w.mm, BASE as Vpn, 1));
    expect(gup.next(0)).toEqual({ done: true, value: 0 });
    expectSound(w);
  });

  it('that is half done while the folio is split makes the split fail, or is itself given nothing', () => {
    const w = smallWorld(3);
    fill(w, 8);
    const head = headAt(w, BASE);
    const gup = gupFastGet(w.m, w.mm, (BASE + 6) as Vpn);
    gup.next(0);
    gup.next(0);
    expect(w.m.frame.refcount[head]).toBe(9);
    expect(folioOrder(w.m, head)).toBe(3);
    expect(gup.next(0)).toEqual({ done: true, value: head + 6 });
    folioDrop(w.m, head);
    expectSound(w);
  });
});
