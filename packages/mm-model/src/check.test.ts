/** An oracle that finds nothing is worth nothing: every redundancy is broken once, and must be named. */
import { clearBit, setBit } from '@thplab/arena';
import { HUGEPAGES_ENABLED, mthpStatCell, settingIndex, vmstatIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import type { Pfn, VmaId, Vpn } from './brands.js';
import { takeBlock } from './buddy.js';
import { assertMachine, checkMachine } from './check.js';
import { addToFileMap } from './file-map.js';
import { FOLIO, PAGE, VMA_KIND } from './flags.js';
import { dupMm } from './fork.js';
import { pteBit, pteCell, slotOf } from './page-table.js';
import { swapOutFolio } from './swap-out.js';
import { BASE, expectSound, fill, headAt, smallWorld, tableOf, vmaOf } from './testing/folios.js';
import { frameOf } from './testing/pages.js';
import { mapAt, touch, type World } from './testing/world.js';
import { zapRange } from './zap.js';

/**
 * A process with a child, and one of each: base pages, a partially mapped folio, a huge page, swapped-out pages, zero pages,
 * pages of shmem, a page in a batch.
 */
function rich(): World {
  const w = smallWorld(3);
  fill(w, 16);
  const child = w.run(dupMm(w.m, w.mm));
  w.run(zapRange(w.m, vmaOf(w, BASE), (BASE + 9) as Vpn, (BASE + 12) as Vpn));
  w.run(zapRange(w.m, vmaOf(w, BASE, child), (BASE + 9) as Vpn, (BASE + 12) as Vpn));
  w.run(swapOutFolio(w.m, headAt(w, BASE)));
  mapAt(w, SHMEM, 16, { kind: VMA_KIND.shmem });
  touch(w, w.mm, SHMEM, SHMEM + 2);
  for (const order of [3, 4]) {
    w.m.setting.value[settingIndex('hugepages.enabled', order)] =
      order === 4 ? HUGEPAGES_ENABLED.always : HUGEPAGES_ENABLED.never;
  }
  mapAt(w, HUGE, 16);
  touch(w, w.mm, HUGE, HUGE + 2);
  mapAt(w, SMALL_PAGES, 8);
  touch(w, w.mm, SMALL_PAGES, SMALL_PAGES + 3);
  touch(w, w.mm, SMALL_PAGES + 4, SMALL_PAGES + 6, false);
  return w;
}

const SHMEM: number = BASE + 64;
const HUGE: number = BASE + 96;
const SMALL_PAGES: number = BASE + 128;

/** A row that says it maps the shared object, in no address space. */
function strayVma(w: World): VmaId {
  const vma = w.m.vma.pool.alloc() as VmaId;
  w.m.vma.file[vma] = w.m.vma.file[vmaOf(w, SHMEM)];
  return vma;
}

describe('the oracle', () => {
  it('has nothing to say about a sound machine', () => {
    const w = rich();
    expectSound(w);
    expect(() => assertMachine(w.m)).not.toThrow();
  });

  it.each<[string, (w: World) => void, RegExp]>([
    ['a map count', (w) => w.m.frame.mapcount[frameOf(w, SMALL_PAGES)]++, /frame \d+: mapcount 2, but 1 entry maps it/],
    ['the map count of a large folio', (w) => w.m.frame.mapping[headAt(w, BASE + 8) + 1]++, /order 3\): map count is/],
    ['an entire map count', (w) => w.m.frame.index[headAt(w, HUGE) + 1]--, /entire map count is 0, but 1/],
    ['the share of a process', (w) => w.m.frame.index[headAt(w, BASE + 8) + 3]++, /has a share of/],
    ['a reference', (w) => w.m.frame.refcount[headAt(w, HUGE)]++, /2 references, but 1 mappings/],
    ['a pin count', (w) => w.m.frame.refcount[headAt(w, HUGE) + 1]++, /pins is 1, but 0/],
    ['a folio nobody has', (w) => takeBlock(w.m, 0, 2), /explain 0/],
    ['a locked folio', (w) => Atomics.or(w.m.frame.flags, headAt(w, HUGE), FOLIO.LOCKED), /locked or isolated/],
    ['a free frame marked in use', (w) => (w.m.frame.flags[500] |= PAGE.ALLOCATED), /frame 500/],
    ['a frame that is nothing', (w) => (w.m.frame.flags[freeHead(w)] = 0), /neither free, nor allocated/],
    ['free pages of a node', (w) => w.m.node.freePages[0]++, /freePages is/],
    ['a free list', (w) => (w.m.frame.mapping[freeHead(w)] = 3), /does not belong there|length/],
    ['anonymous RSS', (w) => w.m.mm.rssAnon[w.mm]++, /mm \d+: rssAnon is/],
    ['shmem RSS', (w) => w.m.mm.rssShmem[w.mm]--, /rssShmem is 1, but 2/],
    ['swap entries of a process', (w) => w.m.mm.swapEnts[w.mm]++, /swapEnts is/],
    ['huge mappings of a process', (w) => w.m.mm.anonThps[w.mm]--, /anonThps is 0, but 1/],
    ['tables of a process', (w) => w.m.mm.pageTables[w.mm]++, /pageTables is/],
    ['VMAs of a process', (w) => w.m.mm.vmaCount[w.mm]++, /VMAs is/],
    ['nr_anon_pages', (w) => w.m.vmstat.value[vmstatIndex('nr_anon_pages')]++, /nr_anon_pages is/],
    [
      'nr_anon_transparent_hugepages',
      (w) => w.m.vmstat.value[vmstatIndex('nr_anon_transparent_hugepages')]++,
      /nr_anon_transparent_hugepages is 2/,
    ],
    ['nr_mlock', (w) => w.m.vmstat.value[vmstatIndex('nr_mlock')]++, /nr_mlock is/],
    ['nr_shmem', (w) => w.m.vmstat.value[vmstatIndex('nr_shmem')]++, /nr_shmem is/],
    ['nr_anon of an order', (w) => w.m.mthpStat.value[mthpStatCell('nr_anon', 3)]++, /order 3: nr_anon is/],
    [
      'nr_anon_partially_mapped',
      (w) => w.m.mthpStat.value[mthpStatCell('nr_anon_partially_mapped', 3)]--,
      /nr_anon_partially_mapped is 0, but 1/,
    ],
    ['the length of a queue', (w) => w.m.node.deferredCount[0]++, /deferred-split queue of node 0: length is/],
    ['a flag of the queue', (w) => clearFlag(w, headAt(w, BASE + 8), FOLIO.DEFERRED), /does not say it is queued/],
    ['a swap count', (w) => w.m.swap.count[swapSlot(w)]++, /swap slot \d+: count is 3, but 2/],
    ['slots in use', (w) => w.m.swap.cache[0]++, /slots in use is/],
    ['a page cache entry', (w) => w.m.frame.index[frameOf(w, SHMEM)]++, /which is not that page/],
    ['swapped pages of a file', (w) => w.m.file.swapped[w.m.vma.file[vmaOf(w, SHMEM)]]++, /swapped pages is/],
    ['the VMAs of a file', (w) => (w.m.file.vmaFirst[w.m.vma.file[vmaOf(w, SHMEM)]] = 0), /is not in its list/],
    ['a VMA that maps no file', (w) => addToFileMap(w.m, strayVma(w)), /maps it not/],
    ['nr_shmem_hugepages', (w) => w.m.vmstat.value[vmstatIndex('nr_shmem_hugepages')]++, /nr_shmem_hugepages is/],
    ['nr_shmem_pmdmapped', (w) => w.m.vmstat.value[vmstatIndex('nr_shmem_pmdmapped')]++, /nr_shmem_pmdmapped is/],
    ['nr_file_hugepages', (w) => w.m.vmstat.value[vmstatIndex('nr_file_hugepages')]++, /nr_file_hugepages is/],
    ['cached pages of a file', (w) => w.m.file.cached[w.m.vma.file[vmaOf(w, SHMEM)]]++, /cached pages is/],
    ['a mirror', (w) => clearBit(w.m.pte.shared, bitOf(w, BASE + 8)), /plane shared is false, but frame \d+ is true/],
    ['the attention plane', (w) => clearBit(w.m.pte.attention, bitOf(w, SMALL_PAGES)), /plane attention is false/],
    ['the referenced plane', (w) => setBit(w.m.pte.referenced, bitOf(w, SMALL_PAGES)), /plane referenced is true/],
    ['a plane of a none entry', (w) => setBit(w.m.pte.young, bitOf(w, SMALL_PAGES + 3)), /plane young is set where no/],
    ['a zero page that is writable', (w) => setBit(w.m.pte.write, bitOf(w, SMALL_PAGES + 4)), /set on a zero page/],
    ['both kinds of present', (w) => setBit(w.m.pte.nonPresent, bitOf(w, SMALL_PAGES)), /present and non-present/],
    ['a cell of a none entry', (w) => (w.m.pte.pfn[cellOf(w, SMALL_PAGES + 3)] = 9), /none, but its cell holds 9/],
    ['the block of a table', (w) => w.m.pte.block[tableOf(w, BASE)]++, /page table \d+ of mm \d+: block/],
    ['a table of nobody', (w) => w.m.pte.pool.alloc(), /is in no PMD/],
    ['a PMD that nobody told of', (w) => w.m.directory.used.fill(0), /the PMD is not none, but plane used/],
    ['a directory of nobody', (w) => w.m.directory.pool.alloc(), /is in no tree/],
    ['a page without a VMA', (w) => (w.m.vma.end[vmaOf(w, SMALL_PAGES)] -= 7), /is in use, but in no VMA/],
    ['a page’s place in its anon_vma', (w) => w.m.frame.index[frameOf(w, SMALL_PAGES)]++, /page offset \d+ in the VMA/],
    ['a chain', (w) => (w.m.anonVma.avcFirst[w.m.frame.mapping[frameOf(w, SMALL_PAGES)]] = 0), /does not know VMA/],
    ['an entry to a free frame', (w) => (w.m.pte.pfn[cellOf(w, SMALL_PAGES)] = 509), /which is not allocated/],
  ])('finds a wrong %s', (_, damage, words) => {
    const w = rich();
    damage(w);
    expect(checkMachine(w.m).join('\n')).toMatch(words);
    expect(() => assertMachine(w.m)).toThrow(/not sound/);
  });

  it('names a limited number of differences and counts the rest', () => {
    const w = rich();
    w.m.frame.mapcount.fill(9);
    const found = checkMachine(w.m, { limit: 5 });
    expect(found.length).toBe(6);
    expect(found[5]).toMatch(/^and \d+ more$/);
  });

  it('takes references and pins that its caller knows of into account', () => {
    const w = rich();
    const pfn = frameOf(w, SMALL_PAGES) as Pfn;
    w.m.frame.refcount[pfn] += 1024 + 2;
    expectSound(w, { pins: [pfn], held: [pfn, pfn] });
  });
});

function freeHead(w: World): number {
  return w.m.frame.flags.findIndex((flags) => (flags & PAGE.BUDDY) !== 0);
}

function clearFlag(w: World, head: number, flag: number): void {
  w.m.frame.flags[head] &= ~flag;
}

function swapSlot(w: World): number {
  return w.m.pte.pfn[cellOf(w, BASE)] & 0x0fff_ffff;
}

function cellOf(w: World, page: number): number {
  return pteCell(w.m, tableOf(w, page), slotOf(w.m, page as Vpn));
}

function bitOf(w: World, page: number): number {
  return pteBit(w.m, tableOf(w, page), slotOf(w.m, page as Vpn));
}
