/** What the checks of kdamonds and of their schemes share: ranges of addresses, and DAMON's own refusals. */
import { DamonError } from '@thplab/damos-actions';
import type { Context } from './context.js';
import type { DraftDamonRange } from './draft-damon.js';
import { normaliseRange } from './normalise-target.js';
import type { KeyPath } from './problems.js';
import type { DamonRange } from './scenario-damon.js';

/** Runs a check of DAMON's own; what it refuses is a problem of the file. */
export function refused(context: Context, path: KeyPath, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof DamonError)) throw error;
    context.report(path, `DAMON refuses this: ${error.message}`, 'see docs/damon.md', 'key');
  }
}

/** A range of a process's addresses, or of physical ones. */
export function damonRange(
  context: Context,
  draft: DraftDamonRange,
  process: string | null,
  path: KeyPath,
): DamonRange {
  if (process !== null) {
    const { process: name, vma, start, length } = normaliseRange(context, { ...draft, process }, path);
    return { process: name, vma, start, length };
  }
  if (draft.address === undefined || draft.size === undefined || draft.vma !== undefined) {
    context.report(path, 'physical memory has no VMAs', 'expected address and size', 'key');
  }
  return { process: null, vma: null, start: draft.address ?? 0, length: draft.size ?? 0 };
}
