/** `pnpm conformance`: holds the model against the running kernel and reports every case. See docs/conformance.md. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { generationByName } from '@thplab/mthp-collapse';
import type { KernelProfile } from '@thplab/sysfs-schema';
import { stepText } from './case.js';
import { CASES, familyOf } from './cases/index.js';
import { compareCase } from './compare-case.js';
import { runConformance } from './conformance.js';
import { thisKernel } from './machine.js';
import { randomCase } from './random/random-case.js';
import { shrink } from './random/shrink.js';
import { RealChild } from './real/real-child.js';
import { caseText, reportText, summaryText } from './report.js';

const HELP = `Usage: pnpm conformance [options]

  pnpm conformance                    everything, khugepaged's own limits included (some minutes)
  pnpm conformance --short            the cases of the test run
  pnpm conformance --family cow       the cases of one family
  pnpm conformance --seed 7 --case 31 one random case, both outcomes in full, made smaller if they differ
  pnpm conformance --case pins/first-page

Options:
  --seed N      seed of the random cases (default 1)
  --random N    how many random cases (default 300)
  --case K      one case: a number of the seed, or a name
  --family F    one family of cases; random and khugepaged are families, too
  --kernel P    kernel profile to compare with, instead of the one of the running release
  -o FILE       writes the report: every case with both outcomes
  --short       without khugepaged's cases, which wait for its wake-ups
  -h, --help    this text
`;

const { values } = readOptions();

function readOptions(): ReturnType<typeof parseOptions> {
  try {
    const parsed = parseOptions();
    const { kernel } = parsed.values;
    if (kernel !== undefined) generationByName(kernel);
    return parsed;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

function parseOptions() {
  return parseArgs({
    args: process.argv.slice(2).filter((word) => word !== '--'),
    options: {
      seed: { type: 'string', default: '1' },
      random: { type: 'string', default: '300' },
      case: { type: 'string' },
      family: { type: 'string' },
      kernel: { type: 'string' },
      output: { type: 'string', short: 'o' },
      short: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
}

process.exitCode = values.help ? usage() : values.case === undefined ? await runAll() : await runOne(values.case);

function usage(): number {
  process.stdout.write(HELP);
  return 0;
}

function wholeNumber(name: 'seed' | 'random'): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  process.stderr.write(`--${name}: expected a whole number, got ${JSON.stringify(values[name])}\n`);
  process.exit(2);
}

async function runAll(): Promise<number> {
  const families = [...new Set(CASES.map(familyOf)), 'random', 'khugepaged'];
  if (values.family !== undefined && !families.includes(values.family)) {
    process.stderr.write(
      `--family: there is no family ${JSON.stringify(values.family)}; there are ${families.join(', ')}\n`,
    );
    return 2;
  }
  const terminal = process.stderr.isTTY === true;
  const summary = await runConformance({
    seed: wholeNumber('seed'),
    random: values.family === undefined || values.family === 'random' ? wholeNumber('random') : 0,
    khugepaged: values.family === 'khugepaged' || (values.family === undefined && !values.short),
    ...(values.family === undefined ? {} : { family: values.family }),
    ...(values.kernel === undefined ? {} : { profile: values.kernel as KernelProfile }),
    progress: (done, all, name) => {
      if (terminal) process.stderr.write(`\r${done} of ${all}  ${name.padEnd(60).slice(0, 60)}`);
    },
  });
  if (terminal) process.stderr.write(`\r${' '.repeat(80)}\r`);
  if (values.output !== undefined) writeFileSync(values.output, reportText(summary));
  process.stdout.write(summaryText(summary));
  return summary.reports.some(({ verdict }) => verdict === 'differs' || verdict === 'failed') ? 1 : 0;
}

async function runOne(which: string): Promise<number> {
  const seed = wholeNumber('seed');
  const given = /^\d+$/.test(which) ? randomCase(seed, Number(which)) : CASES.find(({ name }) => name === which);
  if (given === undefined) {
    process.stderr.write(
      `--case: there is no case ${JSON.stringify(which)}; see pnpm conformance -o FILE for all names\n`,
    );
    return 2;
  }
  const kernel = await thisKernel(values.kernel as KernelProfile | undefined);
  if ('skipped' in kernel) {
    process.stdout.write(`skipped: ${kernel.skipped}\n`);
    return 0;
  }
  const child = new RealChild();
  try {
    const report = await compareCase(given, child, kernel.options);
    process.stdout.write(caseText(report));
    if (report.verdict !== 'differs') return report.verdict === 'failed' ? 1 : 0;
    const small = await shrink(given, async (smaller) => {
      return (await compareCase(smaller, child, kernel.options)).verdict === 'differs';
    });
    process.stdout.write(
      `\nThe smallest case found that still differs:\n${caseText(await compareCase(small, child, kernel.options))}`,
    );
    process.stdout.write(
      `${small.steps.map((step) => `  ${JSON.stringify(step)},  // ${stepText(step)}`).join('\n')}\n`,
    );
    return 1;
  } finally {
    child.close();
  }
}
