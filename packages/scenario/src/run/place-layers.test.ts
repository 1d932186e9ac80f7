import { MMF } from '@thplab/mm-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewTable } from '../report/table-slots.js';
import { runText, scenarioOf } from '../testing/scenario-text.js';
import { assembleMachine } from './assemble.js';
import type { World } from './world.js';

/** A machine whose only process has one VMA, nothing running. */
function worldOf(vma: string, machine = 'memory: 64M', sysfs = '{ enabled: never }'): World {
  return assembleMachine(
    scenarioOf(
      `machine: { ${machine} }\nsysfs: ${sysfs}\nprocesses: [{ name: app, vmas: [{ name: heap, ${vma} }] }]\nrun: { for: 1ms }`,
    ),
  );
}

/** One letter per entry of a table of the VMA: `.` none, `z` zero, `s` swap, `!` other, else the folio's order. */
function letters(world: World, block = 0): string {
  const process = world.processes.all[0];
  const range = process.vmas.get('heap');
  if (range === undefined) throw new Error('no heap');
  const view = viewTable(world.m, process.mm, Math.floor(range.start / world.m.ptes + block) * world.m.ptes);
  const letter = { none: '.', zero: 'z', swap: 's', other: '!' };
  return view.slots.map((slot) => (slot.kind === 'page' ? String(slot.order) : letter[slot.kind])).join('');
}

/** Runs of letters: `3x. 5x0`. */
function runs(text: string): string {
  return [...text.matchAll(/(.)\1*/g)].map(([run, letter]) => `${run.length}x${letter}`).join(' ');
}

const toy = 'memory: 4M, pmdOrder: 3, swap: 1M';

describe('populate', () => {
  it('lays later layers over earlier ones', () => {
    const world = worldOf('size: 2M, populate: [full, { pages: 10-19, state: none }, { pages: 12, state: zero }]');
    expect(runs(letters(world))).toBe('10x0 2x. 1xz 7x. 492x0');
  });

  it('places naturally aligned folios where the pattern fills them, single pages elsewhere', () => {
    const world = worldOf('size: 2M, populate: { pages: 3-36, order: 64K }');
    expect(runs(letters(world))).toBe('3x. 13x0 16x4 5x0 475x.');
  });

  it('takes a folio apart where a later layer takes a page of it', () => {
    const world = worldOf('size: 2M, populate: [{ pages: 0-31, order: 64K }, { pages: 20, state: none }]');
    expect(runs(letters(world))).toBe('16x4 4x0 1x. 11x0 480x.');
  });

  it('maps folios of PMD size by the PMD, or by the table if told so', () => {
    const pmd = worldOf('size: 2M, populate: { order: 2M }');
    expect(pmd.m.mm.anonThps[pmd.processes.all[0].mm]).toBe(1);
    const pte = worldOf('size: 2M, populate: { order: 2M, mapped: pte }');
    expect(pte.m.mm.anonThps[pte.processes.all[0].mm]).toBe(0);
    expect(runs(letters(pte))).toBe('512x9');
  });

  it.each([
    ['present', '0'],
    ['zero', 'z'],
    ['swap', 's'],
    ['migration', '!'],
    ['hwpoison', '!'],
    ['device', '!'],
    ['guard', '!'],
    ['poison', '!'],
    ['special', '!'],
    ['none', '.'],
  ])('knows state %s', (state, letter) => {
    expect(letters(worldOf(`size: 32K, populate: { pages: 2-4, state: ${state} }`, toy))).toBe(
      `..${letter.repeat(3)}...`,
    );
  });

  it('mixes states by their shares', () => {
    const world = worldOf(
      'size: 8M, populate: { state: { present: 50%, swap: 25%, none: 25% } }',
      'memory: 64M, swap: 64M',
    );
    const text = [0, 1, 2, 3].map((block) => letters(world, block)).join('');
    const share = (letter: string): number => [...text].filter((one) => one === letter).length / text.length;
    expect(share('0')).toBeCloseTo(0.5, 1);
    expect(share('s')).toBeCloseTo(0.25, 1);
    expect(share('.')).toBeCloseTo(0.25, 1);
  });

  it('gives the attributes to the share of pages that should have them', () => {
    const world = worldOf('size: 2M, populate: { young: 25% }');
    const process = world.processes.all[0];
    const view = viewTable(world.m, process.mm, (process.vmas.get('heap')?.start ?? 0) as number);
    const young = view.slots.filter((slot) => slot.young).length;
    expect(young).toBeGreaterThan(90);
    expect(young).toBeLessThan(166);
  });

  it('places shmem in the page cache', () => {
    const world = worldOf('size: 2M, kind: shmem, populate: { pages: 0-99 }');
    expect(world.m.mm.rssShmem[world.processes.all[0].mm]).toBe(100);
  });

  it("does not depend on the other layers' seeds", () => {
    const alone = worldOf('size: 2M, populate: [none, { sparse: 30% }]');
    const other = worldOf('size: 2M, populate: [{ sparse: 30%, state: none }, { sparse: 30% }]');
    expect(letters(alone)).toBe(letters(other));
  });

  it('gives every member of a group pages of its own', () => {
    const world = assembleMachine(
      scenarioOf(
        'processes: [{ name: w, count: 2, vmas: [{ name: heap, size: 2M, populate: { sparse: 30% } }] }]\nrun: { for: 1ms }',
      ),
    );
    const [a, b] = world.processes.all.map((one) => viewTable(world.m, one.mm, one.vmas.get('heap')?.start ?? 0));
    expect(a.slots).not.toEqual(b.slots);
  });

  it('says what to raise when memory or swap is short', () => {
    expect(() => worldOf('size: 96M, populate: { sparse: 80% }')).toThrow(/machine\.memory/);
    expect(() => worldOf('size: 2M, populate: { state: swap }')).toThrow(/swap/);
  });

  it('equals placing page by page, for any layers', () => {
    const layer = fc.record({
      from: fc.nat(30),
      count: fc.integer({ min: 1, max: 32 }),
      order: fc.constantFrom(0, 2, 3),
    });
    fc.assert(
      fc.property(fc.array(layer, { minLength: 1, maxLength: 4 }), (layers) => {
        const pages = layers.map(({ from, count }) => `${from}-${Math.min(31, from + count - 1)}`);
        const texts = layers.map(({ order }, i) => `{ pages: "${pages[i]}", order: ${order} }`);
        const world = worldOf(`size: 128K, populate: [${texts.join(', ')}]`, toy);
        const owner = Array.from({ length: 32 }, () => -1);
        for (const [i, { from, count }] of layers.entries()) owner.fill(i, from, Math.min(32, from + count));
        const plain = owner.map((mine, page) => {
          if (mine < 0) return '.';
          const size = 2 ** layers[mine].order;
          const first = page - (page % size);
          const whole = owner.slice(first, first + size).every((one) => one === mine);
          return String(whole ? layers[mine].order : 0);
        });
        expect([0, 1, 2, 3].map((block) => letters(world, block)).join('')).toBe(plain.join(''));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a process as it is found', () => {
  const registered = (world: World): boolean => (world.m.mm.flags[world.processes.all[0].mm] & MMF.VM_HUGEPAGE) !== 0;

  it('is registered with khugepaged where its faults would have registered it', () => {
    expect(registered(worldOf('size: 4M, populate: full', 'memory: 64M', '{ enabled: always }'))).toBe(true);
    expect(registered(worldOf('size: 4M, populate: none', 'memory: 64M', '{ enabled: always }'))).toBe(false);
    expect(registered(worldOf('size: 4M, populate: full', 'memory: 64M', '{ enabled: madvise }'))).toBe(false);
  });

  it('is registered by MADV_HUGEPAGE only if it has been written to', () => {
    expect(
      registered(worldOf('size: 4M, populate: full, advice: hugepage', 'memory: 64M', '{ enabled: madvise }')),
    ).toBe(true);
    expect(registered(worldOf('size: 4M, advice: hugepage', 'memory: 64M', '{ enabled: madvise }'))).toBe(false);
  });

  it('is locked, pinned, off the LRU or lazily freed as its layers say, and the machine is sound', () => {
    const { result } = runText(`
sysfs: { enabled: always }
processes:
  - name: app
    vmas:
      - { name: locked, size: 2M, populate: [full, { pages: 5, locked: true }] }
      - { name: pinned, size: 2M, populate: [full, { pages: 5, pinned: true }] }
      - { name: lazy, size: 2M, populate: [full, { pages: 5, lazyfree: true }] }
      - { name: written, at: 0x200000000000, size: 2M, populate: [full, { pages: 5, lazyfree: true, dirty: true }] }
      - { name: wp, size: 2M, uffd: wp, populate: [full, { pages: 5, uffdWp: true }] }
      - { name: held, size: 2M, flags: [mlocked], populate: full }
run: { for: 1s }`);
    expect(result.processes[0].vmas.map((vma) => Object.keys(vma.outcomes))).toEqual([
      ['page_locked'],
      ['not_suitable_page_count'],
      ['page_lazyfree'],
      ['collapsed 2M'],
      ['pte_uffd_wp'],
      ['collapsed 2M'],
    ]);
  });
});
