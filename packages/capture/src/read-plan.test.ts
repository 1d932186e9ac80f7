import { describe, expect, it } from 'vitest';
import { ReadPlanner } from './read-plan.js';
import type { SnapshotVma } from './snapshot.js';

const GIB = 2 ** 18;

function vma(pages: number, smapsKb: SnapshotVma['smapsKb'] = {}, name = ''): Parameters<ReadPlanner['plan']>[0] {
  return { startVpn: 1000, endVpn: 1000 + pages, kind: 'anon', name, smapsKb };
}

describe('ReadPlanner', () => {
  it('reads mappings up to 8 GiB whole, even when smaps counts nothing: zero pages and guards count nowhere', () => {
    expect(new ReadPlanner(4096).plan(vma(8 * GIB))).toEqual({ pages: 8 * GIB, stopAfter: null, reason: null });
  });

  it('does not read a reservation of 64 TiB in which smaps counts nothing', () => {
    const plan = new ReadPlanner(4096).plan(vma(64 * 1024 * GIB, { Rss: 0, Swap: 0 }));
    expect(plan.pages).toBe(0);
    expect(plan.reason).toMatch(/reservation/);
  });

  it('reads a large mapping until what smaps counts was found', () => {
    const plan = new ReadPlanner(4096).plan(vma(100 * GIB, { Rss: 400, Swap: 40 }));
    expect(plan).toEqual({ pages: 100 * GIB, stopAfter: 110, reason: null });
  });

  it('holds all large mappings together to the budget', () => {
    const planner = new ReadPlanner(4096, 2 ** 40);
    const first = planner.plan(vma(700 * GIB, { Rss: 4 }));
    planner.charge(first, 700 * GIB);
    const second = planner.plan(vma(700 * GIB, { Rss: 4 }));
    expect([first.pages, second.pages]).toEqual([700 * GIB, 324 * GIB]);
    expect(first.reason).toBeNull();
    expect(second.reason).toMatch(/sparseReadBytes/);
  });

  it('leaves the vsyscall page alone', () => {
    expect(new ReadPlanner(4096).plan(vma(1, {}, '[vsyscall]')).pages).toBe(0);
  });
});
