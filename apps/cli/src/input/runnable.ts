/** What can be run: a scenario with the files that it names, or a snapshot as the one process of a machine like its own. */
import type { Snapshot } from '@thplab/capture';
import type { Locate, RunOptions, Scenario, SourcePlace } from '@thplab/scenario';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { costsOf } from './costs.js';
import { kernelNamed } from './overrides.js';
import { type Input, readInput } from './read-input.js';
import { scenarioOf, snapshotOf } from './scenario-input.js';
import { workloadFiles } from './workload-files.js';

/** A scenario and what it needs to run besides. */
export interface Runnable {
  readonly scenario: Scenario;
  readonly options: Pick<RunOptions, 'snapshots' | 'files' | 'locate' | 'costs'>;
}

/**
 * Makes an input runnable. `kernel` is for snapshots: a scenario has its own; `costs` is the path of a cost file.
 * Errors: InputError.
 */
export async function runnable(
  context: Context,
  input: Input,
  choices: { readonly kernel?: string; readonly seed?: number; readonly costs?: string } = {},
): Promise<Runnable> {
  const costs = await costsOf(context, choices.costs);
  const { scenario, options } = await withoutCosts(context, input, choices);
  return { scenario, options: { ...options, ...costs } };
}

async function withoutCosts(
  context: Context,
  input: Input,
  choices: { readonly kernel?: string; readonly seed?: number },
): Promise<Runnable> {
  if (input.kind === 'scenario') return ofScenario(context, input);
  const { CAPTURED, snapshotScenario } = await import('@thplab/scenario');
  const snapshot = await snapshotOf(input);
  const kernel = choices.kernel === undefined ? undefined : kernelNamed(choices.kernel);
  const scenario = snapshotScenario(snapshot, kernel, choices.seed);
  return { scenario, options: { snapshots: new Map([[CAPTURED, snapshot]]) } };
}

async function ofScenario(context: Context, input: Input & { readonly kind: 'scenario' }): Promise<Runnable> {
  const written = await scenarioOf(input);
  const { scenarioLocator } = await import('@thplab/scenario');
  // Places are looked up in case of an error only: the text is read once more for them.
  const locate: Locate = (key) => scenarioLocator(input.text, input.path)(key);
  const scenario = await withDocuments(context, written, () => locate('damon.damo'));
  const snapshots = new Map<string, Snapshot>();
  for (const { key, snapshot } of scenario.processes) {
    if (snapshot === null || snapshots.has(snapshot)) continue;
    snapshots.set(snapshot, await namedSnapshot(context, snapshot, () => locate(`${key}.snapshot`)));
  }
  return { scenario, options: { snapshots, files: await workloadFiles(context, scenario, locate), locate } };
}

/** The scenario with the damo document that it names. Errors: InputError at the place that names it, or in the document. */
async function withDocuments(context: Context, scenario: Scenario, placeOf: () => SourcePlace): Promise<Scenario> {
  const { file } = scenario.damon;
  if (file === null) return scenario;
  const { ScenarioError, withDamoDocument } = await import('@thplab/scenario');
  const text = await atPlace(placeOf, async () => {
    const found = await readInput(context, file);
    if (found.kind === 'scenario') return found.text;
    throw new InputError(`${file} is a snapshot; expected a damo kdamonds document in JSON or YAML`);
  });
  try {
    return withDamoDocument(scenario, text, file);
  } catch (error) {
    if (error instanceof ScenarioError) throw new InputError(error.message, { hasPlace: true, cause: error });
    throw error;
  }
}

/** A snapshot that a scenario names. Errors: InputError at the place that names it. */
async function namedSnapshot(context: Context, path: string, placeOf: () => SourcePlace): Promise<Snapshot> {
  return atPlace(placeOf, async () => {
    const input = await readInput(context, path);
    if (input.kind === 'snapshot') return await snapshotOf(input);
    throw new InputError(`${path} is no snapshot; "thplab capture" makes them`);
  });
}

/** Errors of reading a file are told at the place that names it. */
async function atPlace<T>(placeOf: () => SourcePlace, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { path: file, line, column } = placeOf();
    throw new InputError(`${file}:${line}:${column}: ${error.message}`, { hasPlace: true, cause: error });
  }
}
