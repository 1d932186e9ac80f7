/**
 * How long a sleep really is. The kernel counts in jiffies and its timer wheel groups far timers into coarse buckets, so
 * that a scan sleep of 10 s is 10.24 s at HZ=250.
 */

/** When a timer set now for a span goes off; all in ns. */
export type Timer = (nowNs: number, spanNs: number) => number;

/** Sleeps take exactly as long as asked. */
export const exactTimer: Timer = (nowNs, spanNs) => nowNs + spanNs;

const LEVEL_SLOTS = 64;
const LEVEL_STEP = 8;
const LEVELS = 9;

/**
 * The kernel's timer wheel at a tick rate: the expiry is rounded up to the granularity of the level that the span falls
 * into, which is 1 jiffy up to 63 jiffies, 8 up to 504, 64 up to 4032, and so on.
 */
export function timerWheel(ticksPerSecond: number): Timer {
  const tick = 1e9 / ticksPerSecond;
  return (nowNs, spanNs) => {
    const now = Math.floor(nowNs / tick);
    const jiffies = Math.ceil(spanNs / tick);
    let granularity = 1;
    for (let level = 1; level < LEVELS && jiffies >= (LEVEL_SLOTS - 1) * granularity; level++)
      granularity *= LEVEL_STEP;
    return Math.ceil((now + jiffies) / granularity) * granularity * tick;
  };
}
