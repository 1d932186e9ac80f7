/** Recomputes what the queue of hints keeps twice, while nothing is under way: for tests, checks and the end of runs. */
import type { Khugepaged } from '../khugepaged.js';
import { requestOf } from './queue.js';
import { HINT_PRIORITIES } from './tables.js';

/** What is wrong with the queue, in words; empty if nothing is. */
export function checkHints(k: Khugepaged): readonly string[] {
  const { hints, t } = k;
  const pool = t.hint.pool.defect();
  const found = pool === undefined ? [] : [`hints: ${pool}`];
  if (hints === null) return found;
  let waiting = 0;
  for (let priority = 0; priority < HINT_PRIORITIES; priority++) {
    const linked = new Set(hints.levels.rows(priority));
    const expected = [...k.slots.rows(0)].map((slot) => requestOf(slot, priority));
    for (const request of expected) {
      const rows = [...hints.fifos.rows(request)];
      waiting += rows.length;
      if (rows.length !== t.hintRequest.count[request]) {
        found.push(`hints: request ${request} counts ${t.hintRequest.count[request]} hints and has ${rows.length}`);
      }
      if (rows.some((row) => !t.hint.pool.isLive(row)))
        found.push(`hints: request ${request} has a hint that was freed`);
      const must = hints.policy.linked === 'always' || rows.length > 0;
      if (linked.delete(request) !== must) {
        found.push(`hints: request ${request} is ${must ? 'not on' : 'on'} the list of priority ${priority}`);
      }
    }
    for (const request of linked) found.push(`hints: request ${request} is listed, and its address space is not`);
  }
  const { queued, taken, discarded } = t.hintLevel;
  const counted = [queued, taken, discarded].map((column) => column[0] + column[1]) as [number, number, number];
  if (counted[0] - counted[1] - counted[2] !== waiting) {
    found.push(`hints: ${counted[0]} queued, ${counted[1]} taken, ${counted[2]} discarded, but ${waiting} wait`);
  }
  if (t.hint.pool.live !== waiting) {
    found.push(
      `hints: ${t.hint.pool.live} rows in use, but ${waiting} hints wait: ${t.hint.pool.live - waiting} leaked`,
    );
  }
  return found;
}
