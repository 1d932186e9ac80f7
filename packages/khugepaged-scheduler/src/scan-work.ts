/**
 * Passes of several scanners together: scanner 0 begins each pass, all work on it, and nobody begins the next one before all
 * have ended it. Sleeps between passes are left out: whoever asks for work wants it done.
 */
import { type Procedure, wait, wake } from '@thplab/sync';
import type { Khugepaged } from './khugepaged.js';
import type { Scanner } from './scanner.js';
import { khugepagedBeginPass, khugepagedScanPass } from './thread.js';

/** When enough is done: whichever comes first. */
export interface ScanGoal {
  /** Passes of `pages_to_scan` each. */
  readonly passes?: number;
  /** Full scans to complete. */
  readonly fullScans?: number;
}

/** What one scanner did. */
export interface ScanWorkDone {
  readonly passes: number;
  /** Entries charged to the budget. */
  readonly progress: number;
}

const NO_MORE = -1;

/** To be called before the scanners start. */
export function resetScanWork(k: Khugepaged): void {
  Atomics.store(k.t.khugepaged.passOpen, 0, 0);
  Atomics.store(k.t.khugepaged.passLeft, 0, 0);
}

/** One scanner's work. All of them run this at once, numbered from 0. `onPass` is called after each pass. */
export function* scanWork(
  k: Khugepaged,
  scanner: Scanner,
  scanners: number,
  goal: ScanGoal,
  onPass: () => void = () => {},
): Procedure<ScanWorkDone> {
  const fullScans = k.t.khugepaged.fullScans[0] + (goal.fullScans ?? Number.POSITIVE_INFINITY);
  const most = goal.passes ?? Number.POSITIVE_INFINITY;
  let progress = 0;
  for (let passes = 0; ; passes++) {
    const goesOn = scanner.number === 0 ? yield* open(k, scanners, passes, most, fullScans) : yield* opened(k, passes);
    if (!goesOn) return { passes, progress };
    yield* khugepagedScanPass(k, scanner);
    progress += scanner.control.progress;
    onPass();
    if (scanner.number === 0) continue;
    Atomics.sub(k.t.khugepaged.passLeft, 0, 1);
    yield wake(k.passQueue);
  }
}

/** Scanner 0: waits for the others to end the pass before, and begins the next unless there is enough. */
function* open(k: Khugepaged, scanners: number, passes: number, most: number, fullScans: number): Procedure<boolean> {
  const row = k.t.khugepaged;
  while (Atomics.load(row.passLeft, 0) !== 0) yield wait(k.passQueue);
  while (Atomics.load(row.paused, 0) !== 0 && row.shouldStop[0] === 0) yield wait(k.passQueue);
  const goesOn = passes < most && row.fullScans[0] < fullScans && row.shouldStop[0] === 0;
  if (goesOn) yield* khugepagedBeginPass(k, scanners);
  Atomics.store(row.passLeft, 0, goesOn ? scanners - 1 : 0);
  Atomics.store(row.passOpen, 0, goesOn ? passes + 1 : NO_MORE);
  yield wake(k.passQueue);
  return goesOn;
}

/** The others: wait for it to begin. */
function* opened(k: Khugepaged, passes: number): Procedure<boolean> {
  const row = k.t.khugepaged;
  for (;;) {
    const at = Atomics.load(row.passOpen, 0);
    if (at === NO_MORE) return false;
    if (at > passes) return true;
    yield wait(k.passQueue);
  }
}
