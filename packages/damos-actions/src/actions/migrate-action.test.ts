import { checkMachine, nodeOf } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { schemeStats } from '../schemes/running.js';
import { ANY_PATTERN, type SchemeInput } from '../schemes/scheme.js';
import { type DamonWorld, fillBase, fillHuge, makeDamonWorld, makeProcess } from '../testing/damon-world.js';
import { MIGRATION_SHARES } from '../testing/golden-schemes.js';
import { destination } from './migrate-action.js';

const BASE = 0x80000;

/** Pages of each node that are in use, and what a scheme says it did after one round. */
function afterRound(scheme: SchemeInput, operations: 'fvaddr' | 'paddr', spoil: (w: DamonWorld) => void = () => {}) {
  const w = makeDamonWorld({ nodePages: [16_384, 16_384] });
  const { mm, vma } = makeProcess(w, BASE, 4 * 512);
  fillBase(w, vma, BASE, 512);
  fillHuge(w, vma, BASE + 512, 1);
  const used = (): number[] =>
    [0, 1].map(
      (node) =>
        (w.m.node.endPfn[node] as number) - (w.m.node.firstPfn[node] as number) - (w.m.node.freePages[node] as number),
    );
  const before = used();
  spoil(w);
  const virtual = [{ mm, regions: [{ start: BASE * 4096, end: (BASE + 2048) * 4096 }] }];
  const physical = [{ regions: [{ start: 0, end: 16_384 * 4096 }] }];
  const d = w.start({ operations, targets: operations === 'paddr' ? physical : virtual, schemes: [scheme] });
  w.pass(0.12);
  expect(checkMachine(w.m)).toEqual([]);
  const moved = used().map((pages, node) => pages - (before[node] as number));
  return { moved, stats: schemeStats(d, 0), w };
}

describe('migrate_hot and migrate_cold', () => {
  it.each(['fvaddr', 'paddr'] as const)('move base and huge pages to the node (%s)', (operations) => {
    const { moved, stats } = afterRound({ action: 'migrate_cold', pattern: ANY_PATTERN, targetNid: 1 }, operations);
    expect(moved).toEqual([-1024, 1024]);
    expect(stats.szApplied).toBe(1024 * 4096);
    expect(stats.szOpsFilterPassed).toBeGreaterThanOrEqual(1024 * 4096);
  });

  it('leave what is there already, and do nothing without a node', () => {
    const there = afterRound({ action: 'migrate_hot', pattern: ANY_PATTERN, targetNid: 0 }, 'fvaddr');
    expect(there.moved).toEqual([0, 0]);
    expect(there.stats.nrApplied).toBe(0);
    for (const targetNid of [-1, 2]) {
      expect(afterRound({ action: 'migrate_hot', pattern: ANY_PATTERN, targetNid }, 'fvaddr').moved).toEqual([0, 0]);
    }
  });

  it('move only what the operations filters let pass', () => {
    const opsFilters = [{ type: 'hugepage_size', matching: true, allow: true, min: 2 ** 21, max: 2 ** 21 }] as const;
    const { moved, stats } = afterRound(
      { action: 'migrate_hot', pattern: ANY_PATTERN, targetNid: 1, opsFilters },
      'fvaddr',
    );
    expect(moved).toEqual([-512, 512]);
    // Two regions share the huge page: the second finds it at its new place and lets it pass once more.
    expect(stats.szOpsFilterPassed).toBe(2 * 2 ** 21);
    expect(stats.szApplied).toBe(2 ** 21);
  });

  it.each(MIGRATION_SHARES)('choose among $dests by the index of the page', ({ dests, nodes }) => {
    const weights = dests.reduce((sum, { weight }) => sum + weight, 0);
    expect(nodes.map((_, index) => destination(dests, weights, index))).toEqual(nodes);
  });

  it('spread pages over weighted nodes', () => {
    const dests = [
      { nid: 0, weight: 1 },
      { nid: 1, weight: 3 },
    ];
    const { moved, w } = afterRound({ action: 'migrate_cold', pattern: ANY_PATTERN, dests }, 'fvaddr');
    expect(nodeOf(w.m, 1 as never)).toBe(0);
    expect(moved[1]).toBeGreaterThanOrEqual(384);
    expect(moved[0]).toBe(-(moved[1] as number));
  });
});
