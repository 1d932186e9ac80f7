/** What an event comes down to: steps, one per process that it concerns, each run as a task. */
import { errnoName } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { EventAction, ScenarioEvent } from '../../format/index.js';
import type { Process } from '../process-table.js';
import type { World } from '../world.js';

/** The work of one task. Its value is 0 or a negative errno. */
export interface Step {
  /** Whose action it is; null: the administrator's. */
  readonly process: Process | null;
  readonly procedure: () => Procedure<number>;
}

/** One execution of an event. */
export interface Execution {
  readonly event: ScenarioEvent;
  /** From 0. */
  readonly number: number;
  readonly atNs: number;
  /** Ends at this time if it would go on for ever. */
  readonly endNs: number;
}

/** Plans an action: looks its names up now, when its turn has come. */
export type Plan<K extends EventAction['kind']> = (
  world: World,
  action: Extract<EventAction, { kind: K }>,
  execution: Execution,
) => Step[];

/** `ok` for 0 or more, else the name of the errno. */
export function outcomeName(result: number): string {
  return result >= 0 ? 'ok' : errnoName(result);
}

/** Key under which an execution makes its random choices. */
export function choiceKey(execution: Execution, process: Process): string {
  return `${execution.event.key}#${execution.number}@${process.name}`;
}
