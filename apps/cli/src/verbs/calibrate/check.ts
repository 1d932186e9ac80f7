/** Predicted against measured, for memory that the calibration has not seen. */
import { type Effort, kernelRelease, median, USUAL_EFFORT } from '@thplab/live-kernel';
import { type CostFile, predictCollapse, profileOfRelease, UNSEEN } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import type { Progress } from '../../output/progress.js';
import { type Column, table } from '../../output/table.js';
import { openBench, withReason } from './measure.js';

/** How far a prediction may be off. */
export const TOLERANCE = 0.25;

/** Each measures the costs, unless a file has them, and then the workloads: a machine that slows down does so for both. */
const ROUNDS = 5;
/** Of one round. */
export const ROUND_EFFORT: Effort = { samples: 1, runs: USUAL_EFFORT.runs };

/** One workload; medians over the rounds. */
export interface CheckRow {
  readonly workload: string;
  readonly predictedNs: number;
  readonly measuredNs: number;
  /** Predicted over measured, of the same round. */
  readonly ratio: number;
}

/** What came of all rounds. */
export interface Checked {
  /** The costs of the last round. */
  readonly file: CostFile;
  readonly rows: readonly CheckRow[];
}

/** Times the unseen workloads, and asks the model. Errors: InputError if nothing can be measured here. */
export async function checkCosts(costsOfRound: () => Promise<CostFile>, progress: Progress): Promise<Checked> {
  const kernel = profileOfRelease(kernelRelease());
  const predicted = UNSEEN.map((): number[] => []);
  const measured = UNSEEN.map((): number[] => []);
  let file = await costsOfRound();
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) file = await costsOfRound();
    const bench = await openBench(ROUND_EFFORT);
    for (const [at, workload] of UNSEEN.entries()) {
      progress.show(`check: round ${round + 1} of ${ROUNDS}: ${workload.name}`);
      measured[at]?.push(await withReason(() => bench.collapse(workload)));
      predicted[at]?.push(predictCollapse(workload, file.costs, kernel));
    }
    bench.close();
  }
  return { file, rows: UNSEEN.map(({ name }, at) => rowOf(name, predicted[at] ?? [], measured[at] ?? [])) };
}

function rowOf(workload: string, predicted: readonly number[], measured: readonly number[]): CheckRow {
  return {
    workload,
    predictedNs: median(predicted),
    measuredNs: median(measured),
    ratio: median(predicted.map((ns, round) => ns / (measured[round] as number))),
  };
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
  const note = colors.faint(`medians of ${ROUNDS} rounds; "off by" is that of the two within each round`);
  return `${head}\n\n${table(columns, body, colors)}\n${note}\n`;
}

function microseconds(ns: number): string {
  return `${(ns / 1000).toFixed(1)} us`;
}
