/** The pools' worker: glue between piscina and the work of a scanner, or ahead of one. */
import { sendError } from '@thplab/sync';
import { workerData } from 'piscina';
import { type AheadRecord, aheadWork } from '../look-ahead/ahead-work.js';
import { RangeRecorder } from '../look-ahead/range-record.js';
import { scanWork } from '../scan-work.js';
import { makeScanner, type Scanner } from '../scanner.js';
import { type AttachedThread, attachKhugepaged } from './attach.js';
import type { AheadTask, Answer, PoolWorkerData, ScannerReport, ScanTask } from './protocol.js';

const data = workerData as PoolWorkerData;

interface Attached {
  readonly on: AttachedThread;
  readonly scanner: Scanner;
  readonly recorder: RangeRecorder;
}

/** By thread number: a worker may be another one each time, and all that must be remembered is in the arena. */
const attached = new Map<number, Attached>();

/** One scanner's share. */
export function scan({ scanner: number, scanners, goal }: ScanTask): Answer<ScannerReport> {
  return answer(() => {
    const { on, scanner } = attachedAs(number, false);
    const { result, cpuNs, steps, contended } = on.run(
      () => scanWork(on.k, scanner, scanners, goal, () => on.addCounters()),
      { name: `khugepaged/${number}`, lockLimitMs: data.lockLimitMs },
    );
    return { ...result, cpuNs, steps, contended };
  });
}

/** One thread's share of a plan of work ahead of khugepaged. */
export function ahead({ thread, plan, traced }: AheadTask): Answer<readonly AheadRecord[]> {
  return answer(() => {
    const { on, scanner, recorder } = attachedAs(thread, traced);
    const worker = { k: on.k, control: scanner.control, recorder, number: thread };
    const name = `khugepaged/${thread}`;
    return on.run(() => aheadWork(worker, plan), { name, lockLimitMs: data.lockLimitMs }).result;
  });
}

function attachedAs(thread: number, traced: boolean): Attached {
  const found = attached.get(thread);
  if (found !== undefined) return found;
  const recorder = new RangeRecorder(traced);
  const on = attachKhugepaged(data.handle, thread, { tracer: recorder.tracer, recorder: recorder.decisions });
  const made = { on, scanner: makeScanner(on.k.collapse, thread), recorder };
  attached.set(thread, made);
  return made;
}

function answer<Report>(work: () => Report): Answer<Report> {
  try {
    return { ok: true, report: work() };
  } catch (error) {
    return { ok: false, error: sendError(error) };
  }
}
