import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assembleMachine } from '../run/assemble.js';
import { scenarioOf } from '../testing/scenario-text.js';
import { countEntries } from './entry-counts.js';
import { viewTable } from './table-slots.js';

describe('countEntries', () => {
  it('equals counting the entries one by one', () => {
    const state = fc.constantFrom('present', 'zero', 'swap', 'guard', 'migration', 'special', 'none');
    const layer = fc.record({
      first: fc.nat(500),
      state,
      young: fc.constantFrom(0, 0.5, 1),
      order: fc.constantFrom(0, 4),
    });
    fc.assert(
      fc.property(fc.array(layer, { minLength: 1, maxLength: 5 }), (layers) => {
        const texts = layers.map(
          ({ first, state, young, order }) =>
            `{ pages: ${first}-511, state: ${state}, young: ${young}, order: ${order} }`,
        );
        const world = assembleMachine(
          scenarioOf(`machine: { memory: 64M, swap: 64M }
processes: [{ name: app, vmas: [{ name: heap, size: 2M, populate: [${texts.join(', ')}] }] }]
run: { for: 1ms }`),
        );
        const [process] = world.processes.all;
        const page = process.vmas.get('heap')?.start ?? 0;
        const counts = { page: 0, none: 0, zero: 0, swap: 0, other: 0, young: 0, shared: 0 };
        for (const slot of viewTable(world.m, process.mm, page).slots) {
          counts[slot.kind]++;
          if (slot.young) counts.young++;
          if (slot.shared) counts.shared++;
        }
        expect(countEntries(world.m, process.mm, page)).toEqual(counts);
      }),
      { numRuns: 60 },
    );
  });
});
