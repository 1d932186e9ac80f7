/** What can be run: a scenario with the snapshots that it names, or a snapshot as the one process of a machine like its own. */
import type { Snapshot } from '@thplab/capture';
import type { Locate, RunOptions, Scenario, SourcePlace } from '@thplab/scenario';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { kernelNamed } from './overrides.js';
import { type Input, readInput } from './read-input.js';
import { scenarioOf, snapshotOf } from './scenario-input.js';

/** A scenario and what it needs to run besides. */
export interface Runnable {
  readonly scenario: Scenario;
  readonly options: Pick<RunOptions, 'snapshots' | 'locate'>;
}

/** Makes an input runnable. `kernel` is for snapshots: a scenario has its own. Errors: InputError. */
export async function runnable(
  context: Context,
  input: Input,
  choices: { readonly kernel?: string; readonly seed?: number } = {},
): Promise<Runnable> {
  if (input.kind === 'scenario') return ofScenario(context, input);
  const { CAPTURED, snapshotScenario } = await import('@thplab/scenario');
  const snapshot = await snapshotOf(input);
  const kernel = choices.kernel === undefined ? undefined : kernelNamed(choices.kernel);
  const scenario = snapshotScenario(snapshot, kernel, choices.seed);
  return { scenario, options: { snapshots: new Map([[CAPTURED, snapshot]]) } };
}

async function ofScenario(context: Context, input: Input & { readonly kind: 'scenario' }): Promise<Runnable> {
  const scenario = await scenarioOf(input);
  const { scenarioLocator } = await import('@thplab/scenario');
  // Places are looked up in case of an error only: the text is read once more for them.
  const locate: Locate = (key) => scenarioLocator(input.text, input.path)(key);
  const snapshots = new Map<string, Snapshot>();
  for (const { key, snapshot } of scenario.processes) {
    if (snapshot === null || snapshots.has(snapshot)) continue;
    snapshots.set(snapshot, await namedSnapshot(context, snapshot, () => locate(`${key}.snapshot`)));
  }
  return { scenario, options: { snapshots, locate } };
}

/** A snapshot that a scenario names. Errors: InputError at the place that names it. */
async function namedSnapshot(context: Context, path: string, placeOf: () => SourcePlace): Promise<Snapshot> {
  try {
    const input = await readInput(context, path);
    if (input.kind === 'snapshot') return await snapshotOf(input);
    throw new InputError(`${path} is no snapshot; "thplab capture" makes them`);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { path: file, line, column } = placeOf();
    throw new InputError(`${file}:${line}:${column}: ${error.message}`, { hasPlace: true, cause: error });
  }
}
