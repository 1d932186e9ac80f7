/** Watermarks: schemes that rest while there is enough, or far too little, free memory (DAMON spec 3.8). */
import type { Machine } from '@thplab/mm-model';
import { divide } from '../arithmetic.js';
import type { Damon, RunningScheme } from '../damon.js';
import type { Watermarks } from './scheme.js';

/** Free memory in permille of all. */
export function freeMemRate(m: Machine): number {
  let free = 0;
  let total = 0;
  for (let node = 0; node < m.nodes; node++) {
    free += m.node.freePages[node];
    total += m.node.endPfn[node] - m.node.firstPfn[node];
  }
  return divide(free * 1000, total);
}

/** Whether a scheme is active at a value of the metric, given whether it was. */
export function watermarksActivate(wasActive: boolean, value: number, { high, mid, low }: Watermarks): boolean {
  if (value > high || value < low) return false;
  return wasActive || value < mid;
}

/** Brings a scheme's state up to date; gives how long to wait until the next look, µs; 0: it runs (`damos_wmark_wait_us`). */
export function watermarkWaitUs(d: Damon, scheme: RunningScheme): number {
  const { watermarks } = scheme.config;
  if (watermarks.metric === 'none') return 0;
  const { activated } = d.t.damosScheme;
  const active = watermarksActivate(activated[scheme.row] === 1, freeMemRate(d.m), watermarks);
  activated[scheme.row] = active ? 1 : 0;
  return active ? 0 : watermarks.intervalUs;
}
