import {
  anonOrderMasks,
  GEOMETRY_64K,
  HUGEPAGES_ENABLED,
  HUGEPAGES_SHMEM_ENABLED,
  SHMEM_ENABLED,
  settingIndex,
  THP_ENABLED,
} from '@thplab/sysfs-schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MmId, VmaId } from './brands.js';
import {
  allAnonOrders,
  collapsePossibleOrders,
  highestOrder,
  sysfsAnonOrders,
  TVA,
  type TvaType,
  thpVmaAllowableOrders,
  vmaSuitableOrders,
} from './eligibility.js';
import { MMF, VM, VMA_KIND, type VmaKind } from './flags.js';
import { createMachine, type Machine, type MachineConfig } from './machine.js';
import { mmAlloc } from './mm.js';
import { createFile } from './vma/files.js';
import { vmaAlloc } from './vma/vma-rows.js';

const TYPES: readonly TvaType[] = [TVA.pagefault, TVA.smaps, TVA.khugepaged, TVA.forcedCollapse];
const ALL = 0x3fc; // orders 2 to 9
const P = 0x200;

interface Case {
  readonly flags?: number;
  readonly mmFlags?: number;
  readonly kind?: VmaKind;
  readonly start?: number;
  readonly end?: number;
  readonly pgoff?: number;
  readonly unfaulted?: boolean;
  readonly noMm?: boolean;
  readonly filePages?: number;
  readonly pmdFolios?: boolean;
  /** Choices by order for all sizes not named: default always. */
  readonly sizes?: Readonly<Record<number, keyof typeof HUGEPAGES_ENABLED>>;
  readonly others?: keyof typeof HUGEPAGES_ENABLED;
  readonly top?: keyof typeof THP_ENABLED;
  readonly shmemTop?: keyof typeof SHMEM_ENABLED;
  readonly shmemSizes?: Readonly<Record<number, keyof typeof HUGEPAGES_SHMEM_ENABLED>>;
  readonly config?: Partial<MachineConfig>;
}

function build(c: Case): { m: Machine; vma: VmaId } {
  const m = createMachine({ nodePages: [1024], ...c.config });
  const set = (index: number, value: number): void => {
    m.setting.value[index] = value;
  };
  set(settingIndex('enabled'), THP_ENABLED[c.top ?? 'always']);
  set(settingIndex('shmem_enabled'), SHMEM_ENABLED[c.shmemTop ?? 'never']);
  for (let order = 0; order <= m.pmdOrder; order++) {
    set(settingIndex('hugepages.enabled', order), HUGEPAGES_ENABLED[c.sizes?.[order] ?? c.others ?? 'always']);
    set(settingIndex('hugepages.shmem_enabled', order), HUGEPAGES_SHMEM_ENABLED[c.shmemSizes?.[order] ?? 'never']);
  }
  const mm = mmAlloc(m);
  m.mm.flags[mm] = c.mmFlags ?? 0;
  const kind = c.kind ?? VMA_KIND.anon;
  const isFile = kind === VMA_KIND.file || kind === VMA_KIND.shmem;
  const file = isFile
    ? createFile(m, { pages: c.filePages ?? 4096, shmem: kind === VMA_KIND.shmem, pmdFolios: c.pmdFolios ?? true })
    : 0;
  const start = c.start ?? 512;
  const owner = c.noMm === true ? (0 as MmId) : mm;
  const vma = vmaAlloc(m, owner, {
    start,
    end: c.end ?? 2048,
    flags: c.flags ?? 0,
    kind,
    file,
    pgoff: c.pgoff ?? (isFile ? 0 : start),
  });
  if (c.unfaulted !== true) m.vma.anonVma[vma] = 1;
  return { m, vma };
}

/** Allowed orders for page fault, smaps, khugepaged, forced collapse, of {2..9}. */
function answers(c: Case): number[] {
  const { m, vma } = build(c);
  return TYPES.map((type) => thpVmaAllowableOrders(m, vma, type, allAnonOrders(m)));
}

describe('which orders an anonymous VMA allows', () => {
  it('is all of them when sysfs says always, and the VMA has a huge page of room', () => {
    expect(answers({})).toEqual([ALL, ALL, ALL, ALL]);
  });

  it('is what sysfs says by size: always, madvise with advice, inherit as the top level; forced collapse does not ask', () => {
    const sizes = { 2: 'always', 3: 'madvise', 4: 'inherit', 9: 'never' } as const;
    const of = (top: keyof typeof THP_ENABLED, flags: number): number =>
      answers({ sizes, others: 'never', top, flags })[2];
    expect(of('always', 0)).toBe(0x14);
    expect(of('madvise', 0)).toBe(0x4);
    expect(of('never', 0)).toBe(0x4);
    expect(of('always', VM.HUGEPAGE)).toBe(0x1c);
    expect(of('madvise', VM.HUGEPAGE)).toBe(0x1c);
    expect(of('never', VM.HUGEPAGE)).toBe(0xc);
    expect(answers({ others: 'never', top: 'never' })).toEqual([0, 0, 0, ALL]);
  });

  it('equals the masks of the sysfs files, for any settings', () => {
    const { m } = build({});
    const choices = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(choices, fc.integer({ min: 0, max: 2 }), fc.boolean(), (sizes, top, advised) => {
        sizes.forEach((choice, order) => {
          m.setting.value[settingIndex('hugepages.enabled', order)] = choice;
        });
        m.setting.value[settingIndex('enabled')] = top;
        const masks = anonOrderMasks(m.setting.value, m.geometry);
        const inherit = top === THP_ENABLED.always || (top === THP_ENABLED.madvise && advised);
        const expected = masks.always | (advised ? masks.madvise : 0) | (inherit ? masks.inherit : 0);
        expect(sysfsAnonOrders(m, advised ? VM.HUGEPAGE : 0)).toBe(expected);
      }),
    );
  });

  it('never contains orders 0 and 1', () => {
    const { m, vma } = build({});
    expect(thpVmaAllowableOrders(m, vma, TVA.pagefault, 0x3ff)).toBe(ALL);
  });

  it('is nothing for a VMA without an address space', () => {
    expect(answers({ noMm: true })).toEqual([0, 0, 0, 0]);
  });

  it('is nothing after MADV_NOHUGEPAGE or PR_SET_THP_DISABLE, for a forced collapse too', () => {
    expect(answers({ flags: VM.NOHUGEPAGE })).toEqual([0, 0, 0, 0]);
    expect(answers({ mmFlags: MMF.DISABLE_THP_COMPLETELY })).toEqual([0, 0, 0, 0]);
    expect(answers({ mmFlags: MMF.DISABLE_THP_COMPLETELY, flags: VM.HUGEPAGE })).toEqual([0, 0, 0, 0]);
  });

  it('is nothing with PR_THP_DISABLE_EXCEPT_ADVISED, but for advised VMAs and forced collapse', () => {
    const mmFlags = MMF.DISABLE_THP_EXCEPT_ADVISED;
    expect(answers({ mmFlags })).toEqual([0, 0, 0, ALL]);
    expect(answers({ mmFlags, flags: VM.HUGEPAGE })).toEqual([ALL, ALL, ALL, ALL]);
  });

  it.each(['IO', 'DONTEXPAND', 'PFNMAP', 'MIXEDMAP', 'HUGETLB'] as const)(
    'is nothing for collapse in a VM_%s mapping',
    (flag) => {
      expect(answers({ flags: VM[flag] })).toEqual([ALL, ALL, 0, 0]);
    },
  );

  it('drops the orders of which no aligned block fits; a fault checks its own address later', () => {
    // [513, 1025) is 512 pages without an aligned block of 512; [520, 528) is one block of 8.
    expect(answers({ start: 513, end: 1025 })).toEqual([ALL, 0x1fc, 0x1fc, 0x1fc]);
    expect(answers({ start: 520, end: 528 })).toEqual([ALL, 0xc, 0xc, 0xc]);
    expect(answers({ start: 521, end: 528 })).toEqual([ALL, 0x4, 0x4, 0x4]);
    expect(answers({ start: 521, end: 524 })).toEqual([ALL, 0, 0, 0]);
  });

  it('looks only at the last block of an order that could end within the VMA, and stops at the first order that fits', () => {
    // Order 9 fits at [512, 1024); nothing below it is checked.
    expect(answers({ start: 510, end: 1030 })[2]).toBe(ALL);
  });

  it('is nothing for the stack that exec is moving', () => {
    expect(answers({ flags: VM.TEMPORARY_STACK })).toEqual([0, 0, 0, 0]);
  });

  it('is nothing for collapse before the first page: khugepaged and MADV_COLLAPSE want an anon_vma', () => {
    expect(answers({ unfaulted: true })).toEqual([ALL, ALL, 0, 0]);
  });

  it('can be asked with flags that the VMA does not have yet', () => {
    const { m, vma } = build({ others: 'madvise' });
    expect(thpVmaAllowableOrders(m, vma, TVA.khugepaged, ALL)).toBe(0);
    expect(thpVmaAllowableOrders(m, vma, TVA.khugepaged, ALL, VM.HUGEPAGE)).toBe(ALL);
  });

  it('reaches order 13 with 64K pages', () => {
    const config = { geometry: GEOMETRY_64K };
    expect(answers({ config, start: 8192, end: 16_384 })[2]).toBe(0x3ffc);
  });
});

describe('the orders that khugepaged and MADV_COLLAPSE ask for', () => {
  it('are all orders for khugepaged in anonymous memory, else the PMD order alone', () => {
    const anon = build({ shmemTop: 'always' });
    expect(collapsePossibleOrders(anon.m, anon.vma, TVA.khugepaged)).toBe(ALL);
    expect(collapsePossibleOrders(anon.m, anon.vma, TVA.forcedCollapse)).toBe(P);
    const shmem = build({ kind: VMA_KIND.shmem, shmemTop: 'always', shmemSizes: { 4: 'always', 9: 'inherit' } });
    expect(collapsePossibleOrders(shmem.m, shmem.vma, TVA.khugepaged)).toBe(P);
  });
});

describe('which orders other memory allows', () => {
  it('DAX: the PMD order, in page faults only, whatever else the VMA is', () => {
    expect(answers({ kind: VMA_KIND.dax, flags: VM.MIXEDMAP })).toEqual([P, 0, 0, 0]);
  });

  it('a regular file: a forced collapse, or one that the top level allows, if it can have folios of PMD order', () => {
    const kind = VMA_KIND.file;
    expect(answers({ kind, top: 'never' })).toEqual([0, 0, 0, ALL]);
    expect(answers({ kind, top: 'madvise' })).toEqual([0, 0, 0, ALL]);
    expect(answers({ kind, top: 'madvise', flags: VM.HUGEPAGE })).toEqual([0, ALL, ALL, ALL]);
    expect(answers({ kind, top: 'always' })).toEqual([0, ALL, ALL, ALL]);
    expect(answers({ kind, top: 'always', pmdFolios: false })).toEqual([0, 0, 0, 0]);
  });

  it('a file: only at a place whose page offset is aligned as its address is', () => {
    const kind = VMA_KIND.file;
    expect(answers({ kind, pgoff: 16 })[3]).toBe(0x1c);
    expect(answers({ kind, pgoff: 512 })[3]).toBe(ALL);
  });

  it('a special mapping: none', () => {
    expect(answers({ kind: VMA_KIND.special })).toEqual([0, 0, 0, 0]);
  });

  it('shmem: deny refuses everybody, never is passed by a forced collapse through inherit', () => {
    const kind = VMA_KIND.shmem;
    const shmemSizes = { 9: 'inherit' } as const;
    const of = (c: Case): number[] => answers({ kind, shmemSizes, ...c }).slice(1);
    expect(of({ shmemTop: 'never' })).toEqual([0, 0, P]);
    expect(of({ shmemTop: 'deny' })).toEqual([0, 0, 0]);
    expect(of({ shmemTop: 'always' })).toEqual([P, P, P]);
    expect(of({ shmemTop: 'force' })).toEqual([P, P, P]);
    expect(of({ shmemTop: 'advise' })).toEqual([0, 0, P]);
    expect(of({ shmemTop: 'advise', flags: VM.HUGEPAGE })).toEqual([P, P, P]);
    expect(of({ shmemTop: 'withinSize', filePages: 511 })).toEqual([0, 0, P]);
    expect(of({ shmemTop: 'withinSize', filePages: 512 })).toEqual([P, P, P]);
  });

  it('shmem: sizes say always, advise, within_size or never for themselves', () => {
    const kind = VMA_KIND.shmem;
    const of = (word: keyof typeof HUGEPAGES_SHMEM_ENABLED, c: Case = {}): number =>
      answers({ kind, shmemSizes: { 4: word }, ...c })[2];
    expect(of('always')).toBe(0x10);
    expect(of('advise')).toBe(0);
    expect(of('advise', { flags: VM.HUGEPAGE })).toBe(0x10);
    expect(of('withinSize', { filePages: 15 })).toBe(0);
    expect(of('withinSize', { filePages: 16 })).toBe(0x10);
    expect(of('never')).toBe(0);
  });
});

describe('the orders that fit around a fault', () => {
  it('are those from the highest whose aligned block lies in the VMA', () => {
    const { m, vma } = build({ start: 520, end: 1030 });
    expect(highestOrder(vmaSuitableOrders(m, vma, 520, ALL))).toBe(3);
    expect(highestOrder(vmaSuitableOrders(m, vma, 600, ALL))).toBe(6);
    expect(highestOrder(vmaSuitableOrders(m, vma, 1026, ALL))).toBe(2);
    expect(highestOrder(vmaSuitableOrders(m, vma, 1028, ALL))).toBe(-1);
    expect(highestOrder(vmaSuitableOrders(m, vma, 800, ALL))).toBe(8);
  });
});
