/** Passes the lock operations of the task that looks at a zoomed table on to the log, as steps of the decision. */
import { type ExecutorObserver, type LockMode, type LockRef, type SyncDomain, WRITE } from '@thplab/sync';
import type { CollapseLog } from './collapse-log.js';

/** See the head of the file. */
export class ZoomLocks implements ExecutorObserver {
  readonly #domain: SyncDomain;
  readonly #log: CollapseLog;

  constructor(domain: SyncDomain, log: CollapseLog) {
    this.#domain = domain;
    this.#log = log;
  }

  lockTaken(lock: LockRef, mode: LockMode, task: number, _cpu: number, nowNs: number): void {
    this.#log.locked(this.#domain.classOf(lock).name, mode === WRITE ? 'write' : 'read', true, task, nowNs);
  }

  lockGiven(lock: LockRef, mode: LockMode, task: number, _cpu: number, nowNs: number): void {
    this.#log.locked(this.#domain.classOf(lock).name, mode === WRITE ? 'write' : 'read', false, task, nowNs);
  }
}
