/** Ranges of a scenario as addresses, by what the processes are now. */
import type { AddressRange } from '@thplab/damos-actions';
import type { DamonRange } from '../format/index.js';
import type { Process } from '../run/process-table.js';
import type { World } from '../run/world.js';

/** Ascending; `process`: whose, where a name means several. A VMA that it does not have is passed over. */
export function rangesToAddresses(
  world: World,
  ranges: readonly DamonRange[],
  process: Process | null,
): AddressRange[] {
  return ranges.flatMap((range) => addressRange(world, range, process)).sort((a, b) => a.start - b.start);
}

/** None or one. */
export function addressRange(world: World, range: DamonRange, process: Process | null): AddressRange[] {
  const { vma, start, length } = range;
  if (vma === null) return [{ start, end: start + length }];
  const owner = process ?? (range.process === null ? undefined : world.processes.named(range.process)[0]);
  const base = owner?.vmas.get(vma);
  if (base === undefined) return [];
  const first = base.start * world.scenario.machine.pageSize + start;
  return [{ start: first, end: first + length }];
}
