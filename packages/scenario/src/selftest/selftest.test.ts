/**
 * The kernel's selftest as scenarios: every case runs in the model, its file under examples/selftest/ says what was run, and
 * docs/conformance.md what came out. UPDATE_GOLDEN=1 writes the files anew.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  findPmd,
  type Machine,
  type MmId,
  NO_PMD,
  PMD,
  pmdPfn,
  pmdTable,
  pmdType,
  ptePfn,
  type Vpn,
} from '@thplab/mm-model';
import { MERGED_RESULTS, SCAN, scanResultNumber } from '@thplab/mthp-collapse';
import { afterAll, describe, expect, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { runScenario, type ScenarioRun } from '../run/run-scenario.js';
import { selftestCases } from './cases.js';
import { type CaseRun, conformanceTable } from './conformance-table.js';
import { RACE_MODES, race, SYNC_STEPS, syncCheck } from './more-cases.js';

const FOLDER = fileURLToPath(new URL('../../../../examples/selftest/', import.meta.url));
const DOCS = fileURLToPath(new URL('../../../../docs/conformance.md', import.meta.url));
const BEGIN = '<!-- selftests: begin (UPDATE_GOLDEN=1 vitest run packages/scenario/src/selftest) -->';
const END = '<!-- selftests: end -->';
const UPDATE = process.env.UPDATE_GOLDEN === '1';

const CASES = selftestCases();
const RUNS: CaseRun[] = [];
const FILES = new Map<string, string>();
for (const one of CASES) if (one.kept) FILES.set(one.name, one.script.text(one.name, [one.about]));
for (const { name, text } of [syncCheck(), ...RACE_MODES.map(race)]) FILES.set(name, text);

function play(name: string, text: string): ScenarioRun {
  return runScenario(parseScenario(text, { path: `${name}.yaml` }));
}

/** Contents that a range of a process reads, without the pages that read as zeroes. */
function contentsOf(m: Machine, mm: MmId, start: number, pages: number): number[] {
  const found: number[] = [];
  for (let page = start; page < start + pages; page++) {
    const pmd = findPmd(m, mm, page as Vpn);
    const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
    const type = pmdType(entry);
    const slot = page % m.ptes;
    const pfn =
      type === PMD.huge ? pmdPfn(m, entry) + slot : type === PMD.table ? ptePfn(m, pmdTable(entry), slot) : -1;
    if (pfn > 0 && m.frame.stamp[pfn] !== 0) found.push(m.frame.stamp[pfn]);
  }
  return found;
}

/** No two pages of a process read the same, and what had content when the run began still has, unless it was thrown away. */
function expectContents({ result, world }: ScenarioRun, text: string): void {
  for (const process of world.processes.live()) {
    const [area] = process.vmas.values();
    const contents = contentsOf(world.m, process.mm, area.start, area.pages);
    expect(new Set(contents).size, process.name).toBe(contents.length);
    const before = result.timeline[0].processes.find(({ name }) => name === process.name);
    const thrownAway = /dontneed|munmap|retracted/.test(text);
    if (before === undefined || thrownAway) continue;
    const swapped = result.processes.find(({ name }) => name === process.name)?.swap ?? 0;
    expect(contents.length + swapped / 4096, process.name).toBeGreaterThanOrEqual(before.rss / 4096);
  }
}

describe('a case of the kernel selftest khugepaged.c', () => {
  it('is there for all 45 of the first group, in each context and kind of memory', () => {
    const kinds = ['anon', 'file r-x', 'shmem'];
    const first = CASES.filter(
      ({ script, test }) =>
        script.context !== 'mthp' &&
        !['alloc_at_fault', 'collapse_fork_cow_race'].includes(test) &&
        kinds.includes(script.memory),
    );
    expect(first.length).toBe(45);
  });

  it.each(CASES.map((one) => [one.name, one] as const))('%s', (name, one) => {
    const text = one.script.text(name, [one.about]);
    const run = play(name, text);
    const { result } = run;
    RUNS.push({ one, expectations: result.expectations });
    expect(result.expectations.filter(({ ok }) => !ok)).toEqual([]);
    expect(one.script.asked.length).toBeGreaterThan(0);
    expect(result.invariants).toEqual([]);
    expectContents(run, text);
  });
});

describe('the kernel selftest khugepaged_sync_check.c', () => {
  it('installs exactly the window of each step, once, and says so with its address and order', () => {
    const { text } = syncCheck();
    const { result, trace } = play('sync-check', text);
    expect(result.expectations.filter(({ ok }) => !ok)).toEqual([]);
    const succeeded = scanResultNumber(SCAN.SUCCEED, MERGED_RESULTS);
    const installs = [...trace.events()].filter(
      ({ name, args }) => name === 'collapse_window' && (args as { result: number }).result === succeeded,
    );
    const base = result.processes[0].vmas[0].start;
    const where = installs.map(({ args }) => {
      const { addr, order } = args as { addr: number; order: number };
      return [(addr - base) / 4096, order];
    });
    expect(where).toEqual(Array.from({ length: SYNC_STEPS }, (_, step) => [step * 16, 2]));
  });
});

describe('the kernel selftest khugepaged_race.c', () => {
  it.each(RACE_MODES.map((mode) => [race(mode).name, mode] as const))('%s ends with a sound machine', (name, mode) => {
    const { result } = play(name, race(mode).text);
    expect(result.invariants).toEqual([]);
    // It is a race only if collapses succeed while it goes on.
    const succeeded = Object.values(result.khugepaged.attempts).map((results) => results.succeeded ?? 0);
    expect(Math.max(...succeeded)).toBeGreaterThan(0);
  });
});

describe('what is written down', () => {
  it('examples/selftest/ holds these scenarios, and nothing else', () => {
    if (UPDATE) {
      rmSync(FOLDER, { recursive: true, force: true });
      mkdirSync(FOLDER);
      for (const [name, text] of FILES) writeFileSync(`${FOLDER}${name}.yaml`, text);
    }
    expect(readdirSync(FOLDER).sort()).toEqual([...FILES.keys()].map((name) => `${name}.yaml`).sort());
    for (const [name, text] of FILES) expect(readFileSync(`${FOLDER}${name}.yaml`, 'utf8'), name).toBe(text);
  });

  it('docs/conformance.md holds the table of these runs', () => {
    expect(RUNS.length, 'run the whole file').toBe(CASES.length);
    const table = ['', ...conformanceTable(RUNS), ''].join('\n');
    const docs = readFileSync(DOCS, 'utf8');
    const [before, rest] = docs.split(BEGIN);
    const [now, after] = (rest ?? '').split(END);
    if (UPDATE) writeFileSync(DOCS, `${before}${BEGIN}\n${table}\n${END}${after}`);
    else expect(now.trim()).toBe(table.trim());
  });
});

afterAll(() => {
  RUNS.length = 0;
});
