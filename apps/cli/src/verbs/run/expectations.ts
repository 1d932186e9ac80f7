/** What the scenario expected, and whether it held. */
import { type ExpectationResult, formatDuration, type ScenarioResult } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';

export function expectationLines({ expectations, invariants, end }: ScenarioResult, colors: Palette): string {
  const broken = (invariants ?? []).map((what) => `  ${colors.bad(`invariant broken: ${what}`)}\n`).join('');
  if (expectations.length === 0) return broken;
  const failed = expectations.filter(({ ok }) => !ok).length;
  const verdict =
    failed === 0
      ? colors.good(`all ${expectations.length} expectations held`)
      : colors.bad(`${failed} of ${expectations.length} expectations failed`);
  const rows = expectations.map((one) => row(one, end.atNs, colors));
  return `${verdict}\n${table([{ title: '' }, { title: '' }, { title: '' }], rows, colors)}${broken}`;
}

function row(
  { ok, what, expected, actual, atNs }: ExpectationResult,
  endNs: number,
  colors: Palette,
): readonly string[] {
  const when = atNs === endNs ? '' : colors.faint(` at ${formatDuration(atNs)}`);
  if (ok) return [colors.good('✓'), `${what}${when}`, actual === expected ? actual : `${actual} (${expected})`];
  return [colors.bad('✗'), `${what}${when}`, `${colors.bad(actual)}, expected ${expected}`];
}
