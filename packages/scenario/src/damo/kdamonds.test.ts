import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseScenario, type Scenario, ScenarioError, validateScenario } from '../format/index.js';
import { assembleMachine } from '../run/assemble.js';
import { KDAMONDS_JSON, KDAMONDS_YAML, SCHEMES_ONLY } from '../testing/damo-documents.js';
import { runText } from '../testing/scenario-text.js';
import { withDamoDocument } from './damo-scenario.js';
import { damoDocument } from './write-kdamonds.js';

const BASE = `format: thplab/scenario@1
name: test
machine: { memory: 512M }
processes: [{ name: app, vmas: [{ name: heap, size: 8M, at: "0x200000", populate: full }] }]
run: { for: 300ms }
`;

function read(document: string, damon = '{ damo: k.json }'): Scenario {
  return withDamoDocument(parseScenario(`${BASE}damon: ${damon}`), document, 'k.json');
}

function problemsOf(document: string, damon?: string): string {
  try {
    read(document, damon);
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
  return '';
}

describe('a damo kdamonds document', () => {
  it('in JSON becomes kdamonds', () => {
    const [kdamond] = read(KDAMONDS_JSON).damon.kdamonds;
    expect(kdamond).toMatchObject({ name: 'kdamond-0', operations: 'vaddr', targets: [{ process: 'app' }] });
    expect(kdamond?.attributes).toMatchObject({ sampleIntervalUs: 5000, aggrIntervalUs: 100_000, maxNrRegions: 1000 });
    expect(kdamond?.targets[0]?.ranges).toEqual([{ process: null, vma: null, start: 2 ** 21, length: 2 ** 23 }]);
    const [scheme] = kdamond?.schemes ?? [];
    expect(scheme?.config).toMatchObject({
      action: 'collapse',
      pattern: {
        size: { min: 2 ** 21, max: 2 ** 64 },
        nrAccesses: { min: 10, max: 20 },
        age: { min: 10, max: 2 ** 32 - 1 },
      },
      quota: { bytes: 128 * 2 ** 20, resetIntervalMs: 1000, weights: { size: 1, nrAccesses: 1, age: 1 } },
    });
    expect(scheme?.filters).toMatchObject([{ type: 'addr', allow: true, matching: true, range: { start: 2 ** 21 } }]);
  });

  it('in YAML, with bare numbers, samples, aggregations and old names', () => {
    const [kdamond] = read(KDAMONDS_YAML).damon.kdamonds;
    const [pageout, stat] = kdamond?.schemes ?? [];
    expect(kdamond?.targets).toMatchObject([{ process: null, ranges: [{ start: 4096, length: 2 ** 28 - 4096 }] }]);
    expect(pageout?.config).toMatchObject({
      applyIntervalUs: 1_000_000,
      pattern: { nrAccesses: { min: 0, max: 3 }, age: { min: 3, max: 2 ** 32 - 1 } },
      quota: {
        ms: 10,
        weights: { size: 0, nrAccesses: 50, age: 7 },
      },
      watermarks: { intervalUs: 5_000_000, high: 500, mid: 400, low: 200 },
    });
    expect(pageout?.goals).toMatchObject([{ metric: 'node_mem_free_bp', targetValue: 500 }]);
    expect(pageout?.filters).toMatchObject([
      { type: 'hugepage_size', min: 2 ** 21, max: 2 ** 21, allow: false },
      { type: 'anon', matching: false, allow: true },
    ]);
    expect(stat?.config.pattern.size).toEqual({ min: 0, max: 2 ** 64 });
  });

  it('may be a list of schemes alone', () => {
    const [kdamond] = read(SCHEMES_ONLY).damon.kdamonds;
    expect(kdamond?.schemes.map(({ name }) => name)).toEqual(['hugepage', 'nohugepage']);
    expect(kdamond?.schemes[1]?.config.pattern.age.min).toBe(70);
  });

  it('runs, from a file or as part of the scenario, and its schemes have names', () => {
    const inline = `${BASE}damon: { damo: ${KDAMONDS_JSON} }
expect: { schemes: { collapse: { tried: 0 }, kdamond-0.collapse: { tried: 0 } } }`.replace(/^format.*\nname.*\n/, '');
    const { result } = runText(inline);
    expect(result.expectations.map(({ ok }) => ok)).toEqual([true, true]);
    expect(result.damon[0]?.state).toBe('on');
  });

  it('comes back as it was from the files that it sets up', () => {
    const exported = (scenario: Scenario): unknown =>
      damoDocument(assembleMachine(scenario).kdamonds.fillFiles(), null);
    for (const document of [KDAMONDS_JSON, KDAMONDS_YAML]) {
      const once = exported(read(document));
      const twice = exported(read(JSON.stringify(once)));
      expect(twice).toEqual(once);
    }
    const { kdamonds } = exported(read(KDAMONDS_JSON)) as { kdamonds: { contexts: { schemes: unknown[] }[] }[] };
    const { action, access_pattern, quotas, filters } = JSON.parse(KDAMONDS_JSON).kdamonds[0].contexts[0].schemes[0];
    expect(kdamonds[0]?.contexts[0]?.schemes[0]).toMatchObject({ action, access_pattern, quotas, filters });
  });

  it('leaves split out, or counts only, for a damo that does not know it', () => {
    const scenario =
      parseScenario(`${BASE}damon: { profile: damon-rfc, kdamonds: [{ targets: { process: app, ranges: { vma: heap } }, operations: fvaddr,
      schemes: [{ action: split, targetOrder: 4 }] }] }`);
    const actions = (split: 'drop' | 'stat' | null): unknown =>
      JSON.stringify(damoDocument(assembleMachine(scenario).kdamonds.fillFiles(), split)).match(/"action":"\w+"/g);
    expect(actions(null)).toEqual(['"action":"split"']);
    expect(actions('stat')).toEqual(['"action":"stat"']);
    expect(actions('drop')).toBeNull();
  });
});

describe('bad damo documents', () => {
  it.each([
    ['{', /^k\.json:1:\d+: /],
    ['{}', /k\.json:1:1: kdamonds is missing/],
    ['{"kdamonds": 1}', /kdamonds is 1; expected a list/],
    ['{"kdamonds": [{"contexts": []}]}', /a kdamond with 0 contexts/],
    [KDAMONDS_JSON.replace('"vaddr"', '"vadr"'), /k\.json:2:\d+: ops "vadr" is not known here; did you mean vaddr/],
    [KDAMONDS_JSON.replace('"5 ms"', '"5 mz"'), /k\.json:4:\d+: sample_us is "5 mz"; expected a time/],
    [KDAMONDS_JSON.replace('"5 ms"', '"5 s"'), /sample_us 5000000 is above aggr_us/],
    [KDAMONDS_JSON.replace('"collapse"', '"colapse"'), /k\.json:10:\d+: action "colapse".*did you mean collapse/],
    [KDAMONDS_JSON.replace('"collapse"', '"split"'), /DAMON mm-2026 has no action split/],
    [KDAMONDS_JSON.replace('"0.1 %"', '"much"'), /sz_permil is "much"; expected a ratio/],
    [KDAMONDS_JSON.replace('"max":"100 %"', '"max":"20 samples"'), /min and max have different units/],
    [KDAMONDS_JSON.replace('"2,097,152","end":"10', '"0x200000","end":"10'), /start is "0x200000"; expected a size/],
    [KDAMONDS_JSON.replace('"addr"', '"memcg"'), /k\.json:\d+:\d+: memcg_path is missing/],
    [
      KDAMONDS_JSON.replace('"addr"', '"memcg"').replace('"memcg_path":null', '"memcg_path":"/jobs"'),
      /k\.json:19:81: there is no memory cgroup "\/jobs"; one of "\/"/,
    ],
    [
      KDAMONDS_JSON.replace('"goals":[]', '"goals":[{"metric":"node_memcg_used_bp","memcg_path":5}]'),
      /memcg_path is 5; expected a text/,
    ],
    [KDAMONDS_JSON.replace('"end":"6,291,456"', '"end":"0"'), /it ends before it starts/],
    [KDAMONDS_JSON.replace('"pause":false', '"pause":"maybe"'), /pause is "maybe"; expected true or false/],
    [KDAMONDS_JSON.replace('"page_fault":false', '"page_fault":true'), /only page tables are looked at/],
    [KDAMONDS_YAML.replace('pid: null', 'pid: 5').replace('paddr', 'vaddr'), /^$/],
    [KDAMONDS_YAML.replace('reset_interval_ms: 1 s', 'reset_interval_ms: -1'), /reset_interval_ms is -1/],
    ['a: [1', /k\.json:1:/],
  ])('%s', (document, message) => {
    expect(problemsOf(document)).toMatch(message);
  });

  it('name a pid that is nobody', () => {
    const two = parseScenario(
      `${BASE.replace('processes: [', 'processes: [{ name: other }, ')}damon: { damo: k.json }`,
    );
    expect(() => withDamoDocument(two, KDAMONDS_JSON, 'k.json')).toThrow(/no process of the scenario has pid 4242/);
    const named = parseScenario(`${BASE.replace('processes: [', 'processes: [{ name: other }, ')}
damon: { damo: k.json, pids: { "4242": app } }`);
    expect(withDamoDocument(named, KDAMONDS_JSON, 'k.json').damon.kdamonds[0]?.targets[0]?.process).toBe('app');
    expect(validateScenario(`${BASE}damon: { damo: k.json, pids: { "1": nobody } }`).ok).toBe(false);
  });
});

/** A document with one of its texts changed, cut, doubled or replaced at random. */
function mutate(document: string, at: number, kind: number, insert: string): string {
  const place = Math.floor(at * document.length);
  if (kind === 0) return document.slice(0, place) + document.slice(place + insert.length + 1);
  if (kind === 1) return document.slice(0, place) + insert + document.slice(place);
  if (kind === 2) return document.slice(0, place);
  return document.slice(0, place) + insert + document.slice(place + insert.length);
}

const PIECES = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '0',
  '-',
  '9'.repeat(30),
  'null',
  'true',
  'max',
  '%',
  'e999',
  '\\u0000',
  '\n',
  '&a',
  '*a',
  ' ',
];

describe('10,000 changed documents', () => {
  it('are read or refused with a place, and never crash', () => {
    const small = [
      '{"kdamonds":[{"contexts":[{"ops":"vaddr","targets":[{"pid":1,"regions":[{"start":"4K","end":"2 MiB"}]}],"nr_regions":{"min":"10","max":"1,000"},"schemes":[{"action":"stat","access_pattern":{"sz_bytes":{"min":"0","max":"max"},"nr_accesses":{"min":"5 %","max":"9 %"},"age":{"min":"1 s","max":"2 s"}},"filters":[{"filter_type":"addr","address_range":{"start":"0","end":"4K"}}]}]}]}]}',
      'kdamonds: [{contexts: [{ops: paddr, pause: true, targets: [], intervals: {sample_us: 5 ms, aggr_us: 100 ms}, schemes: [{action: stat, filters: [{filter_type: memcg, memcg_path: /}], quotas: {goals: [{metric: node_memcg_free_bp, memcg_path: /}], time_ms: 1, sz_bytes: 4K, reset_interval_ms: 1 s, weights: {sz_permil: 1 %}}}]}]}]',
    ] as const;
    const scenario = parseScenario(`${BASE}damon: { damo: k.json }`);
    fc.assert(
      fc.property(
        fc.constantFrom(...small),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.nat({ max: 3 }),
        fc.constantFrom(...PIECES),
        (document, at, kind, piece) => {
          try {
            withDamoDocument(scenario, mutate(document, at, kind, piece), 'k.json');
          } catch (error) {
            if (!(error instanceof ScenarioError)) throw error;
            expect(error.message).toMatch(/^k\.json:\d+:\d+: /);
          }
        },
      ),
      { numRuns: 10_000 },
    );
  });
});
