/** Which executions of events are due when: repeats are counted up as they come, so that endless ones cost nothing. */
import type { ScenarioEvent } from '../format/index.js';
import type { Execution } from './events/step.js';

interface Row {
  readonly event: ScenarioEvent;
  /** Executions so far. */
  done: number;
  /** Time of the next one; Infinity: no more. */
  nextNs: number;
}

/** Executions of all events together that a run may have. */
export const MOST_EXECUTIONS = 10_000_000;

/** About how often an event is executed, rounds of an access pattern counted, in a run until `endNs`. */
export function executionsOf(event: ScenarioEvent, endNs: number): number {
  const { at, repeat, action } = event;
  const untilEnd = repeat === null ? 1 : Math.ceil(Math.max(0, endNs - at) / repeat.every);
  const times = repeat === null ? 1 : Math.min(repeat.times ?? untilEnd, untilEnd);
  if (action.kind !== 'access') return times;
  const rounds = Math.ceil(Math.min(action.duration ?? endNs, Math.max(0, endNs - at)) / action.every);
  return times * rounds;
}

/** Executions in the order of their time; those of one time in the order of the scenario. */
export class Timetable {
  readonly #rows: Row[];
  readonly #endNs: number;

  constructor(events: readonly ScenarioEvent[], endNs: number) {
    this.#rows = events.map((event) => ({ event, done: 0, nextNs: event.at }));
    this.#endNs = endNs;
  }

  /** Time of the next execution; Infinity if there is none. */
  get nextNs(): number {
    return this.#rows.reduce((least, row) => Math.min(least, row.nextNs), Number.POSITIVE_INFINITY);
  }

  /** Nothing is left that has an end. */
  get isDone(): boolean {
    return this.nextNs === Number.POSITIVE_INFINITY;
  }

  /** Takes the executions of the next time out. */
  take(): Execution[] {
    const atNs = this.nextNs;
    const due = this.#rows.filter((row) => row.nextNs === atNs);
    return due.map((row) => {
      const { event } = row;
      const number = row.done++;
      const more = event.repeat !== null && (event.repeat.times === null || row.done < event.repeat.times);
      row.nextNs = more && event.repeat !== null ? event.at + row.done * event.repeat.every : Number.POSITIVE_INFINITY;
      return { event, number, atNs, endNs: this.#endNs };
    });
  }
}
