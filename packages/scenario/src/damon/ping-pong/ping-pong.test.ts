import { describe, expect, it } from 'vitest';
import { runScenario } from '../../run/run-scenario.js';
import { PING_PONG } from '../../testing/golden-ping-pong.js';
import { scenarioOf } from '../../testing/scenario-text.js';
import { PING_PONG_DESIGNS, withPingPong } from './designs.js';
import type { PingPongSums } from './ping-pong.js';

// Eight huge pages, one page of each touched every three seconds: split by DAMOS, full and in use for khugepaged.
const BASE = `
machine: { memory: 256M }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 500 }
processes: [{ name: app, vmas: [{ name: heap, size: 16M, at: "0x40000000", populate: { order: 9 } }] }]
events: [{ at: 0, access: { process: app, stride: { every: 512 }, every: 3s } }]
damon:
  profile: damon-rfc
  kdamonds:
    - operations: fvaddr
      targets: [{ process: app, ranges: { vma: heap } }]
      minRegionSize: 2M
      schemes: [{ name: shrink, action: split, targetOrder: 16K, accesses: "<= 20%", age: ">= 1s", every: 1s }]
run: { for: 25s }
`;

const sums = new Map<string, PingPongSums>();
for (const { name } of PING_PONG_DESIGNS) {
  const { result } = runScenario(withPingPong(scenarioOf(BASE), name));
  if (result.invariants?.length !== 0) throw new Error(`${name}: the machine is not sound`);
  if (result.pingPong !== null) sums.set(name, result.pingPong);
}
const of = (name: string): PingPongSums => sums.get(name) as PingPongSums;

describe('what DAMOS splits and khugepaged builds again', () => {
  it('has a row for each design, in their order', () => {
    expect(PING_PONG.designs.map(({ design }) => design)).toEqual(PING_PONG_DESIGNS.map(({ name }) => name));
  });

  it.each(PING_PONG.designs)('$row: $design', ({ design, splits, recollapses }) => {
    const found = of(design);
    expect(found.splits).toBeGreaterThanOrEqual(splits.min);
    expect(found.splits).toBeLessThanOrEqual(splits.max);
    expect(found.recollapses).toBeGreaterThanOrEqual(recollapses.min);
    expect(found.recollapses).toBeLessThanOrEqual(recollapses.shareAtMost * of('none').recollapses);
    expect(found.recollapsedBytes).toBe(found.recollapses * PING_PONG.bytesEach);
    expect(found.splitAgain).toBe(Math.max(0, found.splits - PING_PONG.blocks));
    expect(found).toMatchObject({ design, failures: 0 });
  });

  it('can be asked for in the scenario itself', () => {
    const inFile = scenarioOf(BASE.replace('  profile: damon-rfc', '  profile: damon-rfc\n  pingPong: nohugepage'));
    expect(runScenario(inFile).result.pingPong).toEqual(of('nohugepage'));
    expect(() => withPingPong(scenarioOf(BASE), 'luck')).toThrow(/no design is called luck; none, nohugepage/);
  });
});
