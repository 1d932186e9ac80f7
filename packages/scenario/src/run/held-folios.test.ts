import { FOLIO, folioHas } from '@thplab/mm-model';
import { expect, it } from 'vitest';
import { runText } from '../testing/scenario-text.js';

function atTheEnd(events: string): { held: number[]; refs: number[]; locked: boolean[]; broken: unknown } {
  const { result, world } = runText(`
machine: { memory: 16M }
processes: [{ name: app, vmas: [{ name: heap, size: 2M, populate: full }] }]
events:
  - { at: 1ms, lock: { process: app, vma: heap, pages: 0-9 } }
  - { at: 2ms, madvise: { process: app, vma: heap, advice: dontneed } }
${events}
run: { for: 10ms, khugepaged: false }
`);
  const held = [...world.setUp.held.locked()];
  const refs = held.map((head) => world.m.frame.refcount[head]);
  return { held, refs, locked: held.map((head) => folioHas(world.m, head, FOLIO.LOCKED)), broken: result.invariants };
}

it('who holds a folio lock holds the folio: it outlives its last mapping, and nobody else gets its memory', () => {
  const { held, refs, locked, broken } = atTheEnd('  - { at: 3ms, fault: { process: app, vma: heap } }');
  expect(held).toHaveLength(10);
  expect(refs).toEqual(held.map(() => 1));
  expect(locked).toEqual(held.map(() => true));
  expect(broken).toEqual([]);
});

it('the unlock frees what only the lock still held', () => {
  expect(atTheEnd('  - { at: 3ms, unlock: { process: app, vma: heap, pages: 0-9 } }')).toMatchObject({
    held: [],
    broken: [],
  });
});
