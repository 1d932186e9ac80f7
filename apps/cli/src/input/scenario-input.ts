/** Scenarios and snapshots from files, with the errors of their readers as input errors. */
import type { Snapshot } from '@thplab/capture';
import type { Scenario } from '@thplab/scenario';
import { InputError } from '../errors.js';
import type { Input } from './read-input.js';

/** The scenario in a text. Errors: InputError, one line per problem as `path:line:column: ...`. */
export async function scenarioOf(input: Input & { readonly kind: 'scenario' }): Promise<Scenario> {
  const { validateScenario } = await import('@thplab/scenario');
  const result = validateScenario(input.text, { path: input.path });
  if (result.ok) return result.scenario;
  throw new InputError(result.error.message, { hasPlace: true, cause: result.error });
}

/** The snapshot in a file's bytes. Errors: InputError. */
export async function snapshotOf(input: Input & { readonly kind: 'snapshot' }): Promise<Snapshot> {
  const { readSnapshot, SnapshotError } = await import('@thplab/capture');
  try {
    return readSnapshot(input.bytes);
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    const hint = error.code === 'unsupported-version' ? 'read it with the thplab that wrote it' : 'capture it again';
    throw new InputError(`${input.path}:1:1: ${error.message} (${error.code}); ${hint}`, {
      hasPlace: true,
      cause: error,
    });
  }
}

/** The input as a scenario; a snapshot is refused with the verbs that take one. */
export function mustBeScenario(input: Input, verb: string): Input & { readonly kind: 'scenario' } {
  if (input.kind === 'scenario') return input;
  throw new InputError(
    `${input.path} is a snapshot; "thplab ${verb}" takes a scenario. For a snapshot: thplab what-if ${input.path}`,
  );
}
