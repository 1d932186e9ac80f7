/** Recording what DAMON saw, as `damo record` does: a snapshot of each target at the end of each aggregation. */
import { type Damon, damonRegions, maxNrAccesses, type RegionSnapshot, readAttributes } from '@thplab/damos-actions';
import type { DamonRecord, RecordedRegion, RecordedSnapshot } from '../damo/record.js';
import type { World } from '../run/world.js';
import type { Kdamond } from './kdamonds.js';
import { pidOf } from './pids.js';

interface OpenRecord extends Omit<DamonRecord, 'snapshots'> {
  readonly snapshots: RecordedSnapshot[];
}

/** Snapshots of one target of one run of a kdamond. */
export class DamonRecorder {
  readonly #world: World;
  readonly #open = new Map<string, OpenRecord>();

  /** From now on every aggregation of every kdamond is recorded. */
  constructor(world: World) {
    this.#world = world;
    world.kdamonds.observer = (kdamond, damon) => this.#record(kdamond, damon);
  }

  /** All that was recorded, by kdamond and target. */
  get records(): readonly DamonRecord[] {
    return [...this.#open.values()];
  }

  #record(kdamond: Kdamond, damon: Damon): void {
    const attributes = readAttributes(damon);
    const aggregationNs = attributes.aggrIntervalUs * 1000;
    const endNs = damon.m.current.nowNs;
    for (const index of kdamond.targets.keys()) {
      const record = this.#recordOf(kdamond, damon, index);
      const startNs = record.snapshots.at(-1)?.endNs ?? Math.max(0, endNs - aggregationNs);
      const regions = damonRegions(damon, index).map((region) => recorded(region, attributes));
      record.snapshots.push({ startNs, endNs, regions });
    }
  }

  #recordOf(kdamond: Kdamond, damon: Damon, index: number): OpenRecord {
    const key = `${kdamond.index}/${index}/${kdamond.startedNs}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const { sampleIntervalUs, aggrIntervalUs, opsUpdateIntervalUs } = readAttributes(damon);
    const [process] = this.#world.processes.everNamed(kdamond.targets[index] ?? '');
    const made: OpenRecord = {
      kdamond: kdamond.index,
      context: 0,
      scheme: null,
      target: process === undefined ? index : pidOf(this.#world, process.mm),
      intervals: {
        sampleNs: sampleIntervalUs * 1000,
        aggregationNs: aggrIntervalUs * 1000,
        updateNs: opsUpdateIntervalUs * 1000,
      },
      snapshots: [],
    };
    this.#open.set(key, made);
    return made;
  }
}

function recorded(region: RegionSnapshot, attributes: ReturnType<typeof readAttributes>): RecordedRegion {
  const { addrUnit, aggrIntervalUs } = attributes;
  const most = Math.max(1, maxNrAccesses(attributes));
  return {
    start: region.start * addrUnit,
    end: region.end * addrUnit,
    samples: region.nrAccesses,
    percent: Math.floor((region.nrAccesses * 100) / most),
    ageNs: region.age * aggrIntervalUs * 1000,
    ageAggregations: region.age,
    filterPassedBytes: 0,
  };
}
