/** Each row of khugepaged spec 15.1, held against what the model does: tables scanned, windows attempted, locks taken. */
import { setBit } from '@thplab/arena';
import {
  dupMm,
  findTable,
  MADV,
  madvise,
  PTE_YOUNG,
  placeSwapped,
  pteBit,
  userfaultfdRegister,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import { READ, SequentialExecutor } from '@thplab/sync';
import {
  defaultSettings,
  describeProfile,
  GEOMETRY_4K,
  HUGEPAGES_ENABLED,
  hugepageEnabled,
  settingIndex,
  THP_ENABLED,
} from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { chooseWindows } from '../choice/choose-windows.js';
import { collapseHugePage } from '../collapse-huge-page.js';
import type { DecisionRecorder } from '../decision-recorder.js';
import { defaultPtesSettings, type LimitContext } from '../limits.js';
import { SCAN, type ScanResult, scanResultName } from '../results.js';
import { BASE, CollapseWorld } from '../testing/collapse-world.js';
import * as table from '../testing/comparison-table.js';
import { generationByName } from './index.js';

const ALL = [2, 3, 4, 5, 6, 7, 8, 9];
const VALUES = [0, 1, 63, 64, 200, 255, 256, 300, 510, 511];

function context(maxPtesNone: number): LimitContext {
  const settings = { ...defaultPtesSettings(9), maxPtesNone };
  return { pmdOrder: 9, initiator: 'khugepaged', uffdArmed: false, settings };
}

/** A machine of a generation, and what its khugepaged does in one range. */
function world(name: table.Compared, orders: readonly number[]) {
  const attempts: string[] = [];
  let scans = 0;
  const recorder: DecisionRecorder = {
    attempted: (_mm, page, order, result) => attempts.push(`${page - BASE}@${order} ${scanResultName(result)}`),
    scanned: () => {
      scans++;
    },
  };
  const w = new CollapseWorld({ generation: generationByName(name), recorder });
  w.map();
  w.enableOrders(...orders);
  return { w, attempts, scans: () => scans };
}

describe.each(table.COMPARED)('%s', (name) => {
  const generation = generationByName(name);
  const pmdOnly = table.MIN_ORDER[name] === 9;

  it(`is of ${table.DATE[name]}`, () => {
    expect(describeProfile(name).date.slice(0, 7)).toBe(table.DATE[name]);
  });

  it(`looks at the table in units of ${table.BITMAP_UNIT[name] || 'a window that is scanned'}`, () => {
    const unit = table.BITMAP_UNIT[name];
    const { w, scans } = world(name, [4, 5, 9]);
    w.set('khugepaged.max_ptes_none', 0);
    w.place(0, 16);
    w.range();
    expect(scans() > 1).toBe(unit === 0);
    if (unit === 0 || pmdOnly) return;
    // Half of the table is present, which is not enough for a huge page: what is counted of it tells the unit.
    const half = { present: [[0, 256]], enabledOrders: [8, 9], settings: { maxPtesNone: 128 } } as const;
    const counted = chooseWindows({ ...half, generation }).skipped.find(({ order }) => order === 9)?.occupied ?? 0;
    // v4 counts one chunk too many.
    expect(Math.round(256 / counted)).toBe(unit);
  });

  it(`builds nothing below order ${table.MIN_ORDER[name]}`, () => {
    const lowest = table.MIN_ORDER[name];
    const tried = new Set<number>();
    chooseWindows({
      generation,
      present: [[0, 512]],
      enabledOrders: ALL,
      settings: { maxPtesNone: 511 },
      attempt: ({ order }) => {
        tried.add(order);
        return SCAN.PAGE_LOCK;
      },
    });
    // Dev Jain's walk ends with the range when the window at its end has failed.
    const seen = table.SELECTION[name] === 'linear' ? lowestOfLinear(name) : Math.min(...tried);
    expect(seen).toBe(lowest);
  });

  it(`selects windows by a ${table.SELECTION[name]} walk`, () => {
    const input = { generation, enabledOrders: [2, 3, 4, 8], settings: { maxPtesNone: 511 } };
    const present = [[0, 512]] as const;
    const fails = (offset: number, order: number): boolean => order === 8 || (offset === 0 && order === 4);
    const attempt = ({ offset, order }: { offset: number; order: number }): ScanResult =>
      fails(offset, order) ? SCAN.PAGE_LOCK : SCAN.SUCCEED;
    const windows = chooseWindows({ ...input, present, attempt }).attempts.map(
      ({ offset, order }) => `${offset}@${order}`,
    );
    switch (table.SELECTION[name]) {
      case 'single':
        expect(windows).toEqual([]);
        break;
      case 'linear':
        // Order 4 failed at 0, so it is not tried again at 32.
        expect(windows.filter((window) => window.endsWith('@4'))).toEqual(['0@4']);
        break;
      default:
        // Depth first or forward: at each place from large to small, from left to right, every order anew.
        expect(windows.slice(0, 4)).toEqual(['0@8', '0@4', '0@3', '8@3']);
        expect(windows).toContain('32@4');
    }
  });

  if (!pmdOnly) {
    it('limits the empty entries of smaller windows by its rule', () => {
      const rule = table.NONE_LIMIT[name] as table.NoneRule;
      for (const max of VALUES) {
        for (let order = table.MIN_ORDER[name]; order < 9; order++) {
          expect([max, order, generation.noneLimit(order, context(max))]).toEqual([max, order, rule(max, order, 9)]);
        }
      }
    });
  }

  if (!pmdOnly) {
    it.each([0, 200, 511])('holds an attempt to that limit: max_ptes_none %i', (max) => {
      const limit = (table.NONE_LIMIT[name] as table.NoneRule)(max, 4, 9);
      const withEmpty = (empty: number): ScanResult => {
        const { w } = world(name, [4]);
        w.set('khugepaged.max_ptes_none', max);
        w.place(0, 16 - empty);
        return w.attempt(0, 4);
      };
      if (limit === 'refused') expect(generation.noneLimit(4, context(max))).toBe('refused');
      else {
        expect(withEmpty(Math.min(limit, 15))).toBe(SCAN.SUCCEED);
        if (limit < 15) expect(withEmpty(limit + 1)).toBe(SCAN.EXCEED_NONE_PTE);
      }
    });
  }

  if (!pmdOnly) {
    it('limits swapped and shared entries of smaller windows', () => {
      const [swap, shared] = table.SWAP_SHARED_AT_4[name] as readonly [number, number];
      expect([generation.swapLimit(4, context(0)), generation.sharedLimit(4, context(0))]).toEqual([swap, shared]);
      for (const more of [0, 1]) {
        const swapped = world(name, [4]).w;
        swapped.place(8, 512);
        if (swap + more > 0) placeSwapped(swapped.m, swapped.vma(), BASE, swap + more);
        swapped.place(swap + more, 8);
        const result = swapped.attempt(0, 4, { unmapped: swap + more });
        // Where some are allowed, the scan of the window is what refuses more.
        expect(result).toBe(more === 0 || swap > 0 ? SCAN.SUCCEED : SCAN.EXCEED_SWAP_PTE);
        const forked = world(name, [4]).w;
        forked.place(0, shared + more);
        forked.run(dupMm(forked.m, forked.mm));
        forked.place(shared + more, 512);
        expect(forked.attempt(0, 4)).toBe(more === 0 ? SCAN.SUCCEED : SCAN.EXCEED_SHARED_PTE);
      }
    });
  }

  it(`accepts ${table.SCAN_LIMIT[name]} empty entries in the scan with several orders`, () => {
    const scan = (present: number): ScanResult => {
      const { w } = world(name, [4, 9]);
      w.set('khugepaged.max_ptes_none', 64);
      w.place(0, present);
      if (present === 0) emptyTable(w);
      return w.range();
    };
    const [oneTooMany, nearlyEmpty, empty] = [scan(447), scan(1), scan(0)].map(scanResultName);
    switch (table.SCAN_LIMIT[name]) {
      case 'M':
        expect([oneTooMany, nearlyEmpty]).toEqual(['EXCEED_NONE_PTE', 'EXCEED_NONE_PTE']);
        break;
      case 'perOrder':
        // Refused at order 9 with 447 present, taken at order 4.
        expect([oneTooMany, nearlyEmpty]).toEqual(['EXCEED_NONE_PTE', 'EXCEED_NONE_PTE']);
        expect(generation.noneLimit(4, context(0))).toBe(0);
        break;
      case 'unlimited':
        expect(empty).not.toBe('EXCEED_NONE_PTE');
        break;
      default:
        expect([nearlyEmpty, empty]).toEqual(['FAIL', 'EXCEED_NONE_PTE']);
    }
  });

  it(`is ${table.GREEDY[name] ? '' : 'not '}greedy for orders that are set to always`, () => {
    const input = {
      generation,
      present: [[0, 1]],
      enabledOrders: [4, 8],
      alwaysOrders: [8],
      settings: { maxPtesNone: 0 },
    } as const;
    const first = chooseWindows({ ...input, attempt: () => SCAN.PAGE_LOCK }).attempts[0];
    expect(first?.order === 8).toBe(table.GREEDY[name]);
  });

  if (!pmdOnly) {
    it(`installs a small folio under mmap_lock for ${table.INSTALL_LOCK[name]}`, () => {
      const locks = locksOf(name);
      const lock = table.INSTALL_LOCK[name];
      expect(locks.includes('+mmap_lock W')).toBe(lock?.startsWith('write'));
      expect(locks.includes('+pmd_lock')).toBe(lock?.startsWith('write'));
      if (lock === 'read, pte lock') expect(locks.slice(-3)).toEqual(['-anon_vma W', '-pte_lock', '-mmap_lock R']);
      else
        expect(locks.lastIndexOf('-anon_vma W') > locks.lastIndexOf('-pmd_lock')).toBe(lock === 'write, anon_vma held');
    });
  }

  it(`${table.NEEDS_PMD[name] ? 'needs' : 'does not need'} the PMD size to run at all`, () => {
    const cells = defaultSettings(GEOMETRY_4K);
    for (const order of ALL) cells[settingIndex('hugepages.enabled', order)] = HUGEPAGES_ENABLED.never;
    cells[settingIndex('enabled')] = THP_ENABLED.never;
    expect(hugepageEnabled(name, cells, GEOMETRY_4K)).toBe(false);
    cells[settingIndex('hugepages.enabled', 4)] = HUGEPAGES_ENABLED.always;
    expect(hugepageEnabled(name, cells, GEOMETRY_4K)).toBe(!table.NEEDS_PMD[name]);
  });

  it(`gives MADV_COLLAPSE ${table.MADVISE_ORDERS[name] === '9' ? 'the PMD order alone' : 'all orders'}`, () => {
    const all = { initiator: 'madvise', present: [[0, 512]], enabledOrders: [] } as const;
    const choice = chooseWindows({ ...all, generation, attempt: () => SCAN.PAGE_LOCK });
    const orders = new Set(choice.attempts.map(({ order }) => order));
    expect(orders.size > 1).toBe(table.MADVISE_ORDERS[name] === 'all');
    expect(orders).toContain(9);
  });

  it(`reports ${table.TABLE_RESULT[name].join(' after a partial success, and for a table without a free block ')}`, () => {
    const [partial, none] = table.TABLE_RESULT[name];
    const input = { generation, present: [[0, 512]], settings: { maxPtesNone: 511 } } as const;
    const orders = pmdOnly ? [9] : [8];
    const lock = (offset: number): ScanResult => (offset === 0 && !pmdOnly ? SCAN.SUCCEED : SCAN.PAGE_LOCK);
    expect(chooseWindows({ ...input, enabledOrders: orders, attempt: ({ offset }) => lock(offset) }).result).toBe(
      partial,
    );
    const failing = chooseWindows({ ...input, enabledOrders: orders, attempt: () => SCAN.ALLOC_HUGE_PAGE_FAIL });
    expect(failing.result).toBe(none);
  });

  it(`goes ${table.AFTER_FATAL[name] === 'end' ? 'no further' : 'down'} after a result such as VMA_CHECK`, () => {
    const input = {
      generation,
      present: [[0, 512]],
      enabledOrders: pmdOnly ? [9] : [7, 8],
      settings: { maxPtesNone: 511 },
    } as const;
    const { attempts } = chooseWindows({ ...input, attempt: () => SCAN.VMA_CHECK });
    expect(attempts.length > 1).toBe(table.AFTER_FATAL[name] === 'down');
  });
});

/** A page table without a single page. */
function emptyTable(w: CollapseWorld): void {
  w.place(0, 1);
  w.run(madvise(w.m, w.mm, BASE, 1, MADV.DONTNEED));
}

describe.each(table.COMPARED)('the tree under %s', (name) => {
  const orders = table.MIN_ORDER[name] === 9 ? [9] : [4];

  it(`notices userfaultfd in the ${table.UFFD[name]}`, () => {
    const { w, attempts } = world(name, orders);
    w.place(1, 512);
    w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, VM.UFFD_MISSING));
    const result = w.range();
    if (table.UFFD[name] === 'scan') expect([result, attempts]).toEqual([SCAN.EXCEED_NONE_PTE, []]);
    else expect([result, attempts[0], attempts[1]]).toEqual([SCAN.SUCCEED, '0@4 EXCEED_NONE_PTE', '16@4 SUCCEED']);
  });

  it(`charges ${table.CHARGE[name]} for a table that its first entry rules out`, () => {
    const { w } = world(name, [9]);
    w.set('khugepaged.max_ptes_none', 0);
    w.place(0, 512);
    protectFirst(w);
    w.range();
    expect(w.khugepaged.progress).toBe(table.CHARGE[name]);
  });

  it(`${table.WRITABLE[name] ? 'wants' : 'does not want'} a writable page`, () => {
    const { w } = world(name, [9]);
    w.place(0, 512, PTE_YOUNG);
    expect(w.range()).toBe(table.WRITABLE[name] ? SCAN.PAGE_RO : SCAN.SUCCEED);
  });

  it(`${table.LAZYFREE[name] ? 'refuses' : 'takes'} lazily freed pages`, () => {
    const { w } = world(name, [9]);
    w.place(0, 512);
    w.run(madvise(w.m, w.mm, (BASE + 8) as Vpn, 1, MADV.FREE));
    expect(w.range()).toBe(table.LAZYFREE[name] ? SCAN.PAGE_LAZYFREE : SCAN.SUCCEED);
  });

  it(`says ${table.NO_TABLE[name]} of a range that was never touched`, () => {
    const { w } = world(name, [9]);
    w.map(2);
    w.place(512, 513);
    expect(scanResultName(w.range())).toBe(table.NO_TABLE[name]);
  });

  it(`counts ${table.STATS[name]} per order: allocations, refused windows, refused scans`, () => {
    const [alloc, none, shared] = table.STATS[name];
    const one = world(name, [4, 9]).w;
    one.set('khugepaged.max_ptes_none', 0);
    one.place(0, 15);
    one.attempt(0, 4);
    expect([one.stat(4, 'collapse_alloc'), one.stat(4, 'collapse_exceed_none_pte')]).toEqual([alloc, none]);
    const two = world(name, [9]).w;
    two.place(0, 512);
    two.run(dupMm(two.m, two.mm));
    expect(two.range()).toBe(SCAN.EXCEED_SHARED_PTE);
    expect(two.stat(9, 'collapse_exceed_shared_pte')).toBe(shared);
    expect(two.vmstat('thp_scan_exceed_share_pte')).toBe(1);
  });
});

/** The first entry is write-protected for userfaultfd. */
function protectFirst(w: CollapseWorld): void {
  const found = findTable(w.m, w.mm, BASE);
  if (found === 0) throw new Error('no table');
  setBit(w.m.pte.uffdWp, pteBit(w.m, found, 0));
}

/** The lowest order that Dev Jain's walk attempts, in a table whose end it does not reach at once. */
function lowestOfLinear(name: table.Compared): number {
  const { attempts } = chooseWindows({
    generation: generationByName(name),
    present: [[0, 512]],
    enabledOrders: ALL.slice(0, -1),
    settings: { maxPtesNone: 511 },
    attempt: () => SCAN.PAGE_LOCK,
  });
  return Math.min(...attempts.map(({ order }) => order));
}

/** Lock operations of an attempt at order 4. */
function locksOf(name: table.Compared): string[] {
  const { w } = world(name, [4]);
  w.place(0, 512);
  const seen: string[] = [];
  const text = (lock: Parameters<typeof w.m.domain.classOf>[0], mode: number): string => {
    const { name: className, kind } = w.m.domain.classOf(lock);
    return kind === 'spin' ? className : `${className} ${mode === READ ? 'R' : 'W'}`;
  };
  const observer = {
    lockTaken: (lock: Parameters<typeof text>[0], mode: number) => seen.push(`+${text(lock, mode)}`),
    lockGiven: (lock: Parameters<typeof text>[0], mode: number) => seen.push(`-${text(lock, mode)}`),
  };
  const executor = new SequentialExecutor(w.m.domain, { rethrow: true, observers: [observer] });
  w.m.current = executor.current;
  w.khugepaged.attempt.aim(w.mm, BASE, 0, 4);
  w.khugepaged.lockDropped = true;
  executor.spawn('attempt', () => collapseHugePage(w.ctx, w.khugepaged));
  executor.run();
  return seen;
}
