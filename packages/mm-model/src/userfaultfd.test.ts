import { HUGEPAGES_ENABLED, settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { Vpn } from './brands.js';
import { assertMachine } from './check.js';
import { FAULT } from './fault-result.js';
import { ENTRY_KIND, VM, VMA_KIND } from './flags.js';
import { MADV } from './madvise/advice.js';
import { madvise } from './madvise.js';
import { PMD, PMD_UFFD_WP, PMD_WRITE } from './page-table.js';
import { contents, pmdEntry, pmdKind, pteView } from './testing/pages.js';
import { makeWorld, mapAt, ranges, touch, type World } from './testing/world.js';
import { userfaultfdRegister, userfaultfdUnregister, userfaultfdWriteProtect } from './userfaultfd.js';

const register = (w: World, start: number, pages: number, mode: number): number =>
  w.run(userfaultfdRegister(w.m, w.mm, start as Vpn, pages, mode));
const unregister = (w: World, start: number, pages: number): number =>
  w.run(userfaultfdUnregister(w.m, w.mm, start as Vpn, pages));
const protect = (w: World, start: number, pages: number, on: boolean, unpopulated = false): number =>
  w.run(userfaultfdWriteProtect(w.m, w.mm, start as Vpn, pages, on, { unpopulated }));

describe('userfaultfd in mode missing', () => {
  it('stops faults on pages that are not there, and only those', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    touch(w, w.mm, 512, 514);
    expect(register(w, 512, 8, VM.UFFD_MISSING)).toBe(0);
    expect(touch(w, w.mm, 512, 514)).toEqual([]);
    expect(touch(w, w.mm, 514, 516)).toEqual([FAULT.userfault, FAULT.userfault]);
    expect(touch(w, w.mm, 520, 521)).toEqual([]);
    expect(unregister(w, 512, 8)).toBe(0);
    expect(touch(w, w.mm, 514, 516)).toEqual([]);
    expect(ranges(w)).toEqual([[512, 528]]);
  });

  it('never lets a hole be filled by populating', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    register(w, 512, 8, VM.UFFD_MISSING);
    expect(w.run(madvise(w.m, w.mm, 512 as Vpn, 8, MADV.POPULATE_WRITE))).toBe(-11);
    expect(w.m.mm.rssAnon[w.mm]).toBe(0);
  });
});

describe('userfaultfd in mode wp', () => {
  it('has every touch of an empty page fill that page alone, whatever sizes are enabled', () => {
    const w = makeWorld({ thp: 'always' });
    w.m.setting.value[settingIndex('hugepages.enabled', 3)] = HUGEPAGES_ENABLED.always;
    mapAt(w, 512, 64);
    touch(w, w.mm, 512, 513);
    expect(w.m.mm.rssAnon[w.mm]).toBe(8);
    register(w, 528, 16, VM.UFFD_WP);
    touch(w, w.mm, 529, 530);
    expect(w.m.mm.rssAnon[w.mm]).toBe(9);
    touch(w, w.mm, 548, 549);
    expect(w.m.mm.rssAnon[w.mm]).toBe(17);
  });

  it('registered again for a part of its modes keeps all of them', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 520);
    register(w, 512, 8, VM.UFFD_MISSING | VM.UFFD_WP);
    protect(w, 512, 8, true);
    register(w, 512, 8, VM.UFFD_MISSING);
    expect(touch(w, w.mm, 513, 514)).toEqual([FAULT.userfault]);
    assertMachine(w.m);
  });

  it('registered again in another mode leaves entries protected, but writes go through', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 520);
    register(w, 512, 8, VM.UFFD_WP);
    protect(w, 512, 8, true);
    register(w, 512, 8, VM.UFFD_MISSING);
    expect(pteView(w, 513).bits).toContain('uffdWp');
    expect(touch(w, w.mm, 513, 514)).toEqual([]);
    assertMachine(w.m);
  });

  it('protects mapped pages against writes until it is lifted, and gives the write bit back then', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 516);
    const before = contents(w, 512, 516);
    register(w, 512, 8, VM.UFFD_WP);
    expect(protect(w, 512, 8, true)).toBe(0);
    expect(pteView(w, 513).bits).toContain('uffdWp');
    expect(pteView(w, 513).bits).not.toContain('write');
    expect(touch(w, w.mm, 513, 514)).toEqual([FAULT.userfault]);
    expect(touch(w, w.mm, 513, 514, false)).toEqual([]);
    expect(contents(w, 512, 516)).toEqual(before);
    expect(protect(w, 512, 8, false)).toBe(0);
    expect(pteView(w, 513).bits).toContain('write');
    expect(touch(w, w.mm, 513, 514)).toEqual([]);
  });

  it('leaves holes of anonymous memory alone, or marks them if asked to', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    register(w, 512, 8, VM.UFFD_WP);
    protect(w, 512, 8, true);
    expect(pteView(w, 512).state).toBe('none');
    protect(w, 512, 8, true, true);
    expect(pteView(w, 512)).toMatchObject({ state: 'entry', value: ENTRY_KIND.markerUffdWp, bits: ['uffdWp'] });
    expect(touch(w, w.mm, 512, 513)).toEqual([FAULT.userfault]);
    protect(w, 512, 8, false);
    expect(pteView(w, 512).state).toBe('none');
  });

  it('passes the protection of a marked hole on to the zero page that a read brings', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    register(w, 512, 8, VM.UFFD_WP);
    protect(w, 512, 8, true, true);
    expect(touch(w, w.mm, 512, 513, false)).toEqual([]);
    expect(pteView(w, 512)).toMatchObject({ state: 'zero', bits: ['young', 'uffdWp'] });
    expect(touch(w, w.mm, 512, 513)).toEqual([FAULT.userfault]);
    assertMachine(w.m);
  });

  it('keeps a marked hole as it is if missing pages are to be reported too', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    register(w, 512, 8, VM.UFFD_WP | VM.UFFD_MISSING);
    protect(w, 512, 8, true, true);
    const marked = pteView(w, 512);
    expect(touch(w, w.mm, 512, 513, false)).toEqual([FAULT.userfault]);
    expect(pteView(w, 512)).toEqual(marked);
    assertMachine(w.m);
  });

  it('marks holes of shared memory; the page that a read brings is protected', () => {
    const w = makeWorld();
    mapAt(w, 512, 8, { kind: VMA_KIND.shmem });
    register(w, 512, 8, VM.UFFD_WP);
    protect(w, 512, 8, true);
    expect(touch(w, w.mm, 512, 513, false)).toEqual([]);
    expect(pteView(w, 512).bits).toContain('uffdWp');
    expect(touch(w, w.mm, 512, 513)).toEqual([FAULT.userfault]);
    assertMachine(w.m);
  });

  it('marks swap entries; the page comes back protected', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 520);
    register(w, 512, 8, VM.UFFD_WP);
    w.run(madvise(w.m, w.mm, 512 as Vpn, 8, MADV.PAGEOUT));
    protect(w, 512, 8, true);
    expect(pteView(w, 512)).toMatchObject({ state: 'entry', bits: ['uffdWp'] });
    expect(touch(w, w.mm, 512, 513, false)).toEqual([]);
    expect(pteView(w, 512).bits).toContain('uffdWp');
    expect(touch(w, w.mm, 512, 513)).toEqual([FAULT.userfault]);
  });

  it('protects a whole huge page as one, and splits the mapping for a part', () => {
    const w = makeWorld();
    mapAt(w, 512, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    touch(w, w.mm, 512, 1024);
    register(w, 512, 512, VM.UFFD_WP);
    protect(w, 512, 512, true);
    expect(pmdKind(w, 512)).toBe(PMD.huge);
    expect(pmdEntry(w, 512) & (PMD_UFFD_WP | PMD_WRITE)).toBe(PMD_UFFD_WP);
    expect(touch(w, w.mm, 700, 701)).toEqual([FAULT.userfault]);
    expect(pmdEntry(w, 512) & (PMD_UFFD_WP | PMD_WRITE)).toBe(PMD_UFFD_WP);
    protect(w, 600, 4, false);
    expect(pmdKind(w, 512)).toBe(PMD.table);
    expect([599, 600, 603, 604].map((page) => pteView(w, page).bits.includes('uffdWp'))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('unregistering lifts what is left of the protection', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    touch(w, w.mm, 512, 516);
    register(w, 512, 8, VM.UFFD_WP);
    protect(w, 512, 8, true, true);
    unregister(w, 512, 8);
    expect(pteView(w, 513).bits).not.toContain('uffdWp');
    expect(pteView(w, 518).state).toBe('none');
    expect(touch(w, w.mm, 512, 520)).toEqual([]);
  });
});

describe('userfaultfd errors', () => {
  it('EINVAL: no VMA, no mode, a bad range, memory that cannot be armed', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8, { flags: VM.READ | VM.DROPPABLE });
    expect(register(w, 600, 8, VM.UFFD_MISSING)).toBe(-22);
    expect(register(w, 512, 8, 0)).toBe(-22);
    expect(register(w, 512, 0, VM.UFFD_MISSING)).toBe(-22);
    expect(register(w, 512, 16, VM.UFFD_MISSING)).toBe(-22);
    expect(register(w, 512, 8, VM.UFFD_MINOR)).toBe(-22);
    mapAt(w, 600, 8, { kind: VMA_KIND.shmem });
    expect(register(w, 600, 8, VM.UFFD_MINOR)).toBe(0);
  });

  it('ENOENT: write protection of memory that is not registered for it', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    register(w, 512, 8, VM.UFFD_WP);
    expect(protect(w, 520, 4, true)).toBe(-2);
    expect(protect(w, 512, 16, true)).toBe(-2);
    expect(protect(w, 900, 4, true)).toBe(-2);
  });
});
