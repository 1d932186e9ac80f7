/** The pool's worker: glue between piscina and scanWork. */
import { sendError } from '@thplab/sync';
import { workerData } from 'piscina';
import { scanWork } from '../scan-work.js';
import { makeScanner, type Scanner } from '../scanner.js';
import { type AttachedThread, attachKhugepaged } from './attach.js';
import type { PoolWorkerData, ScanAnswer, ScanTask } from './protocol.js';

const attached = new Map<number, { readonly on: AttachedThread; readonly scanner: Scanner }>();

/** One scanner's share. A worker may be another scanner each time; all that a scanner must remember is in the arena. */
export function scan({ scanner: number, scanners, goal }: ScanTask): ScanAnswer {
  try {
    const { on, scanner } = attachedAs(number);
    const { result, cpuNs, steps, contended } = on.run(
      () => scanWork(on.k, scanner, scanners, goal, () => on.addCounters()),
      { name: `khugepaged/${number}`, lockLimitMs: (workerData as PoolWorkerData).lockLimitMs },
    );
    return { ok: true, report: { ...result, cpuNs, steps, contended } };
  } catch (error) {
    return { ok: false, error: sendError(error) };
  }
}

function attachedAs(number: number): { readonly on: AttachedThread; readonly scanner: Scanner } {
  const found = attached.get(number);
  if (found !== undefined) return found;
  const on = attachKhugepaged((workerData as PoolWorkerData).handle, number);
  const made = { on, scanner: makeScanner(on.k.collapse, number) };
  attached.set(number, made);
  return made;
}
