import { settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { Pfn, Vpn } from './brands.js';
import { VM } from './flags.js';
import { folioEntireMapcount, folioMapcount, folioMaybeMappedShared, isAnonExclusive } from './folio.js';
import { dupMm } from './fork.js';
import { splitHugePmd } from './huge-pmd.js';
import { findPmd, PMD } from './page-table.js';
import { vmstat } from './testing/counters.js';
import { BASE, expectSound, fill, headAt, smallWorld, vmaOf } from './testing/folios.js';
import { contents, frameOf, pmdKind, pteView } from './testing/pages.js';
import { mapAt, touch, type World } from './testing/world.js';
import { userfaultfdRegister, userfaultfdWriteProtect } from './userfaultfd.js';

function splitPmd(w: World, mm = w.mm): void {
  splitHugePmd(w.m, vmaOf(w, BASE, mm), findPmd(w.m, mm, BASE as Vpn), (BASE + 3) as Vpn);
}

describe('a huge PMD', () => {
  it('maps a fresh folio with one reference and an entire map count of one, exclusively', () => {
    const w = smallWorld(4);
    fill(w, 16);
    const head = headAt(w, BASE);
    expect(pmdKind(w, BASE)).toBe(PMD.huge);
    expect(w.m.frame.refcount[head]).toBe(1);
    expect([folioMapcount(w.m, head), folioEntireMapcount(w.m, head)]).toEqual([1, 1]);
    expect(isAnonExclusive(w.m, head)).toBe(true);
    expect(w.m.mm.rssAnon[w.mm]).toBe(16);
    expect(w.m.mm.anonThps[w.mm]).toBe(1);
    expectSound(w);
  });

  it('becomes 16 PTEs of the same pages, using the table that was deposited', () => {
    const w = smallWorld(4);
    fill(w, 16);
    const head = headAt(w, BASE);
    const before = contents(w, BASE, BASE + 16);
    const tables = w.m.mm.pageTables[w.mm];
    splitPmd(w);
    expect(pmdKind(w, BASE)).toBe(PMD.table);
    expect(w.m.mm.pageTables[w.mm]).toBe(tables);
    expect(contents(w, BASE, BASE + 16)).toEqual(before);
    for (let i = 0; i < 16; i++) expect(frameOf(w, BASE + i)).toBe(head + i);
    expect([folioMapcount(w.m, head), folioEntireMapcount(w.m, head)]).toEqual([16, 0]);
    expect(w.m.frame.refcount[head]).toBe(16);
    expect(vmstat(w, 'thp_split_pmd')).toBe(1);
    expect([w.m.mm.rssAnon[w.mm], w.m.mm.anonThps[w.mm]]).toEqual([16, 0]);
    expectSound(w);
  });

  it('hands its attributes and exclusiveness on to every PTE', () => {
    const w = smallWorld(4);
    fill(w, 16);
    const head = headAt(w, BASE);
    splitPmd(w);
    expect(pteView(w, BASE + 7).bits).toEqual(expect.arrayContaining(['write', 'dirty', 'young']));
    expect(isAnonExclusive(w.m, (head + 7) as Pfn)).toBe(true);
  });

  it('hands userfaultfd write protection on, and no write permission with it', () => {
    const w = smallWorld(4);
    fill(w, 16);
    w.run(userfaultfdRegister(w.m, w.mm, BASE as Vpn, 16, VM.UFFD_WP));
    w.run(userfaultfdWriteProtect(w.m, w.mm, BASE as Vpn, 16, true));
    if (pmdKind(w, BASE) === PMD.huge) splitPmd(w);
    expect(pteView(w, BASE + 7).bits).toContain('uffdWp');
    expect(pteView(w, BASE + 7).bits).not.toContain('write');
    expectSound(w);
  });

  it('of one process can be split while another still maps the folio whole', () => {
    const w = smallWorld(4);
    fill(w, 16);
    const child = w.run(dupMm(w.m, w.mm));
    const head = headAt(w, BASE);
    splitPmd(w);
    expect([folioMapcount(w.m, head), folioEntireMapcount(w.m, head)]).toEqual([17, 1]);
    expect(folioMaybeMappedShared(w.m, head)).toBe(true);
    expect(pteView(w, BASE).bits).toContain('shared');
    expect(pmdKind(w, BASE, child)).toBe(PMD.huge);
    expect(vmstat(w, 'nr_anon_pages')).toBe(16);
    expectSound(w);
  });

  it('of the zero page splits into zero-page PTEs', () => {
    const w = smallWorld(4);
    w.m.setting.value[settingIndex('use_zero_page')] = 1;
    mapAt(w, BASE, 16);
    touch(w, w.mm, BASE, BASE + 1, false);
    expect(pmdKind(w, BASE)).toBe(PMD.huge);
    expect(w.m.mm.rssAnon[w.mm]).toBe(0);
    splitPmd(w);
    for (let i = 0; i < 16; i++) expect(pteView(w, BASE + i).state).toBe('zero');
    expectSound(w);
  });
});
