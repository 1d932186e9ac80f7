/**
 * Every quirk that khugepaged spec 15 marks for a generation, by name: where a proposal does something that nobody would guess.
 * Defects that need a second thread or crash a kernel are cases of `thplab check` (examples/check, khugepaged spec 19).
 */
import {
  dupMm,
  ERRNO,
  folioTrylock,
  MADV,
  madvise,
  type Pfn,
  PTE_YOUNG,
  userfaultfdRegister,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { type ChooseWindowsInput, chooseWindows } from '../choice/choose-windows.js';
import { chunkOccupancy, percentOfChunks } from '../chunks.js';
import type { DecisionRecorder } from '../decision-recorder.js';
import { defaultPtesSettings, fullnessPercent, type LimitContext } from '../limits.js';
import { WARNING_MAX_PTES_NONE } from '../mthp-collapse.js';
import { SCAN, type ScanResult } from '../results.js';
import { BASE, CollapseWorld } from '../testing/collapse-world.js';
import { generationByName } from './index.js';
import { rfcV1 } from './rfc-v1.js';
import { variantOf } from './variant.js';

const ALL = [2, 3, 4, 5, 6, 7, 8, 9];
const MTHP = ALL.slice(0, -1);

function windows(
  generation: string,
  input: Omit<ChooseWindowsInput, 'generation'> & { readonly none: number },
): string[] {
  const { none, ...rest } = input;
  const { attempts } = chooseWindows({ ...rest, generation, settings: { maxPtesNone: none } });
  return attempts.map(({ offset, order }) => `${offset}@${order}`);
}

function context(maxPtesNone: number, over: Partial<LimitContext> = {}): LimitContext {
  const settings = { ...defaultPtesSettings(9), maxPtesNone };
  return { pmdOrder: 9, initiator: 'khugepaged', uffdArmed: false, settings, ...over };
}

function world(kernel: string, orders: readonly number[], present: readonly (readonly [number, number])[]) {
  const attempts: string[] = [];
  const recorder: DecisionRecorder = {
    attempted: (_mm, page, order) => attempts.push(`${page - BASE}@${order}`),
  };
  const w = new CollapseWorld({ generation: generationByName(kernel), recorder });
  w.map();
  w.enableOrders(...orders);
  for (const [from, to] of present) w.place(from, to);
  return { w, attempts };
}

const full = [[0, 512]] as const;

describe('quirks of rfc-v1', () => {
  it('a single hole takes its whole chunk of 8 out of the count', () => {
    const oneHole = [
      [0, 3],
      [4, 512],
    ] as const;
    expect(windows('rfc-v1', { present: oneHole, enabledOrders: [3, 9], none: 0 })[0]).toBe('8@3');
    expect(windows('rfc-v1', { present: oneHole, enabledOrders: [3, 9], none: 8 })).toEqual(['0@9']);
  });

  it('the setting becomes a percentage: 0 is 100 %, 511 is 0 % and every window will do', () => {
    expect([0, 64, 255, 256, 511].map((none) => fullnessPercent(context(none)))).toEqual([100, 87, 50, 49, 0]);
    expect(percentOfChunks(9, 3, context(64))).toBe(55);
    expect(windows('rfc-v1', { present: [[0, 1]], enabledOrders: [8], none: 511 })).toEqual(['0@8', '256@8']);
  });

  it('its threshold is a plug-in, because the posted arithmetic is not public', () => {
    const generation = { ...rfcV1, requiredChunks: () => 2 };
    const present = [[0, 16]] as const;
    const { attempts } = chooseWindows({ generation, present, enabledOrders: [9], settings: { maxPtesNone: 0 } });
    expect(attempts).toHaveLength(1);
  });
});

describe('quirks of rfc-v2', () => {
  it('at max_ptes_none 0 no chunk ever counts, so a full table is left alone', () => {
    expect(windows('rfc-v2', { present: full, enabledOrders: ALL, none: 0 })).toEqual([]);
  });

  it('a chunk whose last entry is empty never counts, however full it is', () => {
    expect(windows('rfc-v2', { present: [[0, 7]], enabledOrders: [3], none: 511 })).toEqual([]);
    expect(windows('rfc-v2', { present: [[6, 8]], enabledOrders: [3], none: 511 })).toEqual(['0@3']);
  });

  it('at 511 one chunk is enough for a huge page', () => {
    expect(windows('rfc-v2', { present: [[504, 512]], enabledOrders: ALL, none: 511 })).toEqual(['0@9']);
  });

  it('an order that is set to always is tried whatever is in it', () => {
    expect(windows('rfc-v2', { present: [], enabledOrders: [9], alwaysOrders: [9], none: 0 })).toEqual(['0@9']);
  });
});

describe('quirks of v4', () => {
  it('bits are one chunk off: the first is always set, the last chunk is never represented', () => {
    const empty = Uint32Array.of(0xffff);
    const input = { occupied: Uint32Array.of(0), empty, maxPtesNone: 0, pmdOrder: 4, chunkOrder: 2 };
    expect(chunkOccupancy('precedingChunk', input)[0]).toBe(0b0001);
    const lastFull = { ...input, occupied: Uint32Array.of(0xf000), empty: Uint32Array.of(0x0fff) };
    expect(chunkOccupancy('precedingChunk', lastFull)[0]).toBe(0b0001);
    expect(windows('v4', { present: [[8, 12]], enabledOrders: [2], none: 0 })).toEqual(['0@2', '12@2']);
  });

  it('the PMD order alone is attempted whatever its occupancy', () => {
    expect(windows('v4', { present: [], enabledOrders: [9], none: 0 })).toEqual(['0@9']);
  });

  it('a folio that is there already ends the table', () => {
    const attempt = (): ScanResult => SCAN.PTE_MAPPED_HUGEPAGE;
    expect(windows('v4', { present: full, enabledOrders: [8], none: 511, attempt })).toHaveLength(1);
  });
});

describe('quirks of dev-v1', () => {
  it('a hole at the start of the table ends the range, whatever is behind it', () => {
    expect(windows('dev-v1', { present: [[16, 512]], enabledOrders: MTHP, none: 0 })).toEqual([]);
  });

  it('a huge page that cannot be had ends the range, although smaller sizes are enabled', () => {
    const attempt = (): ScanResult => SCAN.ALLOC_HUGE_PAGE_FAIL;
    expect(windows('dev-v1', { present: full, enabledOrders: ALL, none: 511, attempt })).toEqual(['0@9']);
  });

  it('an order that failed once stays out, so later windows are smaller than they could be', () => {
    const attempt = ({ offset, order }: { offset: number; order: number }): ScanResult =>
      offset === 0 && order === 8 ? SCAN.PAGE_LOCK : SCAN.SUCCEED;
    const chosen = windows('dev-v1', { present: full, enabledOrders: [7, 8], none: 0, attempt });
    expect(chosen).toEqual(['0@8', '0@7', '128@7', '256@7', '384@7']);
  });
});

describe('quirks of dev-v2', () => {
  it('other settings than 0 and 511 leave only the PMD order, without a warning', () => {
    const input = { present: [[0, 256]], enabledOrders: ALL } as const;
    expect(windows('dev-v2', { ...input, none: 255 })).toEqual([]);
    expect(windows('dev-v2', { ...input, none: 256 })).toEqual(['0@9']);
    expect(chooseWindows({ ...input, generation: 'dev-v2', settings: { maxPtesNone: 255 } }).warned).toBe(false);
  });
});

describe('quirks of v12', () => {
  it('the limit is capped at 255 without a word, then scaled: 511 and 255 are the same below the PMD order', () => {
    const input = { present: [[0, 20]], enabledOrders: MTHP } as const;
    expect(windows('v12', { ...input, none: 511 })).toEqual(['0@5']);
    expect(windows('v12', { ...input, none: 255 })).toEqual(['0@5']);
    expect(windows('v12', { present: [[0, 1]], enabledOrders: MTHP, none: 511 })).toEqual([]);
  });

  it('a failed allocation at every order is reported as a plain failure (B9)', () => {
    const attempt = (): ScanResult => SCAN.ALLOC_HUGE_PAGE_FAIL;
    const decision = { generation: 'v12', present: full, enabledOrders: ALL, attempt } as const;
    expect(chooseWindows(decision).result).toBe('FAIL');
  });

  it('an inverted range of MADV_COLLAPSE is EINVAL, in merged it is nothing to do', () => {
    for (const [kernel, errno] of [
      ['v12', -ERRNO.EINVAL],
      ['merged', 0],
    ] as const) {
      const { w } = world(kernel, [], full);
      expect(w.run(madvise(w.m, w.mm, (BASE + 1) as Vpn, 1, MADV.COLLAPSE))).toBe(errno);
    }
  });
});

describe('quirks of v15', () => {
  it('0 or 511, else the walk stops at the first enabled order below the PMD, with what it has', () => {
    expect(windows('v15', { present: [[0, 256]], enabledOrders: ALL, none: 100 })).toEqual([]);
    expect(windows('v15', { present: [[0, 20]], enabledOrders: ALL, none: 0 })).toEqual(['0@4', '16@2']);
    expect(windows('v15', { present: [[0, 20]], enabledOrders: MTHP, none: 511 })).toEqual(['0@8']);
  });

  it('a success at the PMD order hides it', () => {
    expect(windows('v15', { present: [[0, 412]], enabledOrders: ALL, none: 100 })).toEqual(['0@9']);
  });

  it('MADV_COLLAPSE of a table without a page is EBUSY, in merged it builds a page of zeroes', () => {
    for (const [kernel, errno] of [
      ['v15', -ERRNO.EBUSY],
      ['merged', 0],
    ] as const) {
      const { w } = world(kernel, [], [[0, 1]]);
      w.run(madvise(w.m, w.mm, BASE, 1, MADV.DONTNEED));
      expect(w.madvCollapse(BASE, BASE + 512)).toBe(errno);
    }
  });

  it('the setting is refused before userfaultfd is asked', () => {
    expect(generationByName('v15').noneLimit(4, context(100, { uffdArmed: true }))).toBe('refused');
    expect(generationByName('v17').noneLimit(4, context(100, { uffdArmed: true }))).toBe(0);
  });
});

describe('quirks of v17', () => {
  it('the refused setting has a result code of its own, which isolate gives too', () => {
    const { w } = world('v17', [4], full);
    w.set('khugepaged.max_ptes_none', 100);
    expect(w.attempt(0, 4)).toBe(SCAN.INVALID_PTES_NONE);
    const v15 = world('v15', [4], full).w;
    v15.set('khugepaged.max_ptes_none', 100);
    expect(v15.attempt(0, 4)).toBe(SCAN.FAIL);
  });

  it('a page off the LRU stops the table, a lazily freed one does not: the other way round than in v15', () => {
    const after = (kernel: string, result: ScanResult): number =>
      windows(kernel, { present: full, enabledOrders: [4, 9], none: 0, attempt: () => result }).length;
    expect([after('v15', SCAN.PAGE_LRU), after('v17', SCAN.PAGE_LRU)]).toEqual([33, 1]);
    expect([after('v15', SCAN.PAGE_LAZYFREE), after('v17', SCAN.PAGE_LAZYFREE)]).toEqual([1, 33]);
  });
});

describe('quirks of v18', () => {
  it('another setting counts as 0 below the PMD order, and warns once', () => {
    const { w, attempts } = world('v18', [4, 9], [[0, 40]]);
    w.set('khugepaged.max_ptes_none', 100);
    w.range();
    expect(attempts).toEqual(['0@4', '16@4']);
    expect(w.m.machine.warnings[0] & WARNING_MAX_PTES_NONE).toBe(WARNING_MAX_PTES_NONE);
  });

  it('a swapped page that the scan accepted is not occupied for the choice (B10)', () => {
    const table = { present: [[0, 511]], unmapped: 1, enabledOrders: [9], none: 0 } as const;
    expect(windows('v18', table)).toEqual([]);
    expect(windows('merged', table)).toEqual(['0@9']);
  });
});

describe('quirks of merged', () => {
  it('a window that is large already leaves no result behind: nothing was done, so the table has failed', () => {
    const attempt = (): ScanResult => SCAN.PTE_MAPPED_HUGEPAGE;
    const decision = { present: [[0, 16]], enabledOrders: [4], settings: { maxPtesNone: 0 }, attempt } as const;
    expect(chooseWindows(decision).result).toBe('FAIL');
  });

  it('a failed allocation outranks a later fatal result, and a partial success hides it', () => {
    const results: Record<string, ScanResult> = { '0@9': SCAN.ALLOC_HUGE_PAGE_FAIL, '0@4': SCAN.VMA_CHECK };
    const input = { present: [[0, 64]], enabledOrders: [4, 9], settings: { maxPtesNone: 511 } } as const;
    const attempt = ({ offset, order }: { offset: number; order: number }): ScanResult =>
      results[`${offset}@${order}`] ?? SCAN.SUCCEED;
    expect(chooseWindows({ ...input, attempt }).result).toBe('ALLOC_HUGE_PAGE_FAIL');
    results['0@4'] = SCAN.SUCCEED;
    expect(chooseWindows({ ...input, attempt }).result).toBe('SUCCEED');
  });

  it('one bad page rejects the whole table, also the windows that do not contain it', () => {
    const { w, attempts } = world('merged', [4], full);
    folioTrylock(w.m, w.frame(BASE + 500) as Pfn);
    expect(w.range()).toBe(SCAN.PAGE_LOCK);
    expect(attempts).toEqual([]);
  });

  it('what is collapsed already is attempted again on every pass, at the cost of an allocation (B22)', () => {
    const { w, attempts } = world('merged', [4], [[0, 16]]);
    for (let pass = 0; pass < 3; pass++) w.range();
    expect(attempts).toEqual(['0@4', '0@4', '0@4']);
    expect(w.stat(4, 'collapse_alloc')).toBe(3);
  });

  it('what the scan refuses is booked on the PMD order, also if that is disabled', () => {
    const { w } = world('merged', [4], [[0, 512]]);
    w.run(dupMm(w.m, w.mm));
    expect(w.range()).toBe(SCAN.EXCEED_SHARED_PTE);
    expect([w.stat(9, 'collapse_exceed_shared_pte'), w.stat(4, 'collapse_exceed_shared_pte')]).toEqual([1, 0]);
  });

  it('userfaultfd is noticed only when pages are isolated, if the PMD order is not enabled alone (B12)', () => {
    for (const [orders, attempted] of [
      [[9], 0],
      [[4], 1],
    ] as const) {
      const { w, attempts } = world('merged', orders, [[0, 15]]);
      w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, VM.UFFD_MISSING));
      expect(w.range()).toBe(SCAN.EXCEED_NONE_PTE);
      expect(attempts.length).toBe(attempted);
    }
  });
});

describe('quirks of the legacy kernels', () => {
  it('6.13 wants one writable page and says so before it asks about use; 6.18 does not', () => {
    for (const [kernel, cold, used] of [
      ['v6.13', SCAN.PAGE_RO, SCAN.PAGE_RO],
      ['v6.18', SCAN.LACK_REFERENCED_PAGE, SCAN.SUCCEED],
    ] as const) {
      const readOnly = (attributes: number): ScanResult => {
        const { w } = world(kernel, [9], []);
        w.place(0, 512, attributes);
        return w.range();
      };
      expect([readOnly(0), readOnly(PTE_YOUNG)]).toEqual([cold, used]);
    }
  });

  it('the table of a range without one is charged in full: 512 of the budget, in merged 1', () => {
    for (const [kernel, charge] of [
      ['v6.18', 512],
      ['v12', 512],
      ['merged', 1],
    ] as const) {
      const { w } = world(kernel, [9], []);
      w.map(2);
      w.place(512, 513);
      w.range();
      expect(w.khugepaged.progress).toBe(charge);
    }
  });
});

describe('quirks as switches', () => {
  it('v18 as posted asks the VMA about userfaultfd during the choice (B1)', () => {
    const generation = variantOf(generationByName('v18'), { passVmaToNoneHelper: true });
    const armed = { generation, present: [[0, 3]], enabledOrders: [2], uffdArmed: true } as const;
    expect(chooseWindows(armed).attempts).toEqual([]);
    expect(chooseWindows({ ...armed, generation: 'v18' }).attempts).toHaveLength(1);
  });
});
