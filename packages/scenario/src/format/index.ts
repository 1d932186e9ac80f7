export { scenarioJsonSchema, scenarioJsonSchemaText } from './json-schema.js';
export { DEFAULT_LIMITS, type ScenarioLimits } from './limits.js';
export { type SourcePlace, scenarioLocator } from './locate.js';
export { NOT_SCANNED, OUTCOME_NAMES } from './outcomes.js';
export { type ParseOptions, parseScenario, type Validation, validateScenario } from './parse.js';
export { formatProblem, MAX_PROBLEMS, type Problem, ScenarioError } from './problems.js';
export type * from './scenario.js';
export { FORMAT } from './schema.js';
export * from './units.js';
