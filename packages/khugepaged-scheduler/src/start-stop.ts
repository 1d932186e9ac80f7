/** Starting and stopping the thread (`start_stop_khugepaged`, khugepaged spec 5.4). */
import { hugepageEnabled } from '@thplab/mthp-collapse';
import { acquire, type Procedure, release, wait, wake } from '@thplab/sync';
import type { Khugepaged } from './khugepaged.js';
import { hasNoSlots, khugepagedThread } from './thread.js';

/** nice value of the thread (MAX_NICE). */
const NICE = 19;

/** Makes the thread exist exactly if the settings give it work. Waits for a thread that has to end. */
export function* startStopKhugepaged(k: Khugepaged): Procedure<void> {
  const row = k.t.khugepaged;
  yield acquire(k.mutex);
  if (hugepageEnabled(k.collapse)) {
    if (row.running[0] === 0) {
      row.running[0] = 1;
      row.shouldStop[0] = 0;
      k.startThread('khugepaged', () => khugepagedThread(k), { nice: NICE });
    }
    if (!hasNoSlots(k)) yield wake(k.waitQueue);
  } else if (row.running[0] !== 0) {
    row.shouldStop[0] = 1;
    yield wake(k.waitQueue);
    while (row.running[0] !== 0) yield wait(k.stopQueue);
    row.shouldStop[0] = 0;
  }
  yield release(k.mutex);
}
