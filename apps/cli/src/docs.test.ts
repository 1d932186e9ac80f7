/**
 * The documentation is true: every command on these pages runs, and what is shown of its output is what
 * comes out. A block ```console begins with `$ COMMAND`; a line `…` stands for any lines, a line that ends in `…` for any that
 * begins so. After an intended change: look at the difference, then write the new output into the page.
 */
import * as collapse from '@thplab/mthp-collapse';
import { describe, expect, it } from 'vitest';
import { FAKE_PID, fakeProc } from './testing/fake-proc.js';
import { folderWith, repositoryFile, runCli } from './testing/run-cli.js';

const PAGES = [
  'README.md',
  'docs/questions.md',
  'docs/scenarios.md',
  'docs/samples.md',
  'docs/workloads.md',
  'docs/damon.md',
  'docs/hints.md',
];

/** A command line, and the lines shown of its output (null: none). */
interface Shown {
  readonly command: string;
  readonly lines: readonly string[] | null;
}

const outputs = new Map<string, Promise<string>>();

describe.each(PAGES)('%s', (page) => {
  const text = repositoryFile(page);
  const files = scenarios(text);
  const output = (command: string): Promise<string> => outputOf(command, files);

  it.each(blocks(text).map((shown) => [shown.command, shown] as const))('shows what %s prints', async (_, shown) => {
    const out = withoutVersion(await output(shown.command))
      .trimEnd()
      .split('\n');
    const gap = firstGap(shown.lines ?? [], out);
    expect(gap, `${page} shows, in this place, what is not printed:\n${out.join('\n')}`).toBeNull();
  });

  it.each(inlineCommands(text))('may say: %s', async (command) => {
    await expect(output(command)).resolves.toEqual(expect.any(String));
  });

  it.each(Object.keys(files))('has a scenario %s that is valid and does what it expects', async (name) => {
    await expect(output(`thplab run ${name}`)).resolves.not.toBe('');
  });

  it.each(programs(text))('has a program that prints what follows it, %#', async (program, printed) => {
    expect(await consoleOf(program)).toBe(printed);
  });
});

describe('a shown output', () => {
  const out = ['a', 'b', 'c', 'd'];

  it.each([
    [['a', 'b', 'c', 'd'], null],
    [['a', '…', 'd'], null],
    [['…', 'c', '…'], null],
    [['a', 'b', 'c', 'd', '…'], null],
    [['a', 'b'], 'b'],
    [['b', '…'], 'b'],
    [['…', 'c'], 'c'],
    [['a', '…', 'x', '…'], 'x'],
    [['a', '…', 'b', 'd', '…'], 'd'],
  ])('%j of a, b, c, d: %s', (lines, gap) => {
    expect(firstGap(lines, out)).toBe(gap);
  });

  it('may be cut at the end of a line', () => {
    expect(firstGap(['a long …'], ['a long line'])).toBeNull();
    expect(firstGap(['a long …'], ['another line'])).toBe('a long …');
  });
});

/** What a command prints; each runs once. Fails with what it says if it fails. */
function outputOf(command: string, files: Files): Promise<string> {
  const known = outputs.get(command) ?? run(command, files);
  outputs.set(command, known);
  return known;
}

/** Runs a command, or several of which each reads what the one before prints. */
async function run(command: string, files: Files): Promise<string> {
  let piped: string | Uint8Array | undefined;
  for (const part of command.split(' | ')) piped = await runOne(part, files, piped);
  return typeof piped === 'string' ? piped : '';
}

async function runOne(
  command: string,
  files: Files,
  stdin: string | Uint8Array | undefined,
): Promise<string | Uint8Array> {
  const words = command
    .replace(/^npm start --/, 'thplab')
    .replace(/^npm start$/, 'thplab run examples/quickstart.yaml');
  const [program, ...args] = words.split(' ');
  expect(program).toBe('thplab');
  // The pages speak of process 1234: here it is a made-up one.
  const process = args.includes('1234') ? fakeProc() : {};
  // A page's own scenarios lie in a folder of their own.
  const folder = args.some((arg) => arg in files) ? { cwd: folderWith(files) } : {};
  const { code, stdout, stderr, bytes } = await runCli(
    args.map((arg) => (arg === '1234' ? `${FAKE_PID}` : arg)),
    { ...process, ...folder, ...(stdin === undefined ? {} : { stdin }) },
  );
  // A search that is shown to find something leaves with 1.
  const found = args[0] === 'check' && /^FAIL {2}/m.test(stdout);
  expect([code, stderr], command).toEqual([found ? 1 : 0, '']);
  return bytes.length > 0 ? bytes : stdout;
}

/** Blocks that show a command and its output. */
function blocks(text: string): Shown[] {
  return [...text.matchAll(/^```console\n\$ (.*)\n([\s\S]*?)\n?```$/gm)].map(([, command = '', shown = '']) => ({
    command,
    lines: withoutVersion(shown).split('\n'),
  }));
}

type Files = Readonly<Record<string, string>>;

/** Scenarios in blocks ```yaml whose first line names a file. */
function scenarios(text: string): Files {
  const found = text.matchAll(/^```yaml\n# (\S+\.yaml)\n([\s\S]*?)^```$/gm);
  return Object.fromEntries([...found].map(([, name = '', yaml = '']) => [name, yaml]));
}

/** Commands in a line of text or in a table; `…` stands for what the reader fills in. */
function inlineCommands(text: string): string[] {
  const found = [...text.matchAll(/`((?:thplab|npm start --) [^`]+)`/g)].map(([, command = '']) => command);
  const complete = found.filter((command) => !/…|VERB|FILE|\*|thplab run -$|\.thpsnap|toy\.json/.test(command));
  return [...new Set(complete.map((command) => command.replace(/\s+/g, ' ')))];
}

/** Programs in JavaScript that are followed by what they print. */
function programs(text: string): [string, string][] {
  return [...text.matchAll(/^```js\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm)].map(([, js = '', printed = '']) => [
    js,
    printed,
  ]);
}

async function consoleOf(program: string): Promise<string> {
  let printed = '';
  const body = program.replace(/^import (\{.*\}) from '@thplab\/mthp-collapse';$/m, 'const $1 = collapse;');
  new Function('collapse', 'console', body)(collapse, { log: (line: string) => (printed += `${line}\n`) });
  return printed;
}

function withoutVersion(text: string): string {
  return text.replaceAll(/thplab \d+\.\d+\.\d+[-.\w]*/g, 'thplab VERSION');
}

const ANY = '…';

/** The last shown line of the first part that is not in the output in its place; null: all is there, in this order. */
function firstGap(shown: readonly string[], out: readonly string[]): string | null {
  const parts = splitAt(shown);
  let from = 0;
  for (const [i, part] of parts.entries()) {
    const isLast = i === parts.length - 1;
    const least = isLast ? out.length - part.length : from;
    const most = i === 0 ? 0 : out.length - part.length;
    let at = Math.max(from, least);
    while (at <= most && !part.every((line, k) => isLine(line, out[at + k]))) at++;
    if (at > most || at < from) return part.at(-1) ?? ANY;
    from = at + part.length;
  }
  return null;
}

function splitAt(shown: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const line of shown) {
    if (line === ANY) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  return parts;
}

function isLine(shown: string, line: string | undefined): boolean {
  if (line === undefined) return false;
  if (shown.endsWith(ANY)) return line.startsWith(shown.slice(0, -ANY.length));
  return line.trimEnd() === shown;
}
