/** What the pool and its workers say to each other; all of it can be cloned. */
import type { SentError } from '@thplab/sync';
import type { ScanGoal, ScanWorkDone } from '../scan-work.js';
import type { KhugepagedHandle } from './attach.js';

/** Data that each worker starts with. */
export interface PoolWorkerData {
  readonly handle: KhugepagedHandle;
  readonly lockLimitMs: number;
}

/** One task of the pool: one scanner's share of the work. */
export interface ScanTask {
  readonly scanner: number;
  readonly scanners: number;
  readonly goal: ScanGoal;
}

/** What one scanner did and used. */
export interface ScannerReport extends ScanWorkDone {
  /** Processor time in virtual ns. */
  readonly cpuNs: number;
  /** Operations yielded. */
  readonly steps: number;
  /** Lock operations that had to wait. */
  readonly contended: number;
}

/** Its outcome. */
export type ScanAnswer =
  | { readonly ok: true; readonly report: ScannerReport }
  | { readonly ok: false; readonly error: SentError };
