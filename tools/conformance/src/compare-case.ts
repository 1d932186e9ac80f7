/** One case on both sides, and the verdict. */
import { type Case, stepText } from './case.js';
import { type Deviation, explain } from './deviations.js';
import type { ModelOptions } from './model/model-machine.js';
import { runModel } from './model/run-model.js';
import { type Difference, differences, type Outcome } from './outcome.js';
import type { RealChild } from './real/real-child.js';

/** What came of a case. */
export interface CaseReport {
  readonly given: Case;
  readonly verdict: 'agrees' | 'deviates' | 'differs' | 'failed';
  readonly kernel?: Outcome;
  readonly model?: Outcome;
  readonly differences: readonly Difference[];
  /** Known deviations that explain the differences. */
  readonly deviations: readonly Deviation[];
  /** Times that the kernel had to be asked again before it agreed. */
  readonly repeats: number;
  /** Why there is no outcome. */
  readonly why?: string;
}

/**
 * Times that the kernel is asked. Its counters count the whole machine, a page may be in use by somebody for a moment (EAGAIN),
 * khugepaged may come by: a difference is one only if it is there every time.
 */
const ATTEMPTS = 4;

/** Runs a case on both sides. */
export async function compareCase(given: Case, child: RealChild, options: ModelOptions): Promise<CaseReport> {
  const base = { given, differences: [], deviations: [], repeats: 0 };
  let model: Outcome | undefined;
  let last: CaseReport | undefined;
  for (let repeats = 0; repeats < ATTEMPTS; repeats++) {
    try {
      const asked = child.run(given);
      // The model works while the kernel does; a failure of the kernel's side is looked at below.
      asked.catch(() => {});
      model ??= runModel(given, options);
      const { outcome: kernel, disturbed } = await asked;
      const found = differences(kernel, model, (i) => stepText(given.steps[i]));
      const report = { ...base, kernel, model, differences: found, repeats };
      if (found.length === 0) return { ...report, verdict: 'agrees' };
      const deviations = explain(given, found);
      if (deviations !== undefined && !disturbed) return { ...report, deviations, verdict: 'deviates' };
      last = { ...report, verdict: 'differs' };
    } catch (error) {
      last = { ...base, verdict: 'failed', repeats, why: error instanceof Error ? error.message : String(error) };
      if (model === undefined) break;
    }
  }
  return last as CaseReport;
}
