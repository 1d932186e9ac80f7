/** The outcome of a check for readers. */
import { interleavingText } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import type { CheckResult } from './result.js';

export function checkText(result: CheckResult, colors: Palette): string {
  const head = `${colors.strong(result.name)}\n${result.actors.join(', ')} on kernel ${result.kernel}${variantText(result)}\n\n`;
  const { failure } = result;
  if (failure === null) return head + verdictText(result, colors);
  const lines = [
    `${colors.bad('FAIL')}  ${failure.message}`,
    `      found ${effortText(result)}`,
    `      ${failureText(result)}`,
    '',
    interleavingText(failure.interleaving),
    '* takes the processor from a task that could have gone on',
    `replay: ${result.replay ?? ''}`,
  ];
  return `${head}${lines.join('\n')}\n`;
}

function variantText({ variant }: CheckResult): string {
  const fields = Object.entries(variant);
  if (fields.length === 0) return '';
  return ` with ${fields.map(([name, value]) => `${name} ${String(value)}`).join(', ')}`;
}

function verdictText(result: CheckResult, colors: Palette): string {
  if (result.verdict === 'limit') {
    const mark = colors.notable('NO VERDICT');
    const what = result.interrupted ? 'interrupted' : 'a limit ended the search';
    return `${mark}  ${what} ${effortText(result)}; nothing was found up to there\n`;
  }
  const bound = result.earlyWakes === null ? '' : ` (a sleep ends early ${result.earlyWakes} times at most)`;
  return `${colors.good('PASS')}  ${coverageText(result)}${bound}\n      ${effortText(result)}\n`;
}

/** What the search can vouch for, in words. */
function coverageText({ coverage, search }: CheckResult): string {
  switch (coverage.kind) {
    case 'exhaustive':
      return 'every schedule keeps all invariants: exhaustive, up to the order of independent steps';
    case 'preemption-bounded':
      return `every schedule with at most ${plural(coverage.bound, 'pre-emption')} keeps all invariants; others were not tried`;
    case 'sampled':
      return `${coverage.schedules} sampled schedules keep all invariants (${search.strategy}, seed ${search.seed}); others were not tried`;
  }
}

function effortText({ schedules, dropped, steps, wallMs, schedulesPerSecond }: CheckResult): string {
  const repeats = dropped === 0 ? '' : ` and ${dropped} given up as repeats`;
  const seconds = (wallMs / 1000).toFixed(1);
  return `after ${plural(schedules, 'schedule')}${repeats}, ${plural(steps, 'step')}, ${seconds} s (${schedulesPerSecond} schedules/s)`;
}

function failureText({ failure }: CheckResult): string {
  if (failure === null) return '';
  const { preemptions, fewest, foundPreemptions, kind, name } = failure;
  const count = plural(preemptions, 'pre-emption');
  const proof = fewest ? ', none with fewer breaks it in this way' : '';
  const shrunk = foundPreemptions === preemptions ? '' : `, shrunk from ${foundPreemptions}`;
  return `${kind}${name === '' ? '' : ` ${name}`}; ${count}${shrunk}${proof}`;
}

function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
