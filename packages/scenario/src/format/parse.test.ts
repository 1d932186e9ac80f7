import { describe, expect, it } from 'vitest';
import { problemsIn, scenarioOf } from '../testing/format-text.js';
import { MAX_PROBLEMS, parseScenario, ScenarioError, validateScenario } from './index.js';

describe('parseScenario', () => {
  it('needs a format and a name, nothing else', () => {
    const scenario = parseScenario('format: thplab/scenario@1\nname: x\n');
    expect(scenario).toMatchObject({ seed: 1, processes: [], events: [] });
    expect(scenario.machine).toMatchObject({
      pageSize: 4096,
      pmdOrder: 9,
      blockSize: 2 ** 21,
      kernel: 'merged',
      cpus: 2,
    });
    expect(scenario.run).toMatchObject({ until: { fullScans: 2, eventsDone: true }, atMost: 600e9, khugepaged: true });
  });

  it('reads JSON, tabs and all', () => {
    const text = JSON.stringify({ format: 'thplab/scenario@1', name: 'x', machine: { memory: '2G' } }, null, '\t');
    expect(parseScenario(text).machine.nodes).toEqual([{ size: 2 ** 31, fragmentation: null }]);
  });

  it('gives plain data: what JSON keeps is all there is', () => {
    const scenario = scenarioOf('processes: [{name: a, vmas: [{name: h, size: 4M, populate: {sparse: 0.5}}]}]\n');
    expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario);
  });

  it('reuses a value by alias', () => {
    const scenario = scenarioOf('processes:\n- {name: a, vmas: [&h {name: h, size: 4M}]}\n- {name: b, vmas: [*h]}\n');
    expect(scenario.processes[1].vmas[0].size).toBe(4 * 2 ** 20);
  });

  it('throws a ScenarioError whose message has path, line, column, what is wrong and what would be right', () => {
    const text = 'format: thplab/scenario@1\nname: x\nmachine:\n  pageSize: 8K\n';
    expect(() => parseScenario(text, { path: 'a/b.yaml' })).toThrow(
      'a/b.yaml:4:13: machine.pageSize is "8K"; expected one of "4K", "16K", "64K"',
    );
    expect(() => parseScenario(text)).toThrow(ScenarioError);
  });

  it('gives each problem as data too', () => {
    const result = validateScenario('format: thplab/scenario@1\nname: x\nsede: 3\n', { path: 'f.yaml' });
    expect(result.ok ? [] : result.error.problems).toEqual([
      { path: 'f.yaml', line: 3, column: 1, key: 'sede', message: 'unknown key "sede"', hint: 'did you mean "seed"?' },
    ]);
  });
});

describe('problems', () => {
  it('an unknown key is pointed at, with the nearest known one', () => {
    expect(problemsIn('processes:\n  - name: a\n    vmas:\n      - { name: h, size: 4M, populte: full }\n')).toEqual([
      '4:30: unknown key "populte" in processes[0].vmas[0]; did you mean "populate"?',
    ]);
  });

  it.each([
    ['machine: { memory: 1024T }', 'expected a size from 1M to 128T'],
    ['machine: { memory: 99999999999999999999G }', 'expected a size from 1M to 128T'],
    ['run: { for: 101d }', 'expected a duration from 1ns to 2400h'],
    ['run: { for: 10 }', 'expected a duration such as "250us", "10ms", "30s" or "1h"'],
  ])('a value beyond what there can be is told its limits: %s', (text, hint) => {
    expect(problemsIn(`${text}\n`).join()).toContain(hint);
  });

  it('a missing key is reported where its map starts', () => {
    expect(problemsIn('processes:\n  - vmas: []\n')).toEqual([
      '2:5: "name" is missing in processes[0]; expected a name of letters, digits, "-" and "_" that starts with a letter',
    ]);
  });

  it('of several forms of a value, the one that was meant is explained', () => {
    const vma = (populate: string): string =>
      `processes: [{name: a, vmas: [{name: h, size: 4M, populate: ${populate}}]}]\n`;
    expect(problemsIn(vma('{stride: {evry: 3}}'))).toEqual([
      expect.stringContaining('"every" is missing in processes[0].vmas[0].populate.stride'),
      expect.stringContaining('unknown key "evry" in processes[0].vmas[0].populate.stride; did you mean "every"?'),
    ]);
    expect(problemsIn(vma('ful'))).toEqual([expect.stringContaining('populate is "ful"; expected full, none,')]);
    expect(problemsIn(vma('[full, {young: 2}]'))).toEqual([
      expect.stringContaining('populate[1].young is 2; expected a share'),
    ]);
  });

  it('come in file order, twenty at most, and the rest is counted', () => {
    const text = `events:\n${Array.from({ length: 700 }, (_, i) => `  - { at: ${i}, exit: { process: a } }\n`).join('')}`;
    const result = validateScenario(`format: thplab/scenario@1\nname: x\n${text}`);
    if (result.ok) throw new Error('expected problems');
    expect(result.error.problems).toHaveLength(MAX_PROBLEMS);
    expect(result.error.problems.map((one) => one.line)).toEqual(Array.from({ length: 20 }, (_, i) => i + 5));
    expect(result.error.message.split('\n').at(-1)).toBe('... and 679 more');
  });

  it('numbers without a unit are refused where the unit would be a guess', () => {
    expect(problemsIn('run: {for: 30}\n')).toEqual([
      '1:12: run.for is 30; expected a duration such as "250us", "10ms", "30s" or "1h"',
    ]);
  });

  it.each([
    ['run: {for: 1s, atMost: 2s}', 'expected either for, or until with atMost'],
    ['run: {until: {}}', 'expected at least one of fullScans'],
    ['run: {until: {eventsDone: true}}\nevents: [{at: 0s, repeat: {every: 1s}, check: {}}]', 'events[0] never ends'],
    ['run: {khugepaged: false, until: {fullScans: 1}}', 'fullScans without khugepaged'],
    ['machine: {kernel: linux}', 'machine.kernel is "linux"'],
    ['machine: {memory: 4M}', 'is too small'],
    ['machine: {cpus: 65}', 'expected a whole number from 1 to 64'],
    ['expect: {counters: {thp_colapse_alloc: 1}}', 'did you mean "thp_collapse_alloc"?'],
    ['expect: {counters: {thp_collapse_alloc: lots}}', 'thp_collapse_alloc is a number'],
    ['expect: {counters: {pages_collapsed: 1}}', 'did you mean "khugepaged/pages_collapsed"?'],
    ['expect: {counters: {enabled: {min: 3, max: 2}}}', 'expected min <= max'],
    ['expect: {coverage: {process: x, huge: 1}}', 'there is no process "x"'],
    ['expect: {memory: {vma: x, rss: 1M}}', 'vma without process'],
    ['sysfs: {khugepaged/max_ptes_nome: 5}', 'did you mean "khugepaged/max_ptes_none"?'],
    ['sysfs: {khugepaged/max_ptes_none: 512}', 'fails with EINVAL; expected a decimal number from 0 to 511'],
    ['sysfs: {khugepaged/full_scans: 1}', 'is read only'],
    ['sysfs: {enabled: true}', 'expected the text to write'],
    ['sysfs: {/proc/sys/vm/swappiness: 1}', 'expected a path below /sys/kernel/mm/'],
  ])('%s: %s', (text, message) => {
    expect(problemsIn(text).join('\n')).toContain(message);
  });

  it('a scenario that expects a write to fail may make it', () => {
    const event = 'at: 0s, sysfs: {khugepaged/max_ptes_none: 512}';
    expect(problemsIn(`events: [{${event}}]\n`)).toHaveLength(1);
    expect(scenarioOf(`events: [{${event}, expect: {errno: EINVAL}}]\n`).events).toHaveLength(1);
  });

  it('files follow kernel and page size', () => {
    expect(problemsIn('sysfs: {khugepaged/max_ptes_none: 8191}\nmachine: {pageSize: 64K}\n')).toEqual([]);
    const legacy = problemsIn(
      'machine: {kernel: v6.18}\nexpect: {counters: {hugepages-64kB/stats/collapse_alloc: 1}}\n',
    );
    expect(legacy.join()).toContain('kernel v6.18 has no sysfs file');
  });
});
