/** The comparison in words. */
import { stepText } from './case.js';
import { familyOf } from './cases/index.js';
import type { CaseReport } from './compare-case.js';
import type { Summary } from './conformance.js';
import { type Outcome, resultText } from './outcome.js';

/** One line a family, then whatever does not agree. */
export function summaryText(summary: Summary): string {
  const lines: string[] = [headline(summary)];
  const families = new Map<string, CaseReport[]>();
  for (const report of summary.reports) {
    const name = familyOf(report.given);
    families.set(name, [...(families.get(name) ?? []), report]);
  }
  const width = Math.max(10, ...[...families.keys()].map((name) => name.length));
  if (families.size > 0) lines.push(`${'family'.padEnd(width)}  cases  agree  known  differ`);
  for (const [name, reports] of families) lines.push(familyLine(name.padEnd(width), reports));
  if (families.size > 0) lines.push(familyLine('all'.padEnd(width), summary.reports));
  for (const { cases, why } of summary.skipped) lines.push(`skipped: ${cases} cases: ${why}`);
  const repeated = summary.reports.filter(({ verdict, repeats }) => verdict === 'agrees' && repeats > 0).length;
  if (repeated > 0)
    lines.push(`${repeated} cases agreed only when the kernel was asked again (others use this machine, too)`);
  for (const report of summary.reports) {
    if (report.verdict === 'differs' || report.verdict === 'failed')
      lines.push('', caseText(report), repeatCommand(summary, report));
  }
  return `${lines.join('\n')}\n`;
}

/** Every case with both outcomes. */
export function reportText(summary: Summary): string {
  return [summaryText(summary), ...summary.reports.map(caseText)].join('\n');
}

/** One case: its steps, both outcomes where they differ, the kernel's where they agree. */
export function caseText(report: CaseReport): string {
  const { given, kernel, model, verdict, deviations } = report;
  const known = deviations.map(({ id }) => id).join(', ');
  const lines = [
    `${given.name}: ${verdict}${known === '' ? '' : ` (${known})`}${report.why === undefined ? '' : `: ${report.why}`}`,
  ];
  const results = kernel?.results ?? model?.results ?? [];
  for (const [i, step] of given.steps.entries()) lines.push(`  ${stepText(step)} -> ${resultText(results[i])}`);
  if (kernel !== undefined) lines.push(...outcomeLines(verdict === 'agrees' ? 'both' : 'kernel', kernel));
  if (model !== undefined && verdict !== 'agrees') lines.push(...outcomeLines('model', model));
  for (const { what, kernel: ours, model: theirs } of report.differences) {
    lines.push(`  differs: ${what}`, `    kernel ${ours}`, `    model  ${theirs}`);
  }
  return `${lines.join('\n')}\n`;
}

function outcomeLines(who: string, outcome: Outcome): string[] {
  const counters = Object.entries(outcome.counters).map(([name, value]) => `${name} ${value > 0 ? '+' : ''}${value}`);
  const lines = [`  ${who}: counters: ${counters.join(', ') || 'unchanged'}`];
  for (const [i, { rss, huge, pages }] of outcome.processes.entries()) {
    const name = i === 0 ? 'process' : `child ${i}`;
    lines.push(
      `  ${who}: ${name}: rss ${rss}, ${huge.length} PMD-mapped (${huge.join(' ') || 'none'}), pages ${pages}`,
    );
  }
  return lines;
}

function headline(summary: Summary): string {
  if (summary.kernel === undefined) return 'Nothing was compared.';
  const { release, profile } = summary.kernel;
  const differ = summary.reports.filter(({ verdict }) => verdict === 'differs' || verdict === 'failed').length;
  return `Linux ${release} and the model as ${profile}: ${summary.reports.length} cases, ${differ} unexplained differences`;
}

function familyLine(name: string, reports: readonly CaseReport[]): string {
  const count = (...verdicts: readonly CaseReport['verdict'][]): string =>
    String(reports.filter(({ verdict }) => verdicts.includes(verdict)).length);
  const columns = [String(reports.length).padStart(5), count('agrees').padStart(5), count('deviates').padStart(5)];
  return `${name}  ${columns.join('  ')}  ${count('differs', 'failed').padStart(6)}`;
}

function repeatCommand(summary: Summary, { given }: CaseReport): string {
  const random = /^random\/\d+:(\d+)$/.exec(given.name);
  if (random !== null) return `repeat: pnpm conformance --seed ${summary.seed} --case ${random[1]}`;
  const which = familyOf(given) === 'khugepaged' ? '--family khugepaged' : `--case ${given.name}`;
  return `repeat: pnpm conformance ${which}`;
}
