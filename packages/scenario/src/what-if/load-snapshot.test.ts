import { PageFlag } from '@thplab/capture';
import { checkMachine, FOLIO } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { viewTable } from '../report/table-slots.js';
import { assembleMachine } from '../run/assemble.js';
import type { World } from '../run/world.js';
import { ORDINARY, type SampleVma, sampleSnapshot } from '../testing/sample-snapshot.js';
import { runText } from '../testing/scenario-text.js';
import type { LoadOptions } from './load-snapshot.js';
import { CAPTURED, snapshotScenario } from './snapshot-machine.js';

const START = 0x7f000000;

/** A machine with the sample loaded; fails unless it is sound. */
function load(vmas: readonly SampleVma[], options: LoadOptions = {}): World {
  const snapshot = sampleSnapshot(vmas);
  const world = assembleMachine(snapshotScenario(snapshot), {
    snapshots: new Map([[CAPTURED, snapshot]]),
    load: options,
  });
  expect(checkMachine(world.m)).toEqual([]);
  return world;
}

function letters(world: World, page = START): string {
  const letter = { none: '.', zero: 'z', swap: 's', other: '!' };
  const view = viewTable(world.m, world.processes.all[0].mm, page);
  const text = view.slots.map((slot) => (slot.kind === 'page' ? String(slot.order) : letter[slot.kind])).join('');
  return [...text.matchAll(/(.)\1*/g)].map(([run, one]) => `${run.length}x${one}`).join(' ');
}

const heap = (...runs: SampleVma['runs']): SampleVma => ({ start: START, pages: 2048, runs });

describe('a snapshot in the machine', () => {
  it('has every kind of entry in its place', () => {
    const world = load([
      heap(
        { first: 0, count: 10, kind: 'anon' },
        { first: 10, count: 5, kind: 'zero' },
        { first: 20, count: 4, kind: 'swap' },
        { first: 30, count: 2, kind: 'guard' },
        { first: 40, count: 1, kind: 'marker', flags: PageFlag.uffdWp },
        { first: 50, count: 1, kind: 'nonswap' },
        { first: 60, count: 3, kind: 'ksm', flags: ORDINARY & ~PageFlag.exclusive },
      ),
    ]);
    expect(letters(world)).toBe('10x0 5xz 5x. 4xs 6x. 2x! 8x. 1x! 9x. 1x! 9x. 3x0 449x.');
    const { mm } = world.processes.all[0];
    expect([world.m.mm.rssAnon[mm], world.m.mm.swapEnts[mm]]).toEqual([13, 4]);
  });

  it('has large folios: whole, mapped in part, and mapped by a PMD', () => {
    const world = load([
      heap(
        { first: 0, count: 16, kind: 'anon', frame: 1024, order: 4 },
        { first: 16, count: 6, kind: 'anon', frame: 2050, order: 3 },
        { first: 40, count: 4, kind: 'anon', frame: 4096, order: 2 },
        { first: 512, count: 512, kind: 'anon', frame: 8192, order: 9, flags: ORDINARY | PageFlag.pmdMapped },
        { first: 1024, count: 512, kind: 'anon', frame: 16384, order: 9 },
      ),
    ]);
    expect(letters(world)).toBe('16x4 6x3 18x. 4x2 468x.');
    const { mm } = world.processes.all[0];
    expect(world.m.mm.anonThps[mm]).toBe(1);
    expect(world.m.mm.rssAnon[mm]).toBe(16 + 6 + 4 + 1024);
  });

  it('has a second mapper where a page is not exclusive', () => {
    const shared = ORDINARY & ~PageFlag.exclusive;
    const world = load([
      heap(
        { first: 0, count: 8, kind: 'anon', flags: shared },
        { first: 8, count: 8, kind: 'anon' },
        { first: 16, count: 16, kind: 'anon', frame: 1024, order: 4, flags: shared },
        { first: 512, count: 512, kind: 'anon', frame: 8192, order: 9, flags: shared | PageFlag.pmdMapped },
      ),
    ]);
    const { slots } = viewTable(world.m, world.processes.all[0].mm, START);
    expect(slots.slice(0, 33).map((slot) => slot.shared)).toEqual([
      ...Array<boolean>(8).fill(true),
      ...Array<boolean>(8).fill(false),
      ...Array<boolean>(16).fill(true),
      false,
    ]);
  });

  it('has young entries as often as smaps says, or all, or none', () => {
    const vma = { ...heap({ first: 0, count: 512, kind: 'anon' }), smapsKb: { Rss: 2048, Referenced: 512 } };
    const young = (options: LoadOptions): number =>
      viewTable(load([vma], options).m, load([vma], options).processes.all[0].mm, START).slots.filter(
        (slot) => slot.young,
      ).length;
    expect(young({ young: 'all' })).toBe(512);
    expect(young({ young: 'none' })).toBe(0);
    expect(young({})).toBeGreaterThan(90);
    expect(young({})).toBeLessThan(166);
  });

  it('has lazily freed, mlocked and referenced pages', () => {
    const world = load([
      heap(
        { first: 0, count: 1, kind: 'anon', flags: ORDINARY & ~PageFlag.swapBacked },
        { first: 1, count: 1, kind: 'anon', flags: ORDINARY | PageFlag.mlocked },
        { first: 2, count: 1, kind: 'anon', flags: ORDINARY | PageFlag.referenced },
      ),
    ]);
    const flags = [...world.m.frame.flags].filter((one) => (one & FOLIO.ANON) !== 0);
    const bits = FOLIO.SWAPBACKED | FOLIO.MLOCKED | FOLIO.REFERENCED;
    expect(flags.map((one) => one & bits).sort((a, b) => a - b)).toEqual([
      0,
      FOLIO.SWAPBACKED | FOLIO.REFERENCED,
      FOLIO.SWAPBACKED | FOLIO.MLOCKED,
    ]);
  });

  it('has file and shared memory in the page cache, and private copies of file pages', () => {
    const world = load([
      {
        start: START,
        pages: 512,
        kind: 'shmem',
        fileIndex: 1,
        hasAnonVma: false,
        runs: [{ first: 0, count: 9, kind: 'shmem' }],
      },
      {
        start: START + 1024,
        pages: 512,
        kind: 'file',
        fileIndex: 2,
        pageOffset: 3,
        runs: [
          { first: 0, count: 4, kind: 'file' },
          { first: 4, count: 5, kind: 'anon' },
        ],
      },
    ]);
    const { rssAnon, rssFile, rssShmem } = world.m.mm;
    const { mm } = world.processes.all[0];
    expect([rssShmem[mm], rssFile[mm], rssAnon[mm]]).toEqual([9, 4, 5]);
  });

  it('leaves out what lies beyond the address space, and VMAs of the kernel have no pages', () => {
    const world = load([
      heap({ first: 0, count: 1, kind: 'anon' }),
      { start: 2 ** 40, pages: 1, kind: 'special', runs: [] },
    ]);
    expect(world.m.mm.vmaCount[world.processes.all[0].mm]).toBe(1);
  });
});

describe('a process of a scenario from a snapshot', () => {
  const text = (over: string): string => `machine: { memory: 256M ${over} }
sysfs: { enabled: always }
processes: [{ name: app, count: 2, snapshot: heap.snap, vmas: [{ name: more, size: 2M, at: 0x10000000, populate: full }] }]
run: { for: 1s }`;
  const snapshots = new Map([['heap.snap', sampleSnapshot([heap({ first: 0, count: 512, kind: 'anon' })])]]);

  it('has the captured memory in addition to what the file says, for each member', () => {
    const { result } = runText(text(''), { snapshots });
    expect(result.processes.map((process) => [process.name, process.rss, process.coverage.folios])).toEqual([
      ['app.0', 4 * 2 ** 20, { '2M': 2 }],
      ['app.1', 4 * 2 ** 20, { '2M': 2 }],
    ]);
    expect(result.processes[0].vmas.map((vma) => vma.name)).toEqual(['more', 'anon@7f000000000']);
  });

  it('is refused if the snapshot is not there, or of another geometry', () => {
    expect(() => runText(text(''))).toThrow(/heap\.snap.* was not read/);
    expect(() => runText(text(', pageSize: 64K').replace('256M', '8G'), { snapshots })).toThrow(
      /pages of 4K and PMD order 9/,
    );
  });
});
