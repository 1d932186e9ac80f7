// Every exit code of the contract, once each, in this process; cli.test.ts sees some of them from outside.
import { describe, expect, it } from 'vitest';
import { EXIT, EXIT_MEANINGS } from './exit.js';
import { expectGolden } from './testing/golden.js';
import { type RunOptions, type RunResult, runCli } from './testing/run-cli.js';

const SCENARIO = `format: thplab/scenario@1
name: s
machine: { memory: 256M }
sysfs: { enabled: always }
processes: [{ name: p, vmas: [{ name: v, size: 4M, populate: full }] }]
run: { for: 30s }
expect: { coverage: { process: p, huge: 100% } }
`;
const WITHOUT_HUGE_PAGES = SCENARIO.replace('enabled: always', 'enabled: never');
const FORKS_FOR_EVER = SCENARIO.replace(
  'run:',
  'events: [{ at: 1ms, repeat: { every: 1ms }, fork: { process: p, as: child } }]\nrun:',
);

const CASES: readonly (readonly [code: number, args: readonly string[], options: RunOptions])[] = [
  [EXIT.done, ['run', '-'], { stdin: SCENARIO }],
  [EXIT.failed, ['run', '-'], { stdin: WITHOUT_HUGE_PAGES }],
  [EXIT.usage, ['run'], {}],
  [EXIT.input, ['run', '-'], { stdin: SCENARIO.replace('vmas', 'vma') }],
  [EXIT.limit, ['run', '-'], { stdin: FORKS_FOR_EVER }],
  [EXIT.defect, ['run', '-'], { stdin: SCENARIO, defect: new Error('broken') }],
  [EXIT.interrupted, ['run', '-'], { stdin: SCENARIO, terminal: 80, interruptWhen: ({ stderr }) => stderr !== '' }],
];

describe.each(CASES)('exit code %i', (code, args, options) => {
  let result: RunResult;

  it(`is that of thplab ${args.join(' ')}`, async () => {
    result = await runCli(args, options);
    expect(result.code, result.stderr).toBe(code);
  });

  it('says why on stderr, unless all is well', () => {
    expect(result.stderr === '').toBe(code === EXIT.done);
  });
});

it('the cases cover every exit code', () => {
  expect(CASES.map(([code]) => code)).toEqual(EXIT_MEANINGS.map(([code]) => code));
});

describe('a failure', () => {
  it.each([
    ['failed', WITHOUT_HUGE_PAGES],
    ['limit', FORKS_FOR_EVER],
  ])('%s prints the command that repeats it', async (name, stdin) => {
    const { stderr } = await runCli(['run', '-'], { stdin });
    expectGolden(import.meta.dirname, `exit.${name}`, stderr);
  });
});

describe('Ctrl-C', () => {
  it('ends at once where there is nothing to stop at', async () => {
    const { exits } = await runCli(['sysfs', 'tree'], { interruptWhen: ({ stdout }) => stdout !== '' });
    expect(exits).toEqual([130]);
  });

  it('a second time ends at once', async () => {
    let presses = 0;
    const { exits } = await runCli(['run', '-'], {
      stdin: SCENARIO,
      terminal: 80,
      interruptWhen: ({ stderr }) => stderr !== '' && presses++ < 2,
      interruptAgain: true,
    });
    expect(exits).toEqual([130]);
  });
});
