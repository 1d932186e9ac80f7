import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOccupancy, isOccupied, type Occupancy, occupancyCount } from '../bitmap.js';
import type { AttemptEffect } from '../classification.js';
import type { Generation } from '../generations/generation.js';
import { GENERATIONS } from '../generations/index.js';
import { merged } from '../generations/merged.js';
import type { Initiator, LimitContext, PtesSettings } from '../limits.js';
import { SCAN, SCAN_RESULT_COUNT, type ScanResult, scanResultName } from '../results.js';
import { startWalk } from './start-walk.js';
import { NO_WINDOW, windowOffset, windowOrder } from './window.js';

/** One table and one answer per attempt. */
interface Case {
  readonly generation: Generation;
  readonly pmdOrder: number;
  readonly bitmap: Occupancy;
  readonly enabledOrders: number;
  readonly alwaysOrders: number;
  readonly settings: PtesSettings;
  readonly unmapped: number;
  readonly initiator: Initiator;
  readonly attempt: (offset: number, order: number, nth: number) => ScanResult;
}

/** Attempts as `offset@order=RESULT`, then result, number of attempts, entries collapsed and warning. */
type Account = string;

function realWalk(c: Case): Account {
  const walk = startWalk(c.generation, c);
  const account: string[] = [];
  for (let w = walk.next(); w !== NO_WINDOW; w = walk.next()) {
    const result = c.attempt(windowOffset(w), windowOrder(w), account.length);
    account.push(`${windowOffset(w)}@${windowOrder(w)}=${scanResultName(result)}`);
    walk.report(result);
  }
  const { result, collapsed, warned, attempts } = walk.outcome();
  account.push(scanResultName(result), `${attempts} attempts`, `${collapsed} entries`, `warned ${warned}`);
  return account.join(' ');
}

/** What the plain forms share: bookkeeping of one table, entry by entry. */
class PlainTable {
  readonly account: string[] = [];
  readonly context: LimitContext;
  collapsed = 0;
  allocFailed = false;
  last: ScanResult = SCAN.FAIL;
  warned = false;
  private readonly c: Case;

  constructor(c: Case) {
    this.c = c;
    this.context = { pmdOrder: c.pmdOrder, settings: c.settings, initiator: c.initiator, uffdArmed: false };
  }

  isEnabled(order: number): boolean {
    const { generation, initiator, pmdOrder, enabledOrders } = this.c;
    const madvisePmd = initiator === 'madvise' && generation.madviseOrders === 'pmdOnly';
    const single = generation.minOrder === 'pmd' || madvisePmd;
    const known = single ? order === pmdOrder : order >= Number(generation.minOrder) && order <= pmdOrder;
    return known && ((enabledOrders >> order) & 1) === 1;
  }

  someEnabledBelow(order: number): boolean {
    for (let o = 0; o < order; o++) if (this.isEnabled(o)) return true;
    return false;
  }

  occupied(offset: number, order: number): number {
    let count = 0;
    for (let i = offset; i < offset + 2 ** order; i++) if (isOccupied(this.c.bitmap, i)) count += 1;
    if (this.c.generation.walk === 'linearRescan') return count;
    if (order === this.c.pmdOrder && this.c.generation.unmappedCountsAsOccupied) count += this.c.unmapped;
    return count;
  }

  /** Attempts the window when it is eligible; 'refused' when the limit has no meaning. */
  consider(offset: number, order: number): 'skipped' | 'refused' | AttemptEffect {
    const { generation, initiator, pmdOrder, settings } = this.c;
    if (generation.chunkOrder > 0) return this.hasChunks(offset, order) ? this.attempt(offset, order) : 'skipped';
    const other = settings.maxPtesNone !== 0 && settings.maxPtesNone !== 2 ** pmdOrder - 1;
    if (generation.warnsOnOtherNone && initiator === 'khugepaged' && order < pmdOrder && other) this.warned = true;
    const limit = generation.noneLimit(order, this.context);
    if (limit === 'refused') return 'refused';
    return this.occupied(offset, order) < 2 ** order - limit ? 'skipped' : this.attempt(offset, order);
  }

  /** The test of RFC v2 and v4 (khugepaged spec 15.2, 15.3). */
  private hasChunks(offset: number, order: number): boolean {
    const { generation, pmdOrder, settings, bitmap, alwaysOrders } = this.c;
    if (generation.greedyAlways && ((alwaysOrders >> order) & 1) === 1) return true;
    if (generation.pmdOnlyUnconditional && this.isEnabled(pmdOrder) && !this.someEnabledBelow(pmdOrder)) return true;
    const state = order - generation.chunkOrder;
    let bits = 0;
    for (let i = 0; i < 2 ** state; i++) if (isOccupied(bitmap, offset / 2 ** generation.chunkOrder + i)) bits += 1;
    if (generation.name === 'rfc-v1') {
      const percent = Math.floor(((2 ** pmdOrder - settings.maxPtesNone - 1) * 100) / (2 ** pmdOrder - 1));
      return bits >= Math.floor((percent * 2 ** state) / 100);
    }
    return bits > Math.floor((2 ** pmdOrder - settings.maxPtesNone - 1) / 2 ** (pmdOrder - state));
  }

  attempt(offset: number, order: number): AttemptEffect {
    const { generation } = this.c;
    const result = this.c.attempt(offset, order, this.account.length);
    this.account.push(`${offset}@${order}=${scanResultName(result)}`);
    const effect = generation.effects[result];
    if (result === SCAN.SUCCEED) this.collapsed += 2 ** order;
    if (effect !== 'nextRegion' || generation.resultRule === 'own') this.last = result;
    if (result === SCAN.ALLOC_HUGE_PAGE_FAIL) this.allocFailed = true;
    return effect;
  }

  finish(): Account {
    let result: ScanResult = this.last;
    if (this.c.generation.resultRule !== 'own') {
      if (this.collapsed > 0) result = SCAN.SUCCEED;
      else if (this.c.generation.resultRule === 'okOrFail') result = SCAN.FAIL;
      else if (this.allocFailed) result = SCAN.ALLOC_HUGE_PAGE_FAIL;
    }
    const { account, collapsed, warned } = this;
    const end = [scanResultName(result), `${account.length} attempts`, `${collapsed} entries`, `warned ${warned}`];
    return [...account, ...end].join(' ');
  }
}

/** The text of khugepaged spec 9, one step of one order at a time. */
function plainForward(c: Case): Account {
  const table = new PlainTable(c);
  let offset = 0;
  let order = c.pmdOrder;
  while (offset < 2 ** c.pmdOrder) {
    if (table.isEnabled(order)) {
      const effect = table.consider(offset, order);
      if (effect === 'stop' || effect === 'refused') break;
      if (effect === 'nextRegion') {
        [offset, order] = nextOffset(offset, order, c.pmdOrder);
        continue;
      }
    }
    if (order > 2 && table.someEnabledBelow(order)) order -= 1;
    else [offset, order] = nextOffset(offset, order, c.pmdOrder);
  }
  return table.finish();
}

function nextOffset(offset: number, order: number, pmdOrder: number): [number, number] {
  const next = offset + 2 ** order;
  let aligned = 0;
  while (aligned < pmdOrder && next % 2 ** (aligned + 1) === 0) aligned += 1;
  return [next, aligned];
}

/** The text of khugepaged spec 15.5 to 15.7 as a recursion over halves. */
function plainHalves(c: Case): Account {
  const table = new PlainTable(c);
  const minOrder = Number(c.generation.minOrder);
  /** False when the whole walk is over. */
  const visit = (offset: number, order: number): boolean => {
    if (table.isEnabled(order)) {
      const effect = table.consider(offset, order);
      if (effect === 'stop' || effect === 'refused') return false;
      if (effect === 'nextRegion') return true;
    }
    if (order === minOrder) return true;
    return visit(offset, order - 1) && visit(offset + 2 ** (order - 1), order - 1);
  };
  visit(0, c.pmdOrder);
  return table.finish();
}

/** The steps of khugepaged spec 15.4 as they are written. */
function plainLinear(c: Case): Account {
  const table = new PlainTable(c);
  const end = 2 ** c.pmdOrder;
  const limitOf = (order: number): number | 'refused' => c.generation.noneLimit(order, table.context);
  const mask = new Set([...Array(c.pmdOrder + 1).keys()].filter((o) => table.isEnabled(o) && limitOf(o) !== 'refused'));
  const highest = (below: number): number => Math.max(-1, ...[...mask].filter((order) => order < below));
  let [offset, order] = [0, highest(99)];
  while (order >= 2) {
    const size = 2 ** order;
    const scanned = size - table.occupied(offset, order) <= Number(limitOf(order));
    if (!scanned) table.last = SCAN.EXCEED_NONE_PTE;
    else table.attempt(offset, order);
    const skips = table.last === SCAN.PTE_MAPPED;
    if (scanned && !skips && offset + size === end) break;
    if (scanned && (table.last === SCAN.SUCCEED || skips)) {
      offset += size;
      if (offset >= end) break;
      let aligned = 0;
      while ((offset / 2 ** (aligned + 1)) % 1 === 0) aligned += 1;
      order = mask.has(aligned) ? aligned : highest(99);
    } else {
      mask.delete(order);
      order = highest(order);
    }
  }
  return table.finish();
}

/** One attempt at most (khugepaged spec 13.3, 15.8). */
function plainSingle(c: Case): Account {
  const table = new PlainTable(c);
  if (table.isEnabled(c.pmdOrder)) table.consider(0, c.pmdOrder);
  return table.finish();
}

function plainWalk(c: Case): Account {
  const madvisePmd = c.initiator === 'madvise' && c.generation.madviseOrders === 'pmdOnly';
  if (madvisePmd || c.generation.walk === 'single') return plainSingle(c);
  if (c.generation.walk === 'linearRescan') return plainLinear(c);
  return c.generation.walk === 'dfs' ? plainHalves(c) : plainForward(c);
}

/** A small seeded generator, so that one number makes one case. */
function random(seed: number): (below: number) => number {
  let state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Tables with empty, full and speckled stretches of every size, as real ones have. */
function randomBitmap(pick: (below: number) => number, pmdOrder: number): Occupancy {
  const bitmap = createOccupancy(pmdOrder);
  for (let i = 0; i < 2 ** pmdOrder; ) {
    const end = Math.min(2 ** pmdOrder, i + 1 + pick(2 ** (1 + pick(pmdOrder))));
    const percent = [0, 100, 100, 30, 90][pick(5)];
    for (; i < end; i++) if (pick(100) < percent) bitmap[i >>> 5] |= 1 << (i & 31);
  }
  return bitmap;
}

/** Mostly results that let the walk go on; now and then any code at all. */
const COMMON: readonly ScanResult[] = [
  SCAN.SUCCEED,
  SCAN.SUCCEED,
  SCAN.ALLOC_HUGE_PAGE_FAIL,
  SCAN.PTE_MAPPED_HUGEPAGE,
  SCAN.LACK_REFERENCED_PAGE,
  SCAN.PAGE_LOCK,
  SCAN.PAGE_LRU,
];

function randomCase(generation: Generation, pmdOrder: number, seed: number): Case {
  const pick = random(seed);
  const ceiling = 2 ** pmdOrder - 1;
  const bitmap = randomBitmap(pick, pmdOrder - generation.chunkOrder);
  const maxPtesNone = [0, ceiling, ceiling >> 1, pick(ceiling + 1)][pick(4)];
  const unmapped = pick(2) * pick(1 + 2 ** pmdOrder - occupancyCount(bitmap));
  const answers = pick(2 ** 31);
  return {
    generation,
    pmdOrder,
    bitmap,
    enabledOrders: pick(4) === 0 ? 2 ** pmdOrder : pick(2 ** (pmdOrder + 1)),
    alwaysOrders: pick(2) * pick(2 ** (pmdOrder + 1)),
    settings: { maxPtesNone, maxPtesSwap: ceiling, maxPtesShared: ceiling },
    unmapped,
    initiator: pick(10) === 0 ? 'madvise' : 'khugepaged',
    attempt: (offset, order) => {
      const answer = random(answers ^ (offset * 31 + order));
      answer(2);
      return answer(20) === 0 ? (answer(SCAN_RESULT_COUNT) as ScanResult) : COMMON[answer(COMMON.length)];
    },
  };
}

describe.each(GENERATIONS.map((generation) => [generation.name, generation] as const))(
  'the walk of %s',
  (_, generation) => {
    it.each([
      [3, 3_000],
      [9, 3_000],
      [11, 100],
      [13, 20],
    ])('equals the plain form on random tables of order %i', (pmdOrder, numRuns) => {
      fc.assert(
        fc.property(fc.noBias(fc.integer()), (seed) => {
          const c = randomCase(generation, pmdOrder, seed);
          const [real, plain] = [realWalk(c), plainWalk(c)];
          if (real !== plain) expect(real).toBe(plain);
        }),
        { numRuns: generation === merged ? 4 * numRuns : numRuns },
      );
    });

    it('equals the plain form on every table of 8 entries', () => {
      expect(compareEveryTableOfEight(generation)).toBeGreaterThan(20_000);
    });
  },
);

/** The five kinds of answer that a walk can tell apart. */
const KINDS: readonly ScanResult[] = [
  SCAN.SUCCEED,
  SCAN.PTE_MAPPED_HUGEPAGE,
  SCAN.ALLOC_HUGE_PAGE_FAIL,
  SCAN.PAGE_LOCK,
  SCAN.VMA_CHECK,
];

/** All bitmaps, enabled orders, limits, counts of swapped entries and sequences of answers; returns the number. */
function compareEveryTableOfEight(generation: Generation): number {
  let cases = 0;
  for (let bits = 0; bits < 256; bits++) {
    const bitmap = Uint32Array.of(bits);
    const free = 8 - occupancyCount(bitmap);
    for (const enabledOrders of [0, 4, 8, 12]) {
      for (let maxPtesNone = 0; maxPtesNone < 8; maxPtesNone++) {
        for (let unmapped = 0; unmapped <= free; unmapped++) {
          cases += compareEveryAnswer({
            generation,
            pmdOrder: 3,
            bitmap,
            enabledOrders,
            alwaysOrders: unmapped & 4,
            settings: { maxPtesNone, maxPtesSwap: 7, maxPtesShared: 7 },
            unmapped,
            initiator: 'khugepaged',
            attempt: () => SCAN.SUCCEED,
          });
        }
      }
    }
  }
  return cases;
}

/** Counts up a script of answers like an odometer, as far as the walk asks for them. */
function compareEveryAnswer(table: Case): number {
  const script: number[] = [];
  for (let cases = 1; ; cases++) {
    let asked = 0;
    const attempt: Case['attempt'] = (_offset, _order, nth) => {
      asked = Math.max(asked, nth + 1);
      return KINDS[script[nth] ?? 0];
    };
    const real = realWalk({ ...table, attempt });
    const plain = plainWalk({ ...table, attempt });
    if (real !== plain) expect(`${real} for ${JSON.stringify(table)}`).toBe(plain);
    while (script.length < asked) script.push(0);
    script.length = asked;
    while (script.length > 0 && script[script.length - 1] === KINDS.length - 1) script.pop();
    if (script.length === 0) return cases;
    script[script.length - 1] += 1;
  }
}

describe('a walk', () => {
  const input = {
    bitmap: Uint32Array.of(0xff),
    pmdOrder: 3,
    enabledOrders: 12,
    unmapped: 0,
    settings: { maxPtesNone: 0, maxPtesSwap: 1, maxPtesShared: 4 },
    initiator: 'khugepaged',
  } as const;

  it('wants each window reported before it gives the next', () => {
    const walk = startWalk(merged, input);
    walk.next();
    expect(() => walk.next()).toThrow('not reported');
  });

  it('takes no report without a window', () => {
    expect(() => startWalk(merged, input).report(SCAN.SUCCEED)).toThrow('call next() first');
  });

  it('uses changed settings for the windows that are still to come', () => {
    const walk = startWalk(merged, { ...input, bitmap: Uint32Array.of(0x1f), enabledOrders: 4 });
    const first = walk.next();
    walk.report(SCAN.SUCCEED);
    walk.changeSettings({ ...input.settings, maxPtesNone: 7 });
    const second = walk.next();
    expect([windowOffset(first), windowOffset(second)]).toEqual([0, 4]);
  });
});
