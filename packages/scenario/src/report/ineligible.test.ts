import { TVA, thpVmaAllowableOrders, vmaAt } from '@thplab/mm-model';
import { requestedOrders } from '@thplab/mthp-collapse';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assembleMachine } from '../run/assemble.js';
import { scenarioOf } from '../testing/scenario-text.js';
import { whyIneligible } from './ineligible.js';

describe('whyIneligible', () => {
  it('has a reason exactly where no order is allowed', () => {
    const some = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
    fc.assert(
      fc.property(
        some('always', 'madvise', 'never'),
        some('always', 'never', 'madvise', 'inherit'),
        some('none', 'hugepage', 'nohugepage'),
        some('default', 'disable', 'except-advised'),
        some('32K', '64K', '2M', '3M'),
        some('anon', 'shmem', 'file'),
        some('[]', '[pfnmap]', '[tempstack]'),
        some('full', 'none', '{ state: zero }'),
        (enabled, size64, advice, thp, size, kind, flags, populate) => {
          const world = assembleMachine(
            scenarioOf(`
machine: { memory: 64M }
sysfs: { enabled: ${enabled}, hugepages-64kB/enabled: ${size64} }
processes: [{ name: app, thp: ${thp}, vmas: [{ name: v, size: ${size}, kind: ${kind}, flags: ${flags}, advice: ${advice}, populate: ${populate} }] }]
run: { for: 1ms }`),
          );
          const { m } = world;
          const [process] = world.processes.all;
          const vma = vmaAt(m, process.mm, process.vmas.get('v')?.start ?? 0);
          if (vma === 0) throw new Error('no VMA');
          const requested =
            kind === 'anon' ? requestedOrders(world.generation, m.pmdOrder, 'khugepaged') : 1 << m.pmdOrder;
          const allowed = thpVmaAllowableOrders(m, vma, TVA.khugepaged, requested);
          expect(whyIneligible(world, vma) === null).toBe(allowed !== 0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('names the place in the file before the policy, as the kernel asks for it first', () => {
    const world = assembleMachine(
      scenarioOf(`
machine: { memory: 64M }
sysfs: { shmem_enabled: advise }
files: [{ name: board, size: 8M }]
processes:
  - name: app
    vmas:
      - { name: odd, size: 4M, at: 0x10000000, file: board, offset: 1M, advice: hugepage }
      - { name: even, size: 4M, at: 0x20000000, file: board, offset: 2M, advice: hugepage }
      - { name: plain, size: 4M, at: 0x30000000, file: board, offset: 2M }
run: { for: 1ms }`),
    );
    const [process] = world.processes.all;
    const reasons = ['odd', 'even', 'plain'].map((name) => {
      const vma = vmaAt(world.m, process.mm, process.vmas.get(name)?.start ?? 0);
      return vma === 0 ? 'no VMA' : whyIneligible(world, vma);
    });
    expect(reasons).toEqual([
      'no block of PMD size lies in it that is aligned both here and in the file',
      null,
      'the shmem policy does not allow it',
    ]);
  });
});
