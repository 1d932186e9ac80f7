/** `--costs FILE`: what work costs on another machine than the one that the defaults were measured on. */
import type { CostFile } from '@thplab/scenario';
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { readInput } from './read-input.js';

/** Adds `--costs`. */
export function costsOption(command: Command): Command {
  return command.option('--costs <file>', 'what work costs, from "thplab calibrate" (default: a built-in table)');
}

/** Reads a cost file. Errors: InputError with `path:line:column`. */
export async function readCosts(context: Context, path: string): Promise<CostFile> {
  const input = await readInput(context, path);
  if (input.kind === 'snapshot')
    throw new InputError(`${input.path} is a snapshot; "thplab calibrate" makes cost files`);
  const { parseCostFile, ScenarioError } = await import('@thplab/scenario');
  try {
    return parseCostFile(input.text, input.path);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new InputError(error.message, { hasPlace: true, cause: error });
  }
}

/** The costs of a run's options; nothing without `--costs`. */
export async function costsOf(context: Context, path: string | undefined): Promise<Partial<Pick<CostFile, 'costs'>>> {
  return path === undefined ? {} : { costs: (await readCosts(context, path)).costs };
}
