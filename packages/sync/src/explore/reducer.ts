/** What a depth-first search asks the reduction it works with. */
import type { ScheduleEnd } from './strategy.js';

export interface Reducer {
  /** Looks at the steps made since the last look, and wants tasks explored at choices before them. */
  follow(): void;
  /** Tasks that need not be tried at a new choice. */
  sleepers(at: number): number;
  /** The schedule is over. */
  ended(end: ScheduleEnd): void;
  /** All behind the chosen task at a depth has been seen. */
  explored(at: number): void;
  /** The next schedule is the same up to a depth and makes another choice there. */
  restart(at: number): void;
}
