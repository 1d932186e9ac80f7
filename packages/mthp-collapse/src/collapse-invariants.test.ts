/**
 * Any page table, any generation, any limits: a range is dealt with, and afterwards nothing is lost (khugepaged spec 19:
 * I1 contents, I2 RSS, I4 locks and LRU, I5 references; the rest is checkMachine's).
 */
import { getBit } from '@thplab/arena';
import {
  dupMm,
  ENTRY_KIND,
  entryKind,
  entryValue,
  findPmd,
  findTable,
  MADV,
  type MmId,
  madvise,
  NO_PMD,
  PAGE,
  type Pfn,
  PMD,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pinPages,
  placeFolio,
  placeMarkers,
  placeSwapped,
  placeZeroPages,
  pmdType,
  pteBit,
  pteCell,
  setFrameFlags,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import { SequentialExecutor } from '@thplab/sync';
import { GEOMETRY_4K, GEOMETRY_TINY, type Geometry } from '@thplab/sysfs-schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GENERATIONS } from './generations/index.js';
import { SCAN, type ScanResult, scanResultName } from './results.js';
import { CollapseWorld } from './testing/collapse-world.js';

const KINDS = ['none', 'page', 'page', 'page', 'idle', 'zero', 'folio', 'swap', 'guard', 'lazyfree'] as const;

interface Plan {
  readonly segments: readonly { readonly kind: (typeof KINDS)[number]; readonly length: number }[];
  readonly generation: number;
  readonly orders: number;
  readonly maxNone: number;
  readonly maxShared: number;
  readonly khugepaged: boolean;
  readonly forked: boolean;
  readonly pin: number;
  readonly poison: number;
  readonly uffd: boolean;
  readonly passes: number;
}

function plans(geometry: Geometry): fc.Arbitrary<Plan> {
  const entries = 1 << geometry.pmdOrder;
  const rarely = fc.oneof({ weight: 6, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(entries - 1) });
  return fc.record({
    segments: fc.array(
      fc.record({ kind: fc.constantFrom(...KINDS), length: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.nat(entries)) }),
      { minLength: 1, maxLength: 12 },
    ),
    generation: fc.nat(GENERATIONS.length - 1),
    orders: fc.oneof(fc.constant(-1), fc.nat((2 << geometry.pmdOrder) - 1)),
    maxNone: fc.constantFrom(0, entries >> 1, entries - 1, entries - 1),
    maxShared: fc.constantFrom(0, entries >> 1, entries - 1),
    khugepaged: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    forked: fc.boolean(),
    pin: rarely,
    poison: rarely,
    uffd: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    passes: fc.integer({ min: 1, max: 3 }),
  });
}

/** An attempt that succeeded, and the empty and zero-page entries that its window had. */
interface Success {
  readonly filled: number;
}

class Case {
  readonly w: CollapseWorld;
  readonly successes: Success[] = [];
  child: MmId | 0 = 0;
  pins: readonly Pfn[] = [];

  constructor(geometry: Geometry, plan: Plan) {
    const generation = GENERATIONS[plan.generation];
    if (generation === undefined) throw new Error('no generation');
    this.w = new CollapseWorld({
      geometry,
      nodePages: [geometry.pmdOrder === 3 ? 512 : 4096],
      swapPages: 1 << geometry.pmdOrder,
      generation,
      recorder: {
        attempted: (_mm, page, order, result) => this.attempted(page - this.w.base, order, result),
        scanned: () => this.remember(),
      },
    });
    this.build(plan);
  }

  private empty: boolean[] = [];

  /** Which entries are empty or map the zero page now. */
  private remember(): void {
    const { m, mm } = this.w;
    const table = findTable(m, mm, this.w.base);
    this.empty = Array.from({ length: m.ptes }, (_, slot) => {
      const bit = pteBit(m, table as never, slot);
      return getBit(m.pte.zero, bit) || (!getBit(m.pte.present, bit) && !getBit(m.pte.nonPresent, bit));
    });
  }

  private attempted(slot: number, order: number, result: ScanResult): void {
    if (result !== SCAN.SUCCEED) return;
    const window = this.empty.slice(slot, slot + (1 << order));
    this.successes.push({ filled: window.filter(Boolean).length });
  }

  private build(plan: Plan): void {
    const { w } = this;
    const { m } = w;
    w.map();
    const orders = Array.from({ length: m.pmdOrder - 1 }, (_, i) => i + 2);
    w.enableOrders(...orders.filter((order) => ((plan.orders >> order) & 1) === 1));
    w.set('khugepaged.max_ptes_none', plan.maxNone);
    w.set('khugepaged.max_ptes_shared', plan.maxShared);
    w.set('khugepaged.max_ptes_swap', plan.maxShared);
    let at = 0;
    const lazy: [number, number][] = [];
    for (const { kind, length } of plan.segments) {
      const end = Math.min(m.ptes, at + length);
      if (end > at) at = this.fill(kind, at, end, lazy);
    }
    for (const [from, to] of lazy) w.run(madvise(m, w.mm, (w.base + from) as Vpn, to - from, MADV.FREE));
    if (plan.forked) this.child = w.run(dupMm(m, w.mm));
    const pinned = plan.pin < 0 ? -1 : w.frame(w.base + plan.pin);
    if (pinned > 0) this.pins = w.run(pinPages(m, w.mm, (w.base + plan.pin) as Vpn, 1, { write: false })).frames;
    const poisoned = plan.poison < 0 ? -1 : w.frame(w.base + plan.poison);
    if (poisoned > 0) setFrameFlags(m, poisoned, PAGE.HWPOISON);
    if (plan.uffd) m.vma.flags[w.vma()] |= VM.UFFD_MISSING;
  }

  private fill(kind: (typeof KINDS)[number], from: number, to: number, lazy: [number, number][]): number {
    const { w } = this;
    const { m } = w;
    const page = (w.base + from) as Vpn;
    const vma = w.vma();
    if (kind === 'page' || kind === 'lazyfree') w.place(from, to);
    if (kind === 'lazyfree') lazy.push([from, to]);
    if (kind === 'idle') w.place(from, to, PTE_WRITE | PTE_DIRTY);
    if (kind === 'zero') placeZeroPages(m, vma, page, to - from, PTE_YOUNG);
    if (kind === 'swap') placeSwapped(m, vma, page, to - from);
    if (kind === 'guard') placeMarkers(m, vma, page, 1, ENTRY_KIND.markerGuard);
    if (kind === 'guard') return from + 1;
    if (kind !== 'folio') return to;
    const order = Math.min(m.pmdOrder, 2 + ((to - from) % 4));
    const head = Math.ceil(from / (1 << order)) << order;
    if (head + (1 << order) > m.ptes) return to;
    placeFolio(m, vma, (w.base + head) as Vpn, order, PTE_YOUNG | PTE_WRITE | PTE_DIRTY);
    return head + (1 << order);
  }

  /** Contents of a page, also of a swapped-out one. */
  contents(mm: MmId): number[] {
    const { m } = this.w;
    return Array.from({ length: m.ptes }, (_, slot) => {
      const pmd = findPmd(m, mm, this.w.base);
      const table = findTable(m, mm, this.w.base);
      if (pmd !== NO_PMD && pmdType(m.directory.entry[pmd]) !== PMD.huge && table !== 0) {
        const entry = m.pte.pfn[pteCell(m, table, slot)];
        const swapped = getBit(m.pte.nonPresent, pteBit(m, table, slot)) && entryKind(entry) === ENTRY_KIND.swap;
        if (swapped) {
          const cached = m.swap.cache[entryValue(entry)];
          return cached === 0 ? m.swap.stamp[entryValue(entry)] : m.frame.stamp[cached];
        }
      }
      return this.w.contents(this.w.base + slot, this.w.base + slot + 1, mm)[0] as number;
    });
  }
}

/** Results of ranges so far, with how often. */
const seen = new Map<string, number>();

/** What must be the same, or follow from what was collapsed. */
function checkPlan(geometry: Geometry, plan: Plan, run: (c: Case) => ScanResult): void {
  const c = new Case(geometry, plan);
  const { w } = c;
  const { m } = w;
  expect(w.check({ pins: c.pins })).toEqual([]);
  const before = c.contents(w.mm);
  const childBefore = c.child === 0 ? [] : c.contents(c.child);
  const resident = m.mm.rssAnon[w.mm] + m.mm.swapEnts[w.mm];
  for (let pass = 0; pass < plan.passes; pass++) {
    const name = scanResultName(run(c));
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  expect(c.contents(w.mm)).toEqual(before);
  if (c.child !== 0) expect(c.contents(c.child)).toEqual(childBefore);
  const filled = c.successes.reduce((sum, success) => sum + success.filled, 0);
  expect(m.mm.rssAnon[w.mm] + m.mm.swapEnts[w.mm] - resident).toBe(filled);
  expect(w.check({ pins: c.pins })).toEqual([]);
}

describe('a range is dealt with and nothing is lost', () => {
  it.each([
    ['8 entries', GEOMETRY_TINY, 1500],
    ['512 entries', GEOMETRY_4K, 150],
  ] as const)('%s, run alone', (_name, geometry, numRuns) => {
    fc.assert(
      fc.property(plans(geometry), (plan) =>
        checkPlan(geometry, plan, (c) => c.w.range(c.w.base, plan.khugepaged ? c.w.khugepaged : c.w.madvise)),
      ),
      { numRuns, seed: 7 },
    );
  });

  it('8 entries, under lockdep', () => {
    fc.assert(
      fc.property(plans(GEOMETRY_TINY), (plan) =>
        checkPlan(GEOMETRY_TINY, plan, (c) => {
          const executor = new SequentialExecutor(c.w.m.domain, { rethrow: true });
          c.w.m.current = executor.current;
          const cc = plan.khugepaged ? c.w.khugepaged : c.w.madvise;
          const task = executor.spawn('collapse', () => c.w.rangeProcedure(c.w.base, cc));
          expect(executor.run().end).toBe('idle');
          return task.result as ScanResult;
        }),
      ),
      { numRuns: 300, seed: 8 },
    );
  });

  it('and the cases were of many kinds', () => {
    expect(seen.get('SUCCEED')).toBeGreaterThan(300);
    expect(seen.size).toBeGreaterThan(10);
  });
});
