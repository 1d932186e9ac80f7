import { describe, expect, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { runScenario } from '../run/run-scenario.js';

interface Case {
  readonly name: string;
  readonly size: string;
  readonly populate: string;
  readonly work: string;
  readonly tlb?: string;
}

/** A TLB of 256 entries keeps the runs small: 1 MiB of base pages, 512 MiB of huge ones. */
const TLB = '{ levels: [[{ entries: 16, sizes: [4K, 16K, 2M] }], [{ entries: 256, ways: 8, sizes: [4K, 16K, 2M] }]]';

const CASES: readonly Case[] = [
  { name: 'uniform in base pages, ten times the reach', size: '10M', populate: 'full', work: 'pattern: uniform' },
  { name: 'uniform within reach', size: '512K', populate: 'full', work: 'pattern: uniform' },
  { name: 'uniform in huge pages, twice the reach', size: '1G', populate: '{ order: 9 }', work: 'pattern: uniform' },
  {
    name: 'uniform in folios of 16K that share an entry',
    size: '16M',
    populate: '{ order: 2 }',
    work: 'pattern: uniform',
    tlb: `${TLB}, contiguous: 16K }`,
  },
  { name: 'zipf', size: '16M', populate: 'full', work: 'pattern: zipf, exponent: 0.9' },
  { name: 'zipf in huge pages', size: '2G', populate: '{ order: 9 }', work: 'pattern: zipf, exponent: 0.9' },
  { name: 'a sweep beyond reach', size: '8M', populate: 'full', work: 'pattern: sequential' },
  { name: 'one page in each block', size: '1G', populate: '{ stride: { every: 512 } }', work: 'pattern: onePerBlock' },
  {
    name: 'random replacement',
    size: '8M',
    populate: 'full',
    work: 'pattern: uniform',
    tlb: '{ levels: [[{ entries: 256, ways: 8, sizes: [4K, 2M], replacement: random }]] }',
  },
  {
    name: 'phases',
    size: '8M',
    populate: 'full',
    work: 'phases: [{ for: 150ms, pattern: uniform, size: 2M, offset: 0 }, { for: 100ms, idle: true }, { for: 250ms, pattern: uniform, size: 4M, offset: 4M }], repeat: true',
  },
  { name: 'first touches of memory that is not there', size: '6M', populate: 'none', work: 'pattern: uniform' },
];

/** One run: hits, walks, and the samples in which DAMON saw an access, of all its regions. */
function run(one: Case, form: 'exact' | 'analytic'): { hitRate: number; walks: number; seen: number; rss: number } {
  const text = `
format: thplab/scenario@1
name: ${form}
machine: { memory: 3G, tlb: ${one.tlb ?? `${TLB} }`} }
sysfs: { enabled: never }
processes:
  - name: app
    vmas: [{ name: heap, size: ${one.size}, populate: ${one.populate} }]
workload:
  - { process: app, vma: heap, ${one.work}, rate: 100k, form: ${form} }
damon:
  - operations: fvaddr
    regions: { min: 20, max: 20 }
    targets: [{ process: app, ranges: { vma: heap } }]
run: { for: 1s, khugepaged: false }
`;
  const scenario = parseScenario(text, { path: one.name });
  const { result, damonRecords } = runScenario(scenario, { checkInvariants: false, recordDamon: true });
  let seen = 0;
  for (const { regions } of damonRecords.flatMap(({ snapshots }) => snapshots)) {
    for (const { start, end, samples } of regions) seen += (samples * (end - start)) / 2 ** 20;
  }
  const [{ tlb, rss }] = result.processes;
  if (tlb === null) throw new Error('no access was made');
  return { hitRate: tlb.hitRate, walks: tlb.walks, seen, rss };
}

describe('exact and analytic form', () => {
  it.each(CASES)('agree on hits and on what DAMON sees: $name', (one) => {
    const [exact, analytic] = [run(one, 'exact'), run(one, 'analytic')];
    expect(Math.abs(exact.hitRate - analytic.hitRate)).toBeLessThan(0.02);
    expect(Math.abs(exact.seen - analytic.seen)).toBeLessThan(0.15 * Math.max(exact.seen, analytic.seen) + 1);
    expect(Math.abs(exact.rss - analytic.rss)).toBeLessThan(0.02 * exact.rss + 1);
  });
});
