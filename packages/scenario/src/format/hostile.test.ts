import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseScenario, ScenarioError, type ScenarioLimits, validateScenario } from './index.js';
import { DEFAULT_LIMITS } from './limits.js';
import { readTokens } from './yaml-tokens.js';

const HEAD = 'format: thplab/scenario@1\nname: x\n';

function refusal(text: string, limits: Partial<ScenarioLimits> = {}): string {
  const result = validateScenario(text, { path: 'f', limits });
  if (result.ok) throw new Error('the text was accepted');
  expect(result.error).toBeInstanceOf(ScenarioError);
  return result.error.message;
}

describe('a hostile text is refused by a limit, before the work it would cause', () => {
  const laughs = (fan: number): string => {
    const level = (name: string, of: string): string => `${name}: &${name} [${Array(fan).fill(of).join(', ')}]\n`;
    const names = [...'abcdefghijkl'];
    return names.map((name, i) => level(name, i === 0 ? 'lol' : `*${names[i - 1]}`)).join('');
  };

  it.each<[string, string, RegExp, Partial<ScenarioLimits>?]>([
    ['billion laughs', laughs(9), /more than 100000 values/],
    ['billion laughs with many aliases', laughs(20), /more than 100 aliases/],
    ['an alias that contains itself', `${HEAD}machine: &m { swap: *m }`, /contains itself/],
    ['lists nested in flow', '['.repeat(1_000_000), /nested too deeply/],
    ['maps nested in flow', '{a: '.repeat(1_000_000), /nested too deeply/],
    ['lists nested on one line', '- '.repeat(1_000_000), /nested too deeply/],
    ['keys nested on one line', '? '.repeat(1_000_000), /nested too deeply/],
    [
      'maps nested by indentation',
      Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested too deeply/,
    ],
    ['10 MB of list', `[${'1,'.repeat(5_000_000)}]`, /the file has 10000002 characters; the limit is 4194304/],
    [
      '10 MB of list, allowed by length',
      `[${'1,'.repeat(5_000_000)}]`,
      /more than 400000 tokens/,
      { maxLength: 2 ** 24 },
    ],
    ['4 MB of empty lines', '\n'.repeat(4_000_000), /more than 400000 tokens/],
    ['a million comments', '#\n'.repeat(1_000_000), /more than 400000 tokens/],
    ['many values', `[${'1,'.repeat(1000)}]`, /more than 500 values/, { maxNodes: 500 }],
    ['a long plain key', `${'a'.repeat(1_000_000)}: 1`, /a text of 1000000 characters/],
    ['a long key', `${HEAD}${'a'.repeat(1000)}: 1`, /a key of 1000 characters/],
    ['a long quoted key', `? "${'a'.repeat(200_000)}"\n: 1`, /a key of 200000 characters/],
    ['an endless quoted text', `name: "${'a'.repeat(4_000_000)}`, /a text of 4000001 characters/],
    ['one text over a million lines', 'a\n'.repeat(1_000_000), /a text of 1999999 characters/],
    ['many documents', '---\n'.repeat(100_000), /a second document starts here/],
    ['closing brackets only', ']'.repeat(400_000), /syntax/],
    ['quotes only', '"'.repeat(300_000), /syntax/],
    ['commas only', `[${','.repeat(300_000)}]`, /syntax/],
    ['anchors only', '&a '.repeat(100_000), /syntax/],
  ])('%s', (_name, text, message, limits) => {
    expect(refusal(text, limits)).toMatch(message);
  });

  it('tokens are counted while they come: the rest of the text is not read', () => {
    const limits = { ...DEFAULT_LIMITS, maxTokens: 1000, maxLength: 2 ** 24 };
    try {
      readTokens(`[${'1,'.repeat(5_000_000)}]`, limits);
      throw new Error('the text was accepted');
    } catch (error) {
      expect(error).toMatchObject({ name: 'Refusal', message: 'more than 1000 tokens' });
      expect((error as { offset: number }).offset).toBeLessThan(2000);
    }
  });

  it('a file full of mistakes describes the first only', () => {
    const names = Array.from({ length: 2000 }, (_, i) => `{name: process-number-${i}}`).join(',');
    const events = Array.from({ length: 8000 }, (_, i) => `{at: 1s, exit: {process: proces-nmber-${i}}}`).join(',');
    expect(refusal(`${HEAD}processes: [${names}]\nevents: [${events}]\n`)).toMatch(/and 7980 more$/);
  });

  it('many children of a process with many VMAs cost no more than their lines', () => {
    const vmas = Array.from({ length: 5000 }, (_, i) => `{name: v${i}, size: 4K}`).join(',');
    const forks = Array.from({ length: 5000 }, (_, i) => `{at: ${i}us, fork: {process: p, as: c${i}}}`).join(',');
    const scenario = parseScenario(`${HEAD}processes: [{name: p, vmas: [${vmas}]}]\nevents: [${forks}]\n`);
    expect(scenario.events).toHaveLength(5000);
  });
});

describe('what a scenario never needs is refused', () => {
  it.each([
    ['a tag', `${HEAD}seed: !!int "3"`, '3:7: the tag "!!int" is not allowed'],
    ['a directive', `%YAML 1.1\n---\n${HEAD}`, '1:1: the directive "%YAML 1.1" is not allowed'],
    ['a second document', `${HEAD}---\n${HEAD}`, '3:1: a second document starts here'],
    ['a doubled key', `${HEAD}name: y`, '3:1: the key "name" stands here twice'],
    ['a doubled key behind an alias', `${HEAD}machine: &m { cpus: 1, cpus: 2 }`, 'the key "cpus" stands here twice'],
    ['not a number', `${HEAD}seed: .nan`, '3:7: this number is not finite'],
    ['infinity', `${HEAD}seed: -.inf`, '3:7: this number is not finite'],
    ['infinity by overflow', `${HEAD}seed: 1e999`, '3:7: this number is not finite'],
    ['__proto__', `${HEAD}__proto__: { seed: 3 }`, '3:1: the key "__proto__" is not allowed'],
    [
      '__proto__ in JSON',
      `{"format": "thplab/scenario@1", "name": "x", "__proto__": {}}`,
      'the key "__proto__" is not allowed',
    ],
    ['a merge key', `${HEAD}machine: { <<: 3 }`, '3:12: merge keys (<<) are not supported'],
    ['a list as key', `${HEAD}? [a]\n: 1`, '3:3: a key must be a plain text'],
    ['an unknown anchor', `${HEAD}machine: *m`, '3:10: no anchor &m before this alias'],
    ['nothing', '', '1:1: the file is empty'],
    ['only a comment', '# hello', '1:1: the file is empty'],
    ['a list', '- 1', '1:1: the file is a list of 1; expected a map'],
  ])('%s', (_name, text, message) => {
    expect(refusal(text)).toContain(message);
  });

  it('names of object members are names like any other', () => {
    const message = refusal(
      `${HEAD}constructor: 1\nsysfs: { hasOwnProperty: 1 }\nexpect: { counters: { toString: 1 } }`,
    );
    expect(message).toContain('3:1: unknown key "constructor"');
    const names = '[{ name: constructor, vmas: [{ name: valueOf, size: 4M }] }]';
    expect(
      parseScenario(`${HEAD}processes: ${names}\nevents: [{ at: 0s, mlock: { process: constructor } }]`).events,
    ).toHaveLength(1);
    expect(refusal(`${HEAD}events: [{ at: 0s, exit: { process: toString } }]`)).toContain(
      'there is no process "toString"',
    );
    expect(Object.hasOwn(Object.prototype, 'seed')).toBe(false);
  });

  it('an exclamation mark or a star inside of a text is no tag and no alias', () => {
    const texts = ['"!x"', 'a !x *b %c', '|\n  !x\n  *b\n  %YAML', "'*b'"];
    for (const text of texts) expect(parseScenario(`${HEAD}description: ${text}\n`).description).toMatch(/[!*]/);
  });
});

describe('mutated example files', () => {
  const folder = fileURLToPath(new URL('../../../../examples/', import.meta.url));
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(`${folder}${name}`, 'utf8'));
  const pieces = fc.constantFrom(
    '',
    ' ',
    '\n',
    '\t',
    ':',
    ': ',
    '- ',
    '?',
    ',',
    '[',
    ']',
    '{',
    '}',
    '#',
    '&a ',
    '*a',
    '!t ',
    '|',
    '>',
    '"',
    "'",
    '%',
    '@',
    '\\',
    '\u0000',
    '\uFEFF',
    '\u2028',
    '\uD800',
    '-1',
    '0',
    '1e999',
    '.nan',
    'null',
    'true',
    '99999999999999999999',
    '0x',
    '64Q',
    '[]',
    '{}',
    '<<: ',
    '__proto__: ',
    '---\n',
    '...\n',
    'pages: full',
    'populate: ',
    'processes: ',
  );
  const mutation = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), remove: fc.nat(30), insert: pieces });

  it('give a scenario or a ScenarioError with places inside of the text, never anything else', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (original, mutations) => {
          let text = original;
          for (const { at, remove, insert } of mutations) {
            const start = Math.floor(at * text.length);
            text = text.slice(0, start) + insert + text.slice(start + remove);
          }
          const result = validateScenario(text, { path: 'f' });
          if (result.ok) return;
          refused++;
          const lines = text.split('\n').length;
          for (const problem of result.error.problems) {
            expect(problem.line).toBeGreaterThanOrEqual(1);
            expect(problem.line).toBeLessThanOrEqual(lines);
            expect(problem.column).toBeGreaterThanOrEqual(1);
            expect(problem.message.length).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  it('values of any type in any place give a scenario or a ScenarioError', () => {
    const odd = fc.oneof(
      fc.constantFrom(null, true, -1, 0, 1.5, 2 ** 53, '', 'x', '4M', '10ms', [], {}),
      fc.jsonValue({ maxDepth: 3 }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...KEYS), fc.constantFrom(...KEYS), odd, (outer, inner, value) => {
        const file = { format: 'thplab/scenario@1', name: 'x', [outer]: value };
        const nested = { format: 'thplab/scenario@1', name: 'x', [outer]: { [inner]: value } };
        const listed = { format: 'thplab/scenario@1', name: 'x', [outer]: [{ name: 'a', at: '1s', [inner]: value }] };
        for (const tree of [file, nested, listed]) validateScenario(JSON.stringify(tree));
      }),
      { numRuns: 2000 },
    );
  });
});

const KEYS = [
  'format',
  'name',
  'description',
  'seed',
  'machine',
  'sysfs',
  'processes',
  'events',
  'run',
  'expect',
  'memory',
  'pageSize',
  'cpus',
  'fragmentation',
  'vmas',
  'count',
  'fault',
  'madvise',
  'mmap',
  'fork',
  'check',
  'failAllocation',
  'repeat',
  'until',
  'for',
  'trace',
  'counters',
  'coverage',
  'outcomes',
  'stalls',
  'time',
] as const;
