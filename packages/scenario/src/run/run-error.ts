/** Errors of a run that the scenario file is to blame for: they carry the place in the file. */
import { type Problem, ScenarioError, type SourceKey, type SourcePlace } from '../format/index.js';

/** Finds the place of a key path in the file that the scenario came from. */
export type Locate = (key: SourceKey) => SourcePlace;

/** Where nobody knows the file. */
export const nowhere: Locate = () => ({ path: '<scenario>', line: 1, column: 1 });

/** The error for one problem. */
export function scenarioError(locate: Locate, key: SourceKey, message: string, hint: string): ScenarioError {
  const problem: Problem = { ...locate(key), key, message, hint };
  return new ScenarioError([problem]);
}
