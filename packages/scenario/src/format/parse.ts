/** Reading a scenario text: limits, syntax, schema, meaning, in this order; each stage reports all it finds. */
import { problemsOf } from './issues.js';
import { DEFAULT_LIMITS, type ScenarioLimits } from './limits.js';
import { normalise } from './normalise.js';
import { formatKey, MAX_DESCRIBED, type Problem, ScenarioError } from './problems.js';
import type { Scenario } from './scenario.js';
import { scenarioSchema } from './schema.js';
import { readTree } from './yaml-tree.js';

export interface ParseOptions {
  /** File name for messages; default `<scenario>`. */
  readonly path?: string;
  /** Limits that differ from DEFAULT_LIMITS. */
  readonly limits?: Partial<ScenarioLimits>;
}

export type Validation =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly error: ScenarioError };

/**
 * Reads a YAML or JSON text as a scenario. No other file is read: `snapshot` becomes a path that starts at the folder of
 * `options.path`, for the runner to open.
 * Errors: ScenarioError with every problem found, for any text whatsoever.
 */
export function parseScenario(text: string, options: ParseOptions = {}): Scenario {
  const path = options.path ?? '<scenario>';
  const read = readTree(text, path, { ...DEFAULT_LIMITS, ...options.limits });
  if ('problems' in read) throw new ScenarioError(read.problems);
  const { tree } = read;
  const checked = scenarioSchema.safeParse(tree.value);
  if (!checked.success) {
    const { issues } = checked.error;
    const described = issues.slice(0, MAX_DESCRIBED);
    throw new ScenarioError(problemsOf(described, tree, path), issues.length - described.length);
  }
  const problems: Problem[] = [];
  let omitted = 0;
  const scenario = normalise(checked.data, path, (key, message, hint, which = 'value') => {
    if (problems.length >= MAX_DESCRIBED) omitted++;
    else {
      const text = typeof hint === 'string' ? hint : hint();
      problems.push({ path, ...tree.locate(key, which), key: formatKey(key), message, hint: text });
    }
  });
  if (problems.length > 0) throw new ScenarioError(problems, omitted);
  return scenario;
}

/** The same without throwing. */
export function validateScenario(text: string, options: ParseOptions = {}): Validation {
  try {
    return { ok: true, scenario: parseScenario(text, options) };
  } catch (error) {
    if (error instanceof ScenarioError) return { ok: false, error };
    throw error;
  }
}
