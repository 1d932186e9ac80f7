/** The feedback loop that tunes quotas and intervals (`damon_feed_loop_next_input`, DAMON spec 3.6). */
import { U64_MAX } from './arithmetic.js';

const GOAL = 10_000n;
const LEAST_INPUT = 10_000n;

/**
 * The next input of a loop whose last input brought `score`, where 10000 is the goal: more if it fell short, less if it
 * went too far, by as much as it missed. Never less than 10000; saturates at the highest 64-bit number.
 */
export function feedLoopNextInput(lastInput: bigint, score: bigint): bigint {
  if (score === GOAL) return lastInput;
  if (score >= GOAL * 2n) return LEAST_INPUT;
  const over = score > GOAL;
  const missed = over ? score - GOAL : GOAL - score;
  const compensation = lastInput < U64_MAX / missed ? (lastInput * missed) / GOAL : (lastInput / GOAL) * missed;
  if (over) {
    const less = lastInput > compensation ? lastInput - compensation : 0n;
    return less > LEAST_INPUT ? less : LEAST_INPUT;
  }
  const more = lastInput + compensation;
  if (more > U64_MAX) return U64_MAX;
  return more;
}
