/**
 * What came of the events, for the result; whether a system call returned what the file says it should; and which of the
 * things that events expect nobody ever came to judge.
 */
import type { Judged } from '../expect/judged.js';
import { formatDuration, type ScenarioEvent } from '../format/index.js';
import type { EventResult } from '../report/result.js';
import { type Execution, outcomeName } from './events/step.js';

interface Entry {
  readonly event: ScenarioEvent;
  executions: number;
  readonly errnos: Map<string, number>;
  /** What it expects was judged at least once. */
  judged: boolean;
}

/** See the head of the file. */
export class EventBook {
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(events: readonly ScenarioEvent[]) {
    this.#entries = new Map(
      events.map((event) => [event.key, { event, executions: 0, errnos: new Map(), judged: false }]),
    );
  }

  /** A step ended with 0 or a negative errno. Gives the judgement if the event expects an errno. */
  stepEnded(execution: Execution, result: number): Judged | null {
    const name = outcomeName(result);
    const entry = this.#entry(execution);
    entry.errnos.set(name, (entry.errnos.get(name) ?? 0) + 1);
    const { event } = execution;
    const expected = event.expect?.errno ?? null;
    if (expected === null) return null;
    entry.judged = true;
    const key = `${event.key}.expect.errno`;
    return { key, what: `${event.action.kind}: errno`, expected, actual: name, ok: name === expected };
  }

  /** All steps of an execution ended. */
  executionEnded(execution: Execution): void {
    const entry = this.#entry(execution);
    entry.executions++;
    if ((execution.event.expect?.counters.length ?? 0) > 0) entry.judged = true;
  }

  /** A check was judged. */
  checked(execution: Execution): void {
    this.#entry(execution).judged = true;
  }

  /** All events but checks; those that never came have 0 executions. */
  results(): EventResult[] {
    return [...this.#entries.values()]
      .filter(({ event }) => event.action.kind !== 'check')
      .map(({ event, executions, errnos }) => ({
        key: event.key,
        kind: event.action.kind,
        executions,
        errnos: Object.fromEntries([...errnos].sort()),
      }));
  }

  /** A failed judgement for each event that expects something and never came to it: a test must not pass unasked. */
  unjudged(): Judged[] {
    return [...this.#entries.values()]
      .filter(({ event, judged }) => !judged && (event.action.kind === 'check' || event.expect !== null))
      .map(({ event, executions }) => ({
        key: event.action.kind === 'check' ? event.key : `${event.key}.expect`,
        what: `${event.action.kind} at ${formatDuration(event.at)}`,
        expected: 'to be judged',
        actual: executions > 0 ? 'no such process then' : 'the run ended before',
        ok: false,
      }));
  }

  #entry({ event }: Execution): Entry {
    const entry = this.#entries.get(event.key);
    if (entry === undefined) throw new Error(`${event.key} is no event of this scenario`);
    return entry;
  }
}
