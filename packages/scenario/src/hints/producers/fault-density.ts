/** Page faults that come close together in one PMD range: a huge page would have taken one. */
import type { Procedure } from '@thplab/sync';
import type { ProducerSpec } from '../../format/index.js';
import type { Process } from '../../run/process-table.js';
import type { World } from '../../run/world.js';
import { hintRange } from '../hint-range.js';
import type { HintProducer } from './producer.js';

/** Counts events by key in a sliding time: true when `count` of them came within a span. */
export class Density {
  readonly #count: number;
  readonly #withinNs: number;
  readonly #recent = new Map<number, number[]>();

  constructor(count: number, withinNs: number) {
    this.#count = count;
    this.#withinNs = withinNs;
  }

  /** One more event. True: there were enough, and counting starts again. */
  add(key: number, nowNs: number): boolean {
    const times = this.#recent.get(key) ?? [];
    times.push(nowNs);
    while (times.length > 0 && (times[0] as number) < nowNs - this.#withinNs) times.shift();
    const dense = times.length >= this.#count;
    if (dense) this.#recent.delete(key);
    else this.#recent.set(key, times);
    return dense;
  }
}

const MM_FACTOR = 2 ** 36;

/** A producer on the density of page faults. */
export function faultProducer(world: World, spec: Extract<ProducerSpec, { kind: 'faults' | 'tlb' }>): HintProducer {
  const density = new Density(spec.count, spec.within);
  const { ptes } = world.m;
  return {
    name: 'hints: faults',
    faulted: function* (process: Process, page: number, nowNs: number): Procedure<void> {
      if (spec.process !== null && process.name !== spec.process && process.group !== spec.process) return;
      if (!density.add(process.mm * MM_FACTOR + Math.floor(page / ptes), nowNs)) return;
      yield* hintRange(world, { mm: process.mm, page, priority: spec.priority, maxOrder: null });
    },
  };
}
