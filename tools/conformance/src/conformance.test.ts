// The model and the running kernel, case by case. Where the kernel cannot be asked, the reason is the skipped test's.
import { describe, expect, it } from 'vitest';
import type { Case } from './case.js';
import { collapse, filled } from './cases/build.js';
import { CASES } from './cases/index.js';
import { compareCase } from './compare-case.js';
import { runConformance } from './conformance.js';
import { explain } from './deviations.js';
import { thisKernel } from './machine.js';
import { bootModel } from './model/model-machine.js';
import { runModel } from './model/run-model.js';
import { differences, type Outcome } from './outcome.js';
import { numberRuns, runs } from './page-letters.js';
import { randomCase } from './random/random-case.js';
import { shrink } from './random/shrink.js';
import { RealChild } from './real/real-child.js';
import { summaryText } from './report.js';

const RANDOM = 300;
const kernel = await thisKernel();
const skipped = 'skipped' in kernel ? kernel.skipped : undefined;
const SETTINGS = { enabled: 'always [madvise] never', 'hugepages-2048kB/enabled': 'always [inherit] madvise never' };

describe('the cases', () => {
  it('are at least 150 for MADV_COLLAPSE, each with a name of its own', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(150);
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  });

  it('by chance are the same for the same seed and number, and others for others', () => {
    expect(randomCase(7, 3)).toEqual(randomCase(7, 3));
    expect(randomCase(7, 4).steps).not.toEqual(randomCase(7, 3).steps);
    expect(randomCase(8, 3).steps).not.toEqual(randomCase(7, 3).steps);
  });
});

describe('the running kernel', () => {
  const name = `agrees with the model in ${CASES.length} cases and ${RANDOM} by chance${skipped === undefined ? '' : ` (skipped: ${skipped})`}`;
  it.skipIf(skipped !== undefined)(name, { timeout: 240_000 }, async () => {
    const summary = await runConformance({ seed: 1, random: RANDOM });
    const text = summaryText(summary);
    console.info(text);
    expect(summary.reports).toHaveLength(CASES.length + RANDOM);
    expect(
      summary.reports
        .filter(({ verdict }) => verdict !== 'agrees' && verdict !== 'deviates')
        .map(({ given }) => given.name),
      text,
    ).toEqual([]);
  });

  it.skipIf(skipped !== undefined)(
    'differs from the model of another kernel, so the comparison sees something',
    async () => {
      if ('skipped' in kernel) return;
      const child = new RealChild();
      const given: Case = { name: 'inverted', steps: [...filled(), collapse(100, 200)] };
      const report = await compareCase(given, child, { ...kernel.options, profile: 'merged' });
      child.close();
      expect(report.verdict).toBe('differs');
      expect(report.differences).toMatchObject([{ kernel: 'EINVAL', model: '0' }]);
    },
  );
});

describe('the comparison', () => {
  const given: Case = { name: 'x', steps: [...filled(), collapse(0, 512)] };
  const outcome: Outcome = runModel(given, { profile: 'v6.18', settings: SETTINGS });
  const step = (i: number): string => `step ${i}`;

  it('finds the model’s own outcome equal to itself', () => {
    expect(outcome).toMatchObject({ results: [0, 512, 0], counters: { thp_collapse_alloc: 1, '2048kB nr_anon': 1 } });
    expect(outcome.processes).toEqual([{ rss: 512, huge: [0], pages: 'T512', contents: '1+512' }]);
    expect(differences(outcome, outcome, step)).toEqual([]);
  });

  it('names every difference: results, counters, what is mapped, what is in it', () => {
    const [only] = outcome.processes;
    const other = {
      results: [0, 512, -11],
      counters: { thp_collapse_alloc: 1, thp_split_pmd: 2 },
      processes: [{ ...only, rss: 511, huge: [], pages: 'p511 .1', contents: '1+511 .1' }],
    };
    expect(differences(other, outcome, step)).toEqual([
      { what: 'result of step 3 (step 2)', kernel: 'EAGAIN', model: '0' },
      { what: 'thp_split_pmd', kernel: '2', model: '0' },
      { what: '2048kB nr_anon', kernel: '0', model: '1' },
      { what: 'PMD-mapped ranges', kernel: '', model: '0' },
      { what: 'rss', kernel: '511', model: '512' },
      { what: 'pages', kernel: 'p511 .1', model: 'T512' },
      { what: 'contents', kernel: '1+511 .1', model: '1+512' },
    ]);
  });

  it('explains by a known deviation only what that is about', () => {
    const file: Case = {
      name: 'f',
      steps: [
        { do: 'map', at: 0, pages: 512, kind: 'disk' },
        { do: 'read', at: 0, pages: 1 },
      ],
    };
    const rss = { what: 'rss', kernel: '16', model: '1' };
    expect(explain(file, [rss])?.map(({ id }) => id)).toEqual(['fault-around']);
    expect(explain(given, [rss])).toBeUndefined();
    expect(explain(file, [rss, { what: 'thp_split_pmd', kernel: '1', model: '0' }])).toBeUndefined();
  });

  it('refuses settings that the profile does not know', () => {
    expect(() => bootModel({ profile: 'v6.18', settings: { enabled: 'sometimes' } })).toThrow(
      'enabled: the profile v6.18 refuses "sometimes"',
    );
  });

  it('writes runs short', () => {
    expect(runs(['p', 'p', '.', 'z', 'z'])).toBe('p2 .1 z2');
    expect(numberRuns([5, 6, 7, 0, 0, -1, -1, 9])).toBe('5+3 0x2 .2 9+1');
  });

  it('makes a case that differs as small as it can, without steps of children that are not there', async () => {
    const big: Case = {
      name: 'big',
      steps: [
        ...filled(3),
        { do: 'fork' },
        { do: 'write', at: 7, pages: 90, who: 1 },
        { do: 'end', child: 1 },
        collapse(0, 512),
      ],
    };
    const tried: Case[] = [];
    const small = await shrink(big, (smaller) => {
      tried.push(smaller);
      return Promise.resolve(smaller.steps.some((s) => s.do === 'write' && s.who === 1));
    });
    expect(small.steps).toEqual([{ do: 'fork' }, { do: 'write', at: 7, pages: 1, who: 1 }]);
    const forks = (c: Case): number => c.steps.findIndex((s) => s.do === 'fork');
    expect(tried.every((c) => forks(c) >= 0 || c.steps.every((s) => !('who' in s) && s.do !== 'end'))).toBe(true);
  });
});
