import { Random } from '@thplab/arena';
import { bootMachine, type Machine, type MmId, mmAlloc, newTable, type TableId, type Vpn } from '@thplab/mm-model';
import { GEOMETRY_4K, GEOMETRY_16K, GEOMETRY_64K, GEOMETRY_TINY, type Geometry } from '@thplab/sysfs-schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CollapseContext, createCollapseContext, type NodeReclaim } from '../collapse-context.js';
import type { Generation } from '../generations/generation.js';
import { legacy613 } from '../generations/legacy-6-13.js';
import { legacy618 } from '../generations/legacy-6-18.js';
import { merged } from '../generations/merged.js';
import { rfcV2 } from '../generations/rfc-v2.js';
import { v12 } from '../generations/v12.js';
import { SCAN, scanResultName } from '../results.js';
import { type FolioPool, fillTable, makeFolioPool, randomProfile } from '../testing/random-tables.js';
import { scanEntryByEntry } from './scan-entry-by-entry.js';
import { scanPlanes } from './scan-planes.js';
import { TableScan } from './table-scan.js';

const GENERATIONS: readonly Generation[] = [merged, legacy618, v12, legacy613, rfcV2];
const RECLAIM: NodeReclaim = { distance: (a, b) => (a === b ? 10 : 40), maxDistance: 30 };

interface Bench {
  readonly m: Machine;
  readonly table: TableId;
  readonly pools: readonly FolioPool[];
  readonly contexts: readonly CollapseContext[];
}

function makeBench(geometry: Geometry, nodes: number, random: Random): Bench {
  const { machine: m } = bootMachine({
    geometry,
    nodePages: Array.from({ length: nodes }, () => 1 << 14),
    limits: { mms: 8, vmas: 8, pageTables: 8, pageCache: 16 },
  });
  m.frame.flags.fill(0);
  m.frame.refcount.fill(0);
  m.frame.mapping.fill(0);
  m.frame.index.fill(0);
  const mm: MmId = mmAlloc(m);
  const table = newTable(m, mm, m.ptes as Vpn);
  const pools = [20, 200, 2000].map((count) => makeFolioPool(m, random, count)).filter((p) => p.plain.length > 0);
  const contexts = GENERATIONS.flatMap((generation) =>
    nodes === 1
      ? [createCollapseContext({ machine: m, generation })]
      : [
          createCollapseContext({ machine: m, generation }),
          createCollapseContext({ machine: m, generation, nodeReclaim: RECLAIM }),
        ],
  );
  return { m, table, pools, contexts };
}

/** A limit that is passed rarely, often, just, or never. */
function someLimit(m: Machine, random: Random): number {
  const choices = [0, 1, m.ptes >>> 3, m.ptes >>> 1, m.ptes - 1, m.ptes, m.ptes, random.below(m.ptes)];
  return choices[random.below(choices.length)] as number;
}

function randomScans(bench: Bench, ctx: CollapseContext, random: Random): [TableScan, TableScan] {
  const khugepaged = random.below(3) !== 0;
  const scans: [TableScan, TableScan] = [new TableScan(ctx, khugepaged), new TableScan(ctx, khugepaged)];
  const none = someLimit(bench.m, random);
  const swap = someLimit(bench.m, random);
  const shared = someLimit(bench.m, random);
  const refuses = khugepaged && ctx.generation.lazyfreeRule && random.below(4) !== 0;
  for (const scan of scans) {
    scan.noneLimit = none;
    scan.swapLimit = swap;
    scan.sharedLimit = shared;
    scan.refusesLazyfree = refuses;
  }
  return scans;
}

/** All that a scan gives, in a form that compares fast. */
function differs(a: TableScan, b: TableScan): boolean {
  if (a.result !== b.result || a.scanned !== b.scanned || a.none !== b.none || a.unmapped !== b.unmapped) return true;
  if (a.shared !== b.shared || a.referenced !== b.referenced || a.writable !== b.writable) return true;
  if (a.scanPfn !== b.scanPfn || !same(a.bitmap, b.bitmap) || !same(a.nodeLoad, b.nodeLoad)) return true;
  return a.empty !== undefined && b.empty !== undefined && !same(a.empty, b.empty);
}

function same(a: Uint32Array | Int32Array, b: Uint32Array | Int32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function compareOne(bench: Bench, random: Random, seen: Int32Array): void {
  const { m, table, pools, contexts } = bench;
  fillTable(m, table, pools[random.below(pools.length)] as FolioPool, randomProfile(m, random), random);
  const ctx = contexts[random.below(contexts.length)] as CollapseContext;
  const [plain, fast] = randomScans(bench, ctx, random);
  plain.reset();
  fast.reset();
  scanEntryByEntry(m, table, plain);
  scanPlanes(m, table, fast);
  seen[plain.result] = (seen[plain.result] as number) + 1;
  if (differs(plain, fast)) expect(fast).toEqual(plain);
}

describe('the scan by planes equals the scan entry by entry', () => {
  const cases: readonly [string, Geometry, number, number][] = [
    ['8 entries', GEOMETRY_TINY, 1, 40_000],
    ['8 entries on two nodes', GEOMETRY_TINY, 2, 20_000],
    ['512 entries', GEOMETRY_4K, 1, 40_000],
    ['512 entries on two nodes', GEOMETRY_4K, 2, 10_000],
    ['2048 entries', GEOMETRY_16K, 1, 1_000],
    ['8192 entries', GEOMETRY_64K, 1, 200],
  ];
  it.each(cases)('%s', (_name, geometry, nodes, tables) => {
    const random = new Random(geometry.pmdOrder, nodes);
    const bench = makeBench(geometry, nodes, random);
    const seen = new Int32Array(64);
    for (let i = 0; i < tables; i++) compareOne(bench, random, seen);
    const wanted = [
      SCAN.SUCCEED,
      SCAN.EXCEED_NONE_PTE,
      SCAN.EXCEED_SWAP_PTE,
      SCAN.EXCEED_SHARED_PTE,
      SCAN.PTE_UFFD_WP,
      SCAN.LACK_REFERENCED_PAGE,
      SCAN.PAGE_NULL,
      SCAN.PAGE_COUNT,
      SCAN.PAGE_LRU,
      SCAN.PAGE_LOCK,
      SCAN.PAGE_ANON,
      SCAN.PAGE_LAZYFREE,
      ...(nodes > 1 ? [SCAN.SCAN_ABORT] : []),
    ];
    if (tables >= 1_000) expect(wanted.filter((result) => seen[result] === 0).map(scanResultName)).toEqual([]);
  });

  it('also for cases that can be made smaller', () => {
    const bench = makeBench(GEOMETRY_TINY, 2, new Random(1));
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (seed) => {
        compareOne(bench, new Random(seed), new Int32Array(64));
      }),
      { numRuns: 3_000 },
    );
  });
});
