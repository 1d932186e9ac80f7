/** Makes a case in which kernel and model differ smaller, as long as they still do. */
import type { Case, Step } from '../case.js';

/** Times that a smaller case is tried at most. */
const BUDGET = 150;

/** The smallest case found; `differs` runs a case on both sides. */
export async function shrink(given: Case, differs: (smaller: Case) => Promise<boolean>): Promise<Case> {
  let best = given;
  let left = BUDGET;
  for (let improved = true; improved && left > 0; ) {
    improved = false;
    for (const steps of smaller(best.steps)) {
      if (left-- <= 0) break;
      const candidate = { ...best, steps };
      if (!(await differs(candidate))) continue;
      best = candidate;
      improved = true;
      break;
    }
  }
  return best;
}

/** Lists of steps one change smaller: first half of them gone, then one, then shorter spans. */
function* smaller(steps: readonly Step[]): Generator<readonly Step[]> {
  for (let i = steps.length - 1; i >= 0; i--) {
    const without = steps.filter((_, n) => n !== i);
    if (isSound(without)) yield without;
  }
  for (const [i, step] of steps.entries()) {
    if (!('pages' in step) || step.pages <= 1) continue;
    for (const pages of [1, Math.ceil(step.pages / 2), step.pages - 1]) {
      if (pages < step.pages) yield steps.map((other, n) => (n === i ? { ...step, pages } : other));
    }
  }
}

/** No step speaks of a child that is not there, or of a userfaultfd that is closed. */
function isSound(steps: readonly Step[]): boolean {
  let children = 0;
  let armed = false;
  const gone = new Set<number>();
  for (const step of steps) {
    if (step.do === 'fork') children++;
    else if (step.do === 'uffd') armed = true;
    else if (step.do === 'uffdClose') armed = false;
    else if ((step.do === 'wp' || step.do === 'unwp' || step.do === 'uffdUnregister') && !armed) return false;
    const who = step.do === 'end' ? step.child : ((step as { who?: number }).who ?? 0);
    if (who > children || gone.has(who)) return false;
    if (step.do === 'end') gone.add(who);
  }
  return true;
}
