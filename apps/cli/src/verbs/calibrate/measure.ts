/** Measuring: the real kernel's times, and the costs that they come to. */
import {
  CollapseBench,
  type Effort,
  kernelRelease,
  loadLibc,
  MeasureError,
  processorName,
  USUAL_EFFORT,
} from '@thplab/live-kernel';
import { CALIBRATION, type CostFile, fitCosts, type MeasuredTimes } from '@thplab/scenario';
import type { Context } from '../../context.js';
import { InputError } from '../../errors.js';
import type { Progress } from '../../output/progress.js';

/** A bench on this machine. Errors: InputError that says what is missing. */
export async function openBench(effort: Effort): Promise<CollapseBench> {
  const { libc, missing } = await loadLibc();
  if (libc === undefined) throw new InputError(`this machine cannot be measured: ${missing}`);
  return withReason(() => new CollapseBench(libc, effort));
}

/** Measures everything. Errors: InputError with what the kernel refused. */
export async function measureCosts(
  { version }: Context,
  progress: Progress,
  effort: Effort = USUAL_EFFORT,
): Promise<CostFile> {
  const bench = await openBench(effort);
  const parts: readonly (readonly [keyof MeasuredTimes | 'pagemapEntry', string, () => number])[] = [
    ['emptyCall', 'calls', () => bench.emptyCall()],
    ['refusedScan', 'scans', () => bench.refusedScan()],
    ['sparse', 'collapses', () => bench.collapse(CALIBRATION.sparse)],
    ['quarter', 'collapses', () => bench.collapse(CALIBRATION.quarter)],
    ['dense', 'collapses', () => bench.collapse(CALIBRATION.dense)],
    ['hugeInParts', 'collapses', () => bench.collapse(CALIBRATION.hugeInParts)],
    ['fault', 'faults', () => bench.fault()],
    ['hugeFault', 'faults', () => bench.hugeFault()],
    ['pagemapEntry', 'reading pagemap', () => bench.pagemapEntry()],
  ];
  const measured: Record<string, number> = {};
  for (const [i, [name, what, measure]] of parts.entries()) {
    progress.show(`calibrate: ${i + 1} of ${parts.length}: ${what}`);
    measured[name] = await withReason(measure);
  }
  bench.close();
  return {
    machine: processorName(),
    kernel: kernelRelease(),
    note: `measured by thplab ${version}; each time the median of ${effort.samples} samples, each the best of ${effort.runs} runs`,
    costs: fitCosts(measured as unknown as MeasuredTimes),
    measured,
  };
}

/** What the kernel refuses is no defect of ours. */
export async function withReason<T>(work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof MeasureError)) throw error;
    throw new InputError(`this machine cannot be measured: ${error.message}`, { cause: error });
  }
}
