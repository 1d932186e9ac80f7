/** What came of the events, for the result; and whether a system call returned what the file says it should. */
import type { Judged } from '../expect/judged.js';
import type { EventResult } from '../report/result.js';
import { type Execution, outcomeName } from './events/step.js';

interface Entry {
  readonly key: string;
  readonly kind: string;
  executions: number;
  readonly errnos: Map<string, number>;
}

/** See the head of the file. */
export class EventBook {
  readonly #entries = new Map<string, Entry>();

  /** A step ended with 0 or a negative errno. Gives the judgement if the event expects an errno. */
  stepEnded(execution: Execution, result: number): Judged | null {
    const name = outcomeName(result);
    const { errnos } = this.#entry(execution);
    errnos.set(name, (errnos.get(name) ?? 0) + 1);
    const { event } = execution;
    const expected = event.expect?.errno ?? null;
    if (expected === null) return null;
    const key = `${event.key}.expect.errno`;
    return { key, what: `${event.action.kind}: errno`, expected, actual: name, ok: name === expected };
  }

  /** All steps of an execution ended. */
  executionEnded(execution: Execution): void {
    this.#entry(execution).executions++;
  }

  /** All events that came to something. */
  results(): EventResult[] {
    return [...this.#entries.values()].map(({ key, kind, executions, errnos }) => ({
      key,
      kind,
      executions,
      errnos: Object.fromEntries([...errnos].sort()),
    }));
  }

  #entry({ event }: Execution): Entry {
    let entry = this.#entries.get(event.key);
    if (entry === undefined) {
      entry = { key: event.key, kind: event.action.kind, executions: 0, errnos: new Map() };
      this.#entries.set(event.key, entry);
    }
    return entry;
  }
}
