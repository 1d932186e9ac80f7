import { describe, expect, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { assembleMachine } from '../run/assemble.js';
import { sampleSnapshot } from '../testing/sample-snapshot.js';
import type { HotSet } from './hot-set.js';

const HEAD = 'format: thplab/scenario@1\nname: hot\nmachine: { memory: 128M, kernel: hints-rfc }\n';
const APP = 'processes: [{ name: app, vmas: [{ name: heap, size: 8M, at: "0x10000000", populate: full }] }]\n';
const FIRST = 0x10000;

function hotSet(text: string, snapshots: ReadonlyMap<string, ReturnType<typeof sampleSnapshot>> = new Map()): HotSet {
  const world = assembleMachine(parseScenario(`${HEAD}${text}run: { for: 1s }`, { path: 'hot.yaml' }), { snapshots });
  return world.hints.hot as HotSet;
}

describe('what is hot', () => {
  it('is what the scenario says, counted by range and only where a huge page can be', () => {
    const hot = hotSet(
      `${APP}hints: { hot: [{ process: app, vma: heap, pages: 0-99 }, { process: app, vma: heap, blocks: 2 }] }\n`,
    );
    expect(hot.hotPages).toBe(100 + 512);
    expect([FIRST, FIRST + 512, FIRST + 1024].map((page) => hot.isHot(1, page))).toEqual([true, false, true]);
  });

  it('is else what access events and workloads touch', () => {
    const hot = hotSet(`${APP}hints: {}
events: [{ at: 0s, access: { process: app, vma: heap, blocks: 1, stride: { every: 4 }, every: 1s } }]
workload: { process: app, vma: heap, blocks: 3, pattern: uniform, rate: 1k }
`);
    expect(hot.hotPages).toBe(128 + 512);
  });

  it('is what a captured process had in use, where nothing else tells', () => {
    const snapshot = sampleSnapshot([{ start: FIRST, pages: 1024, runs: [{ first: 0, count: 600, kind: 'anon' }] }]);
    const hot = hotSet('processes: [{ name: app, snapshot: a.snap }]\nhints: {}\n', new Map([['a.snap', snapshot]]));
    expect(hot.hotPages).toBe(600);
  });
});

describe('when it became huge', () => {
  it('is told at 50, 90 and 99 %, once each', () => {
    const hot = hotSet(`${APP}hints: { hot: { process: app, vma: heap } }\n`);
    for (const [at, block] of [0, 1, 2, 3].entries()) hot.collapsed(1, FIRST + block * 512, 512, 10 * (at + 1));
    hot.collapsed(1, FIRST, 512, 1000);
    expect(hot.reachedNs).toEqual([20, 40, 40]);
    expect(hot.share).toBe(1);
    expect(hot.built).toEqual({ hot: 5 * 512, cold: 0 });
    expect(hot.usefulRanges).toBe(4);
  });

  it('counts smaller folios by their size, and faults that came huge', () => {
    const hot = hotSet(`${APP}hints: { hot: { process: app, vma: heap, blocks: 0-1 } }\n`);
    for (let i = 0; i < 16; i++) hot.collapsed(1, FIRST + i * 16, 16, 5);
    expect(hot.share).toBe(0.25);
    hot.faultedHuge(1, FIRST + 600, 7);
    expect(hot.share).toBe(0.75);
    hot.collapsed(1, FIRST + 3 * 512, 512, 9);
    expect(hot.built).toEqual({ hot: 256, cold: 512 });
    expect(hot.reachedNs).toEqual([7, null, null]);
  });
});
