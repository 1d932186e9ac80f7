/** Suggestions for mistyped names. */

/**
 * Edit distance with transpositions (optimal string alignment), given up (returns limit + 1) once it must exceed `limit`.
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2] + 1);
      row.push(best);
    }
    if (Math.min(...row) > limit) return limit + 1;
    before = previous;
    previous = row;
  }
  return Math.min(previous[b.length], limit + 1);
}

const fold = (text: string): string => text.toLowerCase().replaceAll(/[-_. ]/g, '');

/** The candidate nearest to `given`, or null if none is near enough to be meant. Case and separators do not count. */
export function nearest(given: string, candidates: readonly string[]): string | null {
  if (given.length > 100) return null;
  const wanted = fold(given);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate === given) continue;
    const distance = editDistance(wanted, fold(candidate), bestDistance - 1);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `did you mean "a"?`, or `one of "a", "b", "c"` when nothing is near (at most `max` names). */
export function suggest(given: string, candidates: readonly string[], max = 24): string {
  const near = nearest(given, candidates);
  if (near !== null) return `did you mean "${near}"?`;
  if (candidates.length === 0) return 'there is none';
  return `one of ${candidates
    .slice(0, max)
    .map((name) => `"${name}"`)
    .join(', ')}${candidates.length > max ? ', ...' : ''}`;
}
