/**
 * What the collapse code did to PMD ranges, as numbers: every operation that it yielded, in order, and between them what it
 * told the tracer and the decision recorder. A worker writes it while it works (RangeRecorder), khugepaged's own thread
 * yields the same operations again when its turn comes (`replayRange`), so that time, locks, trace and log are what they
 * would be had it done the work itself.
 *
 * One range: its first page; then operations (2^48 and above) and marks (below it, each with a fixed number of words);
 * then END with the outcome. What a tryAcquire was given follows it.
 */
import { asBrand } from '@thplab/arena';
import type { MmId, VmaId, Vpn } from '@thplab/mm-model';
import type { CollapseControl, DecisionRecorder, RangeOutcome, ScanResult } from '@thplab/mthp-collapse';
import { OP, type Op, opcodeOf, type Procedure, SyncError } from '@thplab/sync';
import { TRACE_EVENTS, type TraceEmitter, type TraceEvents } from '@thplab/trace';

/** Operations are numbers from here. */
const LEAST_OP = 2 ** 48;
const MARK = { trace: 1, attempted: 2, rangeDone: 3, end: 4, scanned: 5, skipped: 6, entriesSet: 7 } as const;
/** Arguments of a trace event. */
const TRACE_ARGS = 8;

/** What was worked out ahead does not fit what khugepaged comes to: a defect, never a different result. */
export class LookAheadError extends SyncError {
  override readonly name = 'LookAheadError';
}

/** Writes records. Its `tracer` and `decisions` are given to the collapse code, its `record` runs it. */
export class RangeRecorder {
  readonly tracer: TraceEmitter<TraceEvents>;
  readonly decisions: DecisionRecorder;
  #words: number[] = [];

  /** `traced`: record trace events too. */
  constructor(traced: boolean) {
    const push = (...words: number[]): void => void this.#words.push(...words);
    this.tracer = tracerInto(push, traced);
    this.decisions = {
      scanned: (mm, page, result, { scanned, none, unmapped, shared, referenced, scanPfn }) =>
        push(MARK.scanned, mm, page, result, scanned, none, unmapped, shared, referenced, scanPfn),
      skipped: (mm, page, order, occupied, required) => push(MARK.skipped, mm, page, order, occupied, required),
      attempted: (mm, page, order, result, empty) => push(MARK.attempted, mm, page, order, result, empty),
      entriesSet: (mm, page, order) => push(MARK.entriesSet, mm, page, order),
      rangeDone: (mm, vma, page, result) => push(MARK.rangeDone, mm, vma, page, result),
    };
  }

  /** Runs the work on a range, and writes down what it does. */
  *record(cc: CollapseControl, page: Vpn, work: Procedure<RangeOutcome>): Procedure<RangeOutcome> {
    const before = cc.progress;
    this.#words.push(page);
    let given = 0;
    for (;;) {
      const made = work.next(given);
      if (made.done === true) {
        const { result, lockDropped } = made.value;
        this.#words.push(MARK.end, result, lockDropped ? 1 : 0, cc.progress - before);
        return made.value;
      }
      const op = made.value;
      const code = opcodeOf(op);
      if (code === OP.now || code === OP.wait || code === OP.wake) {
        throw new LookAheadError(`the work on page ${page} asks for the time or for others: it cannot be done ahead`);
      }
      this.#words.push(op);
      given = yield op;
      if (code === OP.tryAcquire) this.#words.push(given);
    }
  }

  /** What was written since the last call. */
  take(): Float64Array {
    const words = Float64Array.from(this.#words);
    this.#words = [];
    return words;
  }
}

function tracerInto(push: (...words: number[]) => void, enabled: boolean): TraceEmitter<TraceEvents> {
  const event: TraceEmitter<TraceEvents>['event'] = (id, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0) => {
    if (enabled) push(MARK.trace, id, a, b, c, d, e, f, g, h);
  };
  return {
    ids: TRACE_EVENTS.ids,
    enabled,
    event,
    emit(name, args) {
      const values = args as Readonly<Record<string, number>>;
      const [a, b, c, d, e, f, g, h] = Object.keys(TRACE_EVENTS.decls[name].fields).map((field) => values[field]);
      event(TRACE_EVENTS.ids[name], a, b, c, d, e, f, g, h);
    },
    wants: () => enabled,
  };
}

/** Whom a replay tells. */
export interface ReplayListeners {
  readonly tracer: TraceEmitter<TraceEvents>;
  readonly recorder: DecisionRecorder | undefined;
}

/** Where a record is read. */
export interface RecordPlace {
  readonly words: Float64Array;
  at: number;
}

/** Yields what the record at a place says and tells what it tells; the place is then behind it. */
export function* replayRange(
  place: RecordPlace,
  cc: CollapseControl,
  page: Vpn,
  { tracer, recorder }: ReplayListeners,
): Procedure<RangeOutcome> {
  const { words } = place;
  if (words[place.at] !== page) {
    throw new LookAheadError(`page ${page} comes next, but page ${words[place.at]} was worked on ahead`);
  }
  let at = place.at + 1;
  for (;;) {
    const word = words[at++];
    if (word >= LEAST_OP) {
      const op: Op = asBrand(word);
      const given = yield op;
      if (opcodeOf(op) === OP.tryAcquire && given !== words[at++]) {
        throw new LookAheadError(`a lock that was free ahead of time is not free now (page ${page})`);
      }
    } else if (word === MARK.trace) {
      const [id, a, b, c, d, e, f, g, h] = words.subarray(at, at + 1 + TRACE_ARGS);
      // The machine's tracer may have a catalogue with more events, and other numbers.
      tracer.event(tracer.ids[TRACE_EVENTS.names[id] as keyof TraceEvents], a, b, c, d, e, f, g, h);
      at += 1 + TRACE_ARGS;
    } else if (word !== MARK.end) at = tellDecision(words, at, word, recorder);
    else {
      place.at = at + 3;
      cc.progress += words[at + 2];
      return { result: result(words[at]), lockDropped: words[at + 1] === 1 };
    }
  }
}

/** Tells the recorder what a mark says, whose words begin at a place; gives the place behind them. */
function tellDecision(words: Float64Array, at: number, mark: number, told: DecisionRecorder | undefined): number {
  const [mm, page] = [words[at] as MmId, words[at + 1] as Vpn];
  switch (mark) {
    case MARK.scanned: {
      const [scanned, none, unmapped, shared, referenced, scanPfn] = words.subarray(at + 3, at + 9);
      told?.scanned?.(mm, page, result(words[at + 2]), { scanned, none, unmapped, shared, referenced, scanPfn });
      return at + 9;
    }
    case MARK.skipped:
      told?.skipped?.(mm, page, words[at + 2], words[at + 3], words[at + 4]);
      return at + 5;
    case MARK.attempted:
      told?.attempted?.(mm, page, words[at + 2], result(words[at + 3]), words[at + 4]);
      return at + 5;
    case MARK.entriesSet:
      told?.entriesSet?.(mm, page, words[at + 2]);
      return at + 3;
    case MARK.rangeDone:
      told?.rangeDone?.(mm, words[at + 1] as VmaId, asBrand(words[at + 2]), result(words[at + 3]));
      return at + 4;
    default:
      throw new LookAheadError(`a record has the unknown mark ${mark}`);
  }
}

function result(word: number): ScanResult {
  return word as ScanResult;
}
