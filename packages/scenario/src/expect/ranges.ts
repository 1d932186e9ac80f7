/** Which ranges an expectation is about. */
import type { NamedRange, Process } from '../run/process-table.js';
import { unnamedRanges } from '../run/unnamed-ranges.js';
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

/** The same, and where no VMA is named also memory that has no name: what is asked about whole processes. */
export function memoryOf(
  world: World,
  process: string | null,
  vma: string | null,
): { readonly process: Process; readonly range: NamedRange }[] {
  const named = rangesOf(world, process, vma);
  if (vma !== null) return named;
  const rest = world.processes
    .named(process)
    .flatMap((one) => unnamedRanges(world.m, one).map((range) => ({ process: one, range })));
  return [...named, ...rest];
}

/** `app heap`, `app`, `all processes`. */
export function subjectText(process: string | null, vma: string | null): string {
  return `${process ?? 'all processes'}${vma === null ? '' : ` ${vma}`}`;
}
