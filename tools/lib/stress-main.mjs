// `pnpm stress`: the stress on threads from its sources, for as long as told. tools/stress.mjs says how it is called.
import { parseArgs } from 'node:util';

const packages = new URL('../../packages/', import.meta.url);
await import(new URL('sync/src/testing/source-hooks.mjs', packages).href);
const { StressWorkers, stressConfig, stressOnce } = await import(
  new URL('khugepaged-scheduler/src/testing/stress-run.ts', packages).href
);

const USAGE = `pnpm stress [--minutes N] [--seed S] [--runs N]
  --minutes N  so long, default 1
  --seed S     number of the first run, default by the clock; the next runs have the next numbers
  --runs N     so many runs at most; with --repeat: the same one so many times
  --repeat     the same run again and again: threads meet at other moments each time`;

/**
 * @param {string} text
 * @returns {never}
 */
function usage(text) {
  process.stderr.write(`stress: ${text}\n${USAGE}\n`);
  process.exit(2);
}

function optionsOf() {
  const options = /** @type {const} */ ({
    minutes: { type: 'string' },
    seed: { type: 'string' },
    runs: { type: 'string' },
    repeat: { type: 'boolean' },
    help: { type: 'boolean' },
  });
  try {
    return parseArgs({ args: process.argv.slice(2).filter((word) => word !== '--'), options }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string | undefined} text
 * @param {string} name
 * @param {number} otherwise
 */
function numberOf(text, name, otherwise) {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value > 0) || (name !== 'minutes' && !Number.isSafeInteger(value)))
    usage(`--${name} ${text}: a number above 0`);
  return value;
}

const given = optionsOf();
if (given.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const minutes = numberOf(given.minutes, 'minutes', given.runs === undefined ? 1 : 1e6);
const first = numberOf(given.seed, 'seed', Math.floor(Date.now() / 1000) % 1e8);
const most = numberOf(given.runs, 'runs', 1e9);
const workers = new StressWorkers(new URL('sync/src/testing/thread-main.mjs', packages));
const sums = { runs: 0, collapsed: 0, processes: 0 };
const start = performance.now();
const seconds = () => Math.round((performance.now() - start) / 1000);
const total = () =>
  `${sums.runs} runs from seed ${first} in ${seconds()} s: ${sums.processes} processes, ${sums.collapsed} ranges collapsed`;

for (const [signal, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])) {
  process.on(signal, () => {
    process.stdout.write(`interrupted after ${total()}, nothing wrong\n`);
    process.exit(code);
  });
}

process.stdout.write(`stress: seed ${first}\n`);
for (let at = 0; at < most && performance.now() - start < minutes * 60_000; at++) {
  const seed = given.repeat ? first : first + at;
  try {
    const facts = await stressOnce(stressConfig(seed), workers);
    sums.runs++;
    sums.collapsed += facts.collapsed;
    sums.processes += facts.processes;
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stdout.write(`run of seed ${seed}: ${JSON.stringify(stressConfig(seed))}\n${text}\n`);
    process.stdout.write(`repeat: pnpm stress --seed ${seed} --repeat --runs 1000\n`);
    process.exit(1);
  }
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[2K${total()}`);
  else if (sums.runs % 25 === 0) process.stdout.write(`${total()}\n`);
}
process.stdout.write(`${process.stdout.isTTY ? '\r\u001b[2K' : ''}${total()}, nothing wrong\n`);
await workers.close();
