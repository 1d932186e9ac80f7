// Kdamonds and schemes drawn at random beside khugepaged, faults, forks and exits: whatever they are, a file is refused with a
// place, or it runs, leaves a sound machine, and runs the same again.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScenarioError } from '../format/index.js';
import { runScenario } from '../run/run-scenario.js';
import { scenarioOf } from '../testing/scenario-text.js';

const STRESS = Number(process.env.THPLAB_STRESS ?? 1);

const size = fc.constantFrom('">= 4K"', '">= 2M"', '"<= 1M"', '"0..8M"');
const accesses = fc.constantFrom('">= 50%"', '0', '">= 1"', '"0%..20%"', '{ min: 5% }');
const age = fc.constantFrom('">= 200ms"', '">= 2"', '{ max: 10 }', '0');
const action = fc.constantFrom(
  'willneed',
  'cold',
  'pageout',
  'hugepage',
  'nohugepage',
  'collapse',
  'split',
  'lru_prio',
  'lru_deprio',
  'migrate_hot, node: 1',
  'migrate_cold, node: [{ nid: 0, weight: 1 }, { nid: 1, weight: 2 }]',
  'stat',
);
const order = fc.constantFrom('', ', targetOrder: 16K', ', targetOrder: 4', ', targetOrder: 2M', ', targetOrder: 0');
const quota = fc.constantFrom(
  '',
  ', quota: { size: 1M, per: 100ms }',
  ', quota: { time: 1ms, per: 50ms, weights: { accesses: 1, age: 1 } }',
  ', quota: { per: 0, goals: { metric: node_mem_free_bp, target: 5000, node: 0 } }',
  ', quota: { per: 50ms, goals: { metric: node_memcg_used_bp, memcg: /jobs, target: 5000, node: 0 } }',
  ', quota: { size: 64K, tuner: temporal, goals: { metric: user_input, target: 10, current: 5 } }',
);
const filter = fc.constantFrom(
  '',
  ', filters: { allow: anon }',
  ', filters: [{ reject: young }, { allow: hugepage_size, min: 2M }]',
  ', filters: { reject: addr, address: "0x40100000", size: 1M, not: true }',
  ', filters: { allow: target, target: 0 }',
  ', filters: { allow: memcg, memcg: /jobs/app }',
  ', watermarks: { interval: 50ms, high: 100%, mid: 90%, low: 1% }',
);
const scheme = fc
  .record({ action, size, accesses, age, order, quota, filter, every: fc.constantFrom('', ', every: 30ms') })
  .map(
    (s) =>
      `{ action: ${s.action}, size: ${s.size}, accesses: ${s.accesses}, age: ${s.age}${s.order}${s.quota}${s.filter}${s.every} }`,
  );

const kdamond = fc
  .record({
    place: fc.constantFrom(
      'operations: fvaddr, targets: [{ process: app, ranges: { vma: heap } }, { process: app, ranges: { vma: heap, blocks: 1 } }]',
      'operations: fvaddr, targets: { process: worker, ranges: { vma: heap } }, start: 150ms',
      'operations: vaddr, targets: app',
      'operations: paddr',
      'operations: paddr, targets: { ranges: { address: "0x1000", size: 32M } }, addrUnit: 4096',
    ),
    regions: fc.constantFrom(
      '',
      ', regions: { min: 3, max: 20 }',
      ', regions: { min: 100, max: 300 }',
      ', minRegionSize: 2M',
    ),
    tune: fc.constantFrom('', ', autotune: { access: 4%, aggrs: 2, minSample: 1ms, maxSample: 50ms }'),
    intervals: fc.constantFrom('', ', intervals: { sample: 1ms, aggr: 20ms, update: 100ms }'),
    stop: fc.constantFrom('', ', stop: 400ms'),
    locks: fc.constantFrom('', ', locks: kernel'),
    schemes: fc.array(scheme, { maxLength: 3 }),
  })
  .map((k) => {
    const schemes = k.schemes.map((text, i) => text.replace('{', `{ name: s${i},`)).join(', ');
    return `{ ${k.place}${k.regions}${k.tune}${k.intervals}${k.stop}${k.locks}, schemes: [${schemes}] }`;
  });

const MACHINE = `
machine: { memory: [96M, 96M], swap: 64M, cpus: 4 }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 50 }
processes:
  - name: app
    memcg: /jobs/app
    vmas:
      - { name: heap, size: 8M, at: "0x40000000", populate: full }
      - { name: huge, size: 4M, at: "0x60000000", populate: { order: 9 } }
      - { name: stack, size: 256K, at: "0x7f000000000", populate: full }
events:
  - { at: 0, access: { process: app, vma: heap, blocks: 0-1, stride: { every: 4 }, every: 7ms } }
  - { at: 100ms, fork: { process: app, as: worker, lifetime: 300ms } }
  - { at: 200ms, fault: { process: worker, vma: heap, sparse: 5% } }
  - { at: 250ms, munmap: { process: app, vma: heap, offset: 6M, size: 1M } }
run: { for: 600ms }
`;

describe('kdamonds at random', () => {
  it('run beside everything else, twice the same, or are refused with a place', () => {
    let ran = 0;
    fc.assert(
      fc.property(fc.array(kdamond, { minLength: 1, maxLength: 2 }), fc.nat(1000), (kdamonds, seed) => {
        const text = `seed: ${seed}${MACHINE}damon: { profile: damon-reviewed, kdamonds: [${kdamonds.join(', ')}] }`;
        try {
          const { result } = runScenario(scenarioOf(text));
          expect(result.invariants).toEqual([]);
          expect(JSON.stringify(runScenario(scenarioOf(text)).result)).toBe(JSON.stringify(result));
          ran++;
        } catch (error) {
          if (!(error instanceof ScenarioError)) throw error;
          expect(error.message).toMatch(/^<scenario>:\d+:\d+: /);
        }
      }),
      { numRuns: 5 * STRESS },
    );
    expect(ran).toBeGreaterThan(0);
  });
});
