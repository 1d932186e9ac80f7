/** A run that is explained: its ranges, and each of them in detail. */
import { type ExplainRow, type ExplainTable, explainRanges, explainTable, type ResultHeader } from '@thplab/scenario';
import type { Context } from '../../context.js';
import type { Runnable } from '../../input/runnable.js';
import type { Progress } from '../../output/progress.js';
import { simulate } from '../../simulate.js';

export interface ExplainedRun {
  readonly head: Pick<ResultHeader, 'name' | 'kernel' | 'seed' | 'pageSize' | 'blockSize'> & {
    readonly endNs: number;
    readonly partial: boolean;
  };
  readonly rows: readonly ExplainRow[];
  /** One of the rows in detail. Its looks are known only if the run was told to keep them. */
  table(row: ExplainRow): ExplainTable;
}

/** Runs it; every decision about the tables of the rows in `zoom` is kept. */
export async function explainedRun(
  context: Context,
  { scenario, options }: Runnable,
  progress: Progress,
  zoom: readonly ExplainRow[],
): Promise<ExplainedRun> {
  const zoomed = zoom.map(({ process, start }) => ({ process, page: start / scenario.machine.pageSize }));
  const kept = { ...options, zoom: zoomed, checkInvariants: false };
  const { result, world } = await simulate(context, scenario, kept, progress);
  const { name, kernel, seed, pageSize, blockSize } = result.header;
  const { atNs, partial } = result.end;
  return {
    head: { name, kernel, seed, pageSize, blockSize, endNs: atNs, partial },
    rows: [...explainRanges(world)],
    table: (row) => explainTable(world, row),
  };
}
