/** Waits for the kernel's khugepaged, whose wake-ups show in its schedstat. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Counters } from '../real/counters.js';

/** How often is looked. */
const LOOK_MS = 20;
/** So long without a change: it sleeps again. */
const QUIET_MS = 400;
/** Longer than it ever sleeps at the settings that are compared. */
const PATIENCE_MS = 30_000;

/** Waits until khugepaged has run and sleeps again. Gives the time at which it was first seen running, ms. */
export async function nextWake(counters: Counters): Promise<number> {
  const begin = performance.now();
  let runs = counters.khugepagedRuns();
  let woke = 0;
  let changed = 0;
  for (;;) {
    await wait(LOOK_MS);
    const now = performance.now();
    const seen = counters.khugepagedRuns();
    if (seen !== runs) {
      runs = seen;
      woke ||= now;
      changed = now;
    }
    if (woke > 0 && now - changed > QUIET_MS) return woke;
    if (now - begin > PATIENCE_MS) throw new Error(`khugepaged was not seen running in ${PATIENCE_MS / 1000} s`);
  }
}

/** Wake-ups in which khugepaged may come to the end of its list. */
const WAKES_TO_SETTLE = 3;

/** Others have registered so much with khugepaged that our turn comes late, or in between. */
export class KhugepagedBusyError extends Error {}

/**
 * Waits for two wake-ups in a row that each come once to the end of the list of processes: nobody but us and small ones is
 * registered. Gives the time of the second, ms. Errors: KhugepagedBusyError.
 */
export async function settledWake(counters: Counters): Promise<number> {
  await nextWake(counters);
  for (let i = 0; i < WAKES_TO_SETTLE; i++) {
    const before = counters.readWithKhugepaged();
    const woke = await nextWake(counters);
    const after = counters.readWithKhugepaged();
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    if (grown('full_scans') === 1 && grown('pages_collapsed') === 0) return woke;
  }
  throw new KhugepagedBusyError(
    'other processes of this machine are registered with khugepaged, and its turns are theirs',
  );
}
