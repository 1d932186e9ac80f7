import { ScheduleCodeError, ScheduleDivergedError } from '@thplab/sync';

/** What is wrong with the code of a schedule; undefined for any other error. */
export function scheduleErrorText(error: unknown): string | undefined {
  if (error instanceof ScheduleCodeError) return error.message;
  if (!(error instanceof ScheduleDivergedError)) return undefined;
  return `${error.message}; the code is of another case, another variant of it, or another version`;
}
