/** Errors of the explore executor. */
import { SyncError } from '../errors.js';

/** A schedule's code cannot be read. */
export class ScheduleCodeError extends SyncError {
  override readonly name = 'ScheduleCodeError';
}

/** A case did not do what its schedule says: it is another case, another version, or it does not start the same each time. */
export class ScheduleDivergedError extends SyncError {
  override readonly name = 'ScheduleDivergedError';
  /** Number of the step, from 1, at which the two part. */
  readonly step: number;

  constructor(step: number, text: string) {
    super(`the schedule does not fit at step ${step}: ${text}`);
    this.step = step;
  }
}

/** Guarded state was touched without its lock. */
export class GuardError extends SyncError {
  override readonly name = 'GuardError';
}
