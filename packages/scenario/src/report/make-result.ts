/** Puts the result of a run together. */

import { hintsResult } from '../hints/result.js';
import type { World } from '../run/world.js';
import { VERSION } from '../version.js';
import { sysfsCounters, vmstatTable } from './counters.js';
import { damonResults } from './damon-result.js';
import { khugepagedResult, memoryResult } from './machine-result.js';
import { processResult } from './process-result.js';
import type { ResultHeader, ScenarioResult } from './result.js';
import { tlbResult } from './tlb-result.js';

/** What only the run knows. */
export interface RunFacts extends Pick<ScenarioResult, 'end' | 'timeline' | 'events' | 'expectations' | 'invariants'> {
  /** Base pages that were huge before the run. */
  readonly hugeAtStart: number;
  /** Settings written, by path. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The result of a run that has ended. */
export function makeResult(world: World, facts: RunFacts): ScenarioResult {
  const { end, timeline, events, expectations, invariants } = facts;
  return {
    format: 'thplab/result@1',
    header: header(world, facts.settings),
    end,
    processes: world.processes.all.map((process) => processResult(world, process)),
    khugepaged: khugepagedResult(world, end.atNs, facts.hugeAtStart),
    damon: damonResults(world, end.atNs),
    pingPong: splits(world) ? world.pingPong.sums : null,
    vmstat: vmstatTable(world.m),
    sysfs: sysfsCounters(world),
    hints: hintsResult(world),
    memory: memoryResult(world),
    timeline,
    events,
    expectations,
    invariants,
    tlb: tlbResult(world),
  };
}

function header(world: World, settings: Readonly<Record<string, string>>): ResultHeader {
  const { name, seed, machine } = world.scenario;
  const { kernel, pageSize, blockSize } = machine;
  return { name, seed, kernel, version: VERSION, pageSize, blockSize, settings };
}

/** A scheme splits, or a design against what follows was asked for. */
function splits(world: World): boolean {
  if (world.scenario.damon.pingPong !== null) return true;
  return world.kdamonds.all.some(
    ({ damon }) => damon?.runningSchemes.some(({ config }) => config.action === 'split') ?? false,
  );
}
