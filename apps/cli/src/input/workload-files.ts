/** Files that the workloads of a scenario name: masim configurations and records of damo. */
import type { DamonRecord, RunOptions, Scenario, SourcePlace } from '@thplab/scenario';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { readRecordFile } from './damo-record.js';
import { readInput } from './read-input.js';

/** Reads them. Errors: InputError at the place that names the file. */
export async function workloadFiles(
  context: Context,
  scenario: Scenario,
  locate: (key: string) => SourcePlace,
): Promise<NonNullable<RunOptions['files']>> {
  const masim = new Map<string, string>();
  const records = new Map<string, readonly DamonRecord[]>();
  for (const { key, source } of scenario.workload.flatMap(({ parts }) => parts)) {
    if (source.kind !== 'masim' && source.kind !== 'record') continue;
    const { kind, file } = source;
    if (masim.has(file) || records.has(file)) continue;
    try {
      if (kind === 'masim') masim.set(file, await readText(context, file));
      else records.set(file, await readRecordFile(context, file));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const { path, line, column } = locate(`${key}.${kind}`);
      throw new InputError(`${path}:${line}:${column}: ${error.message}`, { hasPlace: true, cause: error });
    }
  }
  return { masim, records };
}

/** Errors: InputError, also for more bytes than any configuration has. */
async function readText(context: Context, path: string): Promise<string> {
  const input = await readInput(context, path);
  if (input.kind === 'scenario') return input.text;
  throw new InputError(`${path} is a snapshot; expected a masim configuration`);
}
