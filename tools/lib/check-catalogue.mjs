// Runs the catalogue of known bugs and prints it as a Markdown table. Started by tools/check-all.mjs, under the pinned Node
// and with everything built. Leaves with 1 if a bug is not found, or not within a minute, or the merged kernel fails.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from './root.mjs';

/** @type {typeof import('../../packages/scenario/src/index.js')} */
const { coverageText, parseCheck, runCatalogueCase } = await import(inRoot('packages/scenario/dist/index.js'));

const page = inRoot('docs/check.md');
const BEGIN = '<!-- table: written by "pnpm check:all --write" -->';
const END = '<!-- end of the table -->';
/** A bug must be found within, ms. */
const MOST_MS = 60_000;
const HEAD =
  '| bug | case | kernel, switch | found after | pre-emptions | time | merged kernel, schedules | time |\n| --- | --- | --- | --- | --- | --- | --- | --- |';

let failed = false;
const rows = readdirSync(inRoot('examples/check'))
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .map(rowOf);
const table = `${HEAD}\n${rows.join('\n')}\n`;
process.stdout.write(table);
if (process.argv.includes('--write')) {
  const text = readFileSync(page, 'utf8');
  const [head, rest = ''] = text.split(BEGIN);
  writeFileSync(page, `${head}${BEGIN}\n\n${table}\n${END}${rest.slice(rest.indexOf(END) + END.length)}`);
}
process.exitCode = failed ? 1 : 0;

/**
 * One case, searched both ways.
 * @param {string} file
 * @returns {string}
 */
function rowOf(file) {
  const path = `examples/check/${file}`;
  const parsed = parseCheck(readFileSync(inRoot(path), 'utf8'), path);
  const { faulty, merged, faultyMs, mergedMs, problems } = runCatalogueCase(parsed, { nowMs: () => performance.now() });
  const late = faulty.failure !== undefined && faultyMs > MOST_MS ? [`found only after ${seconds(faultyMs)}`] : [];
  for (const problem of [...problems, ...late]) {
    failed = true;
    process.stderr.write(`${path}: ${problem}\n`);
  }
  const { failure } = faulty;
  const fields = Object.entries(parsed.machine.variant).map(([name, value]) => `${name}: ${value}`);
  const cells = [
    parsed.bug?.id ?? '–',
    `[${file.replace(/\.yaml$/, '')}](../${path})`,
    [parsed.machine.kernel, ...fields.map((field) => `\`${field}\``)].join(', '),
    failure === undefined
      ? `${parsed.bug?.note || 'no bug is known'} (${coverageText(faulty)})`
      : `${faulty.schedules} schedule${faulty.schedules === 1 ? '' : 's'}`,
    failure === undefined ? '' : `${failure.preemptions}${failure.fewest ? '' : ' or fewer'}`,
    failure === undefined ? '' : seconds(faultyMs),
    coverageText(merged),
    seconds(mergedMs),
  ];
  return `| ${cells.join(' | ')} |`;
}

/**
 * @param {number} ms
 * @returns {string}
 */
function seconds(ms) {
  return `${(ms / 1000).toFixed(ms < 995 ? 2 : 1)} s`;
}
