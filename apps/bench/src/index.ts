/**
 * `pnpm bench [NAME…] [--quick] [--json]`: speed and memory of the model on this machine. Ratios are measured within one
 * run; compare those, not figures of two days.
 */
import { parseArgs } from 'node:util';
import { collapseBench } from './benches/collapse.js';
import { damonBench } from './benches/damon.js';
import { hintsBench } from './benches/hints.js';
import { memoryBench } from './benches/memory.js';
import { parallelBench } from './benches/parallel.js';
import { scanBench } from './benches/scan.js';
import { searchBench } from './benches/search.js';
import { type BenchDefinition, printReport } from './report.js';

const BENCHES: readonly BenchDefinition[] = [
  scanBench,
  memoryBench,
  collapseBench,
  damonBench,
  hintsBench,
  searchBench,
  parallelBench,
];

const USAGE = `pnpm bench                 all benches
pnpm bench scan --quick     one of them, roughly
pnpm bench --json           one JSON document

benches:
${BENCHES.map(({ name, question }) => `  ${name.padEnd(10)} ${question}`).join('\n')}
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no bench called ${unknown.join(', ')}\n\n${USAGE}`);
    return 2;
  }
  const chosen = BENCHES.filter((bench) => positionals.length === 0 || positionals.includes(bench.name));
  const reports = [];
  for (const bench of chosen) {
    const report = await bench.run({ quick: values.quick });
    reports.push(report);
    if (!values.json) process.stdout.write(`${printReport(report)}\n\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ format: 'thplab/bench@1', reports }, null, 2)}\n`);
  return reports.every((report) => report.demands.every((demand) => demand.met)) ? 0 : 1;
}

process.exitCode = await main();
