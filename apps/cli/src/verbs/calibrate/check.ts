/** Predicted against measured, for memory that the calibration has not seen. */
import { kernelRelease } from '@thplab/live-kernel';
import { type CostFile, predictCollapse, profileOfRelease, UNSEEN } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import type { Progress } from '../../output/progress.js';
import { type Column, table } from '../../output/table.js';
import { openBench, withReason } from './measure.js';

/** How far a prediction may be off. */
export const TOLERANCE = 0.25;

/** One workload. */
export interface CheckRow {
  readonly workload: string;
  readonly predictedNs: number;
  readonly measuredNs: number;
  /** Predicted over measured. */
  readonly ratio: number;
}

/** Times the unseen workloads, and asks the model. Errors: InputError if nothing can be measured here. */
export async function checkCosts({ costs }: CostFile, progress: Progress): Promise<CheckRow[]> {
  const bench = await openBench();
  const kernel = profileOfRelease(kernelRelease());
  const rows: CheckRow[] = [];
  for (const workload of UNSEEN) {
    progress.show(`check: ${rows.length + 1} of ${UNSEEN.length}: ${workload.name}`);
    const measuredNs = await withReason(() => bench.collapse(workload));
    const predictedNs = predictCollapse(workload, costs, kernel);
    rows.push({ workload: workload.name, predictedNs, measuredNs, ratio: predictedNs / measuredNs });
  }
  bench.close();
  return rows;
}

/** The table for people. */
export function checkTable(file: CostFile, rows: readonly CheckRow[], colors: Palette): string {
  const { strong, good, bad } = colors;
  const body = rows.map(({ workload, predictedNs, measuredNs, ratio }) => [
    workload,
    microseconds(predictedNs),
    microseconds(measuredNs),
    (Math.abs(ratio - 1) <= TOLERANCE ? good : bad)(`${ratio >= 1 ? '+' : ''}${Math.round((ratio - 1) * 100)} %`),
  ]);
  const head = strong(`MADV_COLLAPSE, predicted with the costs of ${file.machine}, Linux ${file.kernel}`);
  const number = (title: string): Column => ({ title, align: 'right' });
  const columns = [{ title: 'memory' }, number('predicted'), number('measured'), number('off by')];
  return `${head}\n\n${table(columns, body, colors)}`;
}

function microseconds(ns: number): string {
  return `${(ns / 1000).toFixed(1)} us`;
}
