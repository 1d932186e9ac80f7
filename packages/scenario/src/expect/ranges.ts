/** Which ranges an expectation is about. */
import type { NamedRange, Process } from '../run/process-table.js';
import type { World } from '../run/world.js';

/** Named ranges of the live processes that a name means; null: of all, and all their VMAs. */
export function rangesOf(
  world: World,
  process: string | null,
  vma: string | null,
): { readonly process: Process; readonly range: NamedRange }[] {
  return world.processes.named(process).flatMap((one) => {
    const ranges = vma === null ? [...one.vmas.values()] : [one.vmas.get(vma)].filter((range) => range !== undefined);
    return ranges.map((range) => ({ process: one, range }));
  });
}

/** `app heap`, `app`, `all processes`. */
export function subjectText(process: string | null, vma: string | null): string {
  return `${process ?? 'all processes'}${vma === null ? '' : ` ${vma}`}`;
}
