import { ftraceLine } from '@thplab/trace';
import { describe, expect, it } from 'vitest';
import { damon618, damonMm } from './profile.js';
import { fillBase, keepTouching, makeDamonWorld, makeProcess } from './testing/damon-world.js';
import { DAMON_LINES } from './testing/golden-lines.js';
import { STAT } from './testing/rounds.js';

const BASE = 0x80000;

/** The lines of a short run, as the kernel's trace file has them, from the event's name on. */
function linesOf(profile: typeof damonMm): string[] {
  const w = makeDamonWorld();
  const { mm, vma } = makeProcess(w, BASE, 2048);
  fillBase(w, vma, BASE, 2048);
  keepTouching(w, mm, BASE, 1024);
  w.start({
    operations: 'fvaddr',
    profile,
    targets: [{ mm, regions: [{ start: BASE * 4096, end: (BASE + 2048) * 4096 }] }],
    attributes: { intervalsGoal: { accessBp: 400, aggrs: 2, minSampleUs: 1_000, maxSampleUs: 10_000_000 } },
    schemes: [
      STAT,
      {
        ...STAT,
        quota: { resetIntervalMs: 100, goals: [{ metric: 'user_input', targetValue: 100, currentValue: 50 }] },
      },
    ],
  });
  w.pass(0.5);
  return [...w.tracer.reader().events()].map((event) =>
    ftraceLine(event)
      .replace(/^.*?\d: /, '')
      .trimEnd(),
  );
}

describe("DAMON's tracepoints", () => {
  it.each(DAMON_LINES)('$event prints as the kernel prints it', ({ event, pattern }) => {
    const lines = linesOf(damonMm).filter((line) => line.startsWith(`${event}: `));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(new RegExp(`^${event}: ${pattern}$`));
  });

  it('a scheme counts up from round to round, and kernels before 7.0 do not tell', () => {
    const tried = linesOf(damonMm).flatMap(
      (line) => /^damos_stat.* scheme_idx=0 nr_tried=(\d+) /.exec(line)?.[1] ?? [],
    );
    expect(tried.map(Number)).toEqual([...tried.map(Number)].sort((a, b) => a - b));
    expect(linesOf(damon618).filter((line) => line.startsWith('damos_stat'))).toEqual([]);
  });
});
