/** Scenario texts for tests of the format. */
import { parseScenario, validateScenario } from '../format/parse.js';
import type { Scenario } from '../format/scenario.js';

const HEAD = 'format: thplab/scenario@1\nname: test\n';

/** Reads the text behind the two lines that every scenario has. */
export function scenarioOf(text: string): Scenario {
  return parseScenario(HEAD + text, { path: 'test.yaml' });
}

/** Problems of the text, one per line, without the path; line numbers count from the text. */
export function problemsIn(text: string): string[] {
  const result = validateScenario(HEAD + text, { path: 'test.yaml' });
  if (result.ok) return [];
  return result.error.problems.map((one) => `${one.line - 2}:${one.column}: ${one.message}; ${one.hint}`);
}
