/** How often sequences run, and what a failure prints. */
import type fc from 'fast-check';
import type { Sequence } from './sequences.js';

/** What to repeat: the part before `=` names the test. */
const REPEAT = 'THPLAB_STRESS_REPEAT';

/** Parameters of one test, as fast-check takes them. */
export interface StressParameters {
  readonly numRuns: number;
  readonly seed?: number;
  readonly path?: string;
  readonly endOnFailure?: boolean;
  /** For `fc.commands`. */
  readonly replayPath: string | null;
}

/**
 * `runs` times THPLAB_STRESS (default 1) runs, or the one run that THPLAB_STRESS_REPEAT names, if it belongs to this test.
 * Which runs they are is up to THPLAB_SEED, as for all property tests.
 */
export function stressParameters(test: string, runs: number): StressParameters {
  const [name, seed, path, replayPath] = (process.env[REPEAT] ?? '').split('|');
  if (name !== '' && name !== test) return { numRuns: 0, replayPath: null };
  if (name === test) {
    const replay = replayPath === undefined || replayPath === '' ? null : replayPath;
    return { numRuns: runs, seed: Number(seed), path: path ?? '', endOnFailure: true, replayPath: replay };
  }
  const factor = Number(process.env.THPLAB_STRESS ?? 1);
  return { numRuns: Math.ceil(runs * factor), replayPath: null };
}

/** Throws with the steps, one a line, and the line that repeats them. */
export function stressReport(test: string): (details: fc.RunDetails<[Sequence]>) => void {
  return (details) => {
    if (!details.failed) return;
    const { counterexample, seed, counterexamplePath, numRuns, numShrinks, errorInstance } = details;
    const [setup, commands] = (counterexample as [Sequence])[0];
    const text = String(commands);
    const replayPath = /replayPath="([^"]*)"/.exec(text)?.[1] ?? '';
    const steps = [...commands].map(String);
    const repeat = [test, seed, counterexamplePath, replayPath].join('|');
    const failure = new Error(
      [
        `sequence ${numRuns} failed (made shorter ${numShrinks} times):`,
        `machine: ${JSON.stringify(setup)}`,
        ...steps.map((step, i) => `${String(i + 1).padStart(3)}  ${step}`),
        errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
        `repeat: ${REPEAT}='${repeat}' npx vitest run packages/khugepaged-scheduler/src/random-operations.test.ts`,
      ].join('\n'),
    );
    // Where it was thrown says nothing.
    failure.stack = '';
    throw failure;
  };
}
