/** What the pool and its workers say to each other; all of it can be cloned. */
import type { SentError } from '@thplab/sync';
import type { AheadPlan } from '../look-ahead/plan.js';
import type { ScanGoal, ScanWorkDone } from '../scan-work.js';
import type { KhugepagedHandle } from './attach.js';

/** Data that each worker starts with. */
export interface PoolWorkerData {
  readonly handle: KhugepagedHandle;
  readonly lockLimitMs: number;
}

/** One task of a pool of scanners: one scanner's share of the work. */
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

/** Work ahead of khugepaged: one thread's share of a plan. */
export interface AheadTask {
  /** From 0. */
  readonly thread: number;
  readonly plan: AheadPlan;
  /** Record trace events too. */
  readonly traced: boolean;
}

/** What came of a task. */
export type Answer<Report> =
  | { readonly ok: true; readonly report: Report }
  | { readonly ok: false; readonly error: SentError };

/** Limits of a worker's memory in MB, as node:worker_threads has them. */
export interface ResourceLimits {
  readonly maxOldGenerationSizeMb?: number;
  readonly maxYoungGenerationSizeMb?: number;
  readonly stackSizeMb?: number;
}
