import { expect, it } from 'vitest';
import { runText } from '../testing/scenario-text.js';
import { unnamedRanges } from './unnamed-ranges.js';

it('what mremap moved away from its name still counts for the process', () => {
  const { result, world } = runText(`
sysfs: { enabled: never }
processes: [{ name: app, vmas: [{ name: heap, size: 8M, at: 0x100000000000, populate: { order: 2M } }] }]
events:
  - { at: 1ms, mremap: { process: app, vma: heap, blocks: 1, to: 0x120000000000, newSize: 2M } }
  - { at: 2ms, mremap: { process: app, vma: heap, blocks: 2, to: 0x130000000000, newSize: 4M } }
run: { for: 5ms, khugepaged: false }
expect: { coverage: { process: app, of: resident, huge: 100%, sizes: { 2M: 100% } } }`);
  const [app] = result.processes;
  expect(unnamedRanges(world.m, world.processes.all[0])).toEqual([
    { start: 0x120000000, pages: 512 },
    { start: 0x130000000, pages: 1024 },
  ]);
  expect(result.expectations.map(({ ok }) => ok)).toEqual([true, true]);
  expect(app.rss).toBe(8 * 2 ** 20);
  expect(app.coverage).toMatchObject({ resident: app.rss, hugeOfResident: 1, folios: { '2M': 4 } });
  expect(app.anonHuge).toBe(app.coverage.bySize['2M']);
});
