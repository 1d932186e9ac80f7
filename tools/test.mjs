// `npm test`: everything that must hold before a change is good. Installs and builds when needed, then checks types, lint
// and formatting, and runs all tests. A failed step fails the whole, but the later ones still run, so that one run shows
// all there is to mend; only a failed install ends it. Arguments go to vitest: `npm test -- packages/arena`.

import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { commandLine, runCommand, scriptArguments } from './lib/command.mjs';
import { testReport } from './lib/root.mjs';
import { ensureBuilt, ensureInstalled, SetupError } from './lib/setup.mjs';
import { countTests } from './lib/test-report.mjs';

// Vitest and Biome colour what goes into a file or a pipe, too, unless told.
const colour = process.stdout.isTTY && !process.env.NO_COLOR;
if (!colour) process.env.NO_COLOR = '1';

/** @typedef {{ name: string, code: number, seconds: number, note?: string }} StepResult */

/** @param {string} line */
const say = (line) => console.log(line);

/**
 * @param {string} name
 * @param {(say: (line: string) => void) => Promise<void>} step
 * @returns {Promise<StepResult>}
 */
async function setUp(name, step) {
  say(`== ${name}`);
  const begin = process.hrtime.bigint();
  let code = 0;
  try {
    await step((line) => say(`${line} …`));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    code = error.code;
  }
  return finished({ name, code, seconds: Number(process.hrtime.bigint() - begin) / 1e9 });
}

/**
 * @param {string} name
 * @param {string} program
 * @param {...string} args
 * @returns {Promise<StepResult>}
 */
async function check(name, program, ...args) {
  say(`== ${name}: ${commandLine(program, args)}`);
  const { code, output, seconds } = await runCommand(program, args);
  process.stderr.write(output);
  return finished({ name, code, seconds });
}

/** @param {StepResult} step */
function finished(step) {
  say(`   ${verdict(step)} (${step.seconds.toFixed(1)} s)\n`);
  return step;
}

/** @param {StepResult} step */
function verdict({ code }) {
  return code === 0 ? 'ok' : `FAILED, exit code ${code}`;
}

/** @returns {Promise<StepResult>} */
async function runTests() {
  mkdirSync(dirname(testReport), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${testReport}`];
  const result = await check('tests', 'vitest', 'run', ...reporters, ...scriptArguments());
  const { passed, failed, skipped } = countTests(testReport);
  // Vitest's word and its report must agree: a report that counts a failure fails the step whatever the exit code was.
  const code = result.code === 0 && failed > 0 ? 1 : result.code;
  return { ...result, code, note: `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}` };
}

/** @returns {Promise<StepResult[]>} */
async function runAll() {
  rmSync(testReport, { force: true });
  const install = await setUp('install', ensureInstalled);
  if (install.code !== 0) return [install];
  return [
    install,
    await setUp('build', (tell) => ensureBuilt(tell, { always: true })),
    await check('types', 'tsc', '-b'),
    await check('lint', 'biome', 'ci', '--error-on-warnings', `--colors=${colour ? 'force' : 'off'}`, '.'),
    await runTests(),
  ];
}

const steps = await runAll();
for (const step of steps) {
  const columns = [step.name.padEnd(8), `${step.seconds.toFixed(1)} s`.padStart(8), `  ${verdict(step)}`];
  say([...columns, step.note ? `: ${step.note}` : ''].join(''));
}
const failed = steps.filter(({ code }) => code !== 0).map(({ name }) => name);
const total = steps.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(0);
say(
  failed.length === 0 ? `npm test: all good in ${total} s` : `npm test: FAILED after ${total} s: ${failed.join(', ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
