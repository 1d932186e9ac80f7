/**
 * Walks of the page table after misses of the TLB that come close together in one PMD range: what a processor's sampling of
 * TLB misses would tell. The worst ranges come first.
 */
import { mmget, mmput } from '@thplab/mm-model';
import { type Procedure, preempt, sleep } from '@thplab/sync';
import type { ProducerSpec } from '../../format/index.js';
import type { Process } from '../../run/process-table.js';
import { scenarioError } from '../../run/run-error.js';
import type { World } from '../../run/world.js';
import { hintRange } from '../hint-range.js';
import type { HintProducer } from './producer.js';

type TlbSpec = Extract<ProducerSpec, { kind: 'faults' | 'tlb' }>;

const NS_PER_S = 1e9;

/** A producer on the density of TLB misses. Errors, when it starts: ScenarioError without a TLB. */
export function tlbProducer(world: World, spec: TlbSpec): HintProducer {
  return {
    name: 'hints: tlb',
    task: function* (): Procedure<number> {
      if (world.hardware === undefined) {
        const hint = 'add a workload, or machine.tlb: skylake';
        throw scenarioError(world.locate, spec.key, 'there is no TLB whose misses could be counted', hint);
      }
      for (;;) {
        yield sleep(spec.within);
        for (const process of world.processes.named(spec.process)) yield* hintDense(world, spec, process);
      }
    },
  };
}

function* hintDense(world: World, spec: TlbSpec, process: Process): Procedure<void> {
  // Misses are told per second.
  const least = (spec.count * NS_PER_S) / spec.within;
  const dense = [...(world.hardware?.misses(process.mm) ?? [])]
    .filter(({ misses }) => misses >= least)
    .sort((a, b) => b.misses - a.misses || a.page - b.page);
  if (dense.length === 0 || process.exitNs !== null) return;
  mmget(world.m, process.mm);
  for (const { page } of dense) {
    yield* hintRange(world, { mm: process.mm, page, priority: spec.priority, maxOrder: null });
    yield preempt();
  }
  yield* mmput(world.m, process.mm);
}
